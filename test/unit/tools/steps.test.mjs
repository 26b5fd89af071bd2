import assert from "node:assert/strict";
import { shown } from "../../../tools/lib/steps.mjs";

describe("shown", () => {
  it("tells that a long piece of work goes on, and what it is at, until it ends", async () => {
    const { log } = console;
    /** @type {string[]} */
    const lines = [];
    let told = () => {};
    const twice = new Promise((resolve) => {
      told = () => resolve(undefined);
    });
    console.log = (line) => {
      lines.push(line);
      if (lines.length === 2) {
        told();
      }
    };
    try {
      const work = async (/** @type {(detail: string) => void} */ progress) => {
        progress("12 passed");
        await twice;
        return "result";
      };
      assert.equal(await shown("unit", work, 5), "result");
    } finally {
      console.log = log;
    }
    assert.match(lines[1] ?? "", /^… unit {2}\d+\.\d s {2}12 passed$/);
  });
});
