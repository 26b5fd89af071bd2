import assert from "node:assert/strict";
import { render } from "../../../simulator/release/template.js";

describe("simulator: one text for all versions", () => {
  const text = "all\n#@ since 3.3\nnew\n#@ until 3.3\nold\n#@ since 3.1 until 3.3\nmiddle\n#@ always\nend\n";

  for (const [version, expected] of [
    ["2.3.0", "all\nold\nend\n"],
    ["3.1.9", "all\nold\nmiddle\nend\n"],
    ["3.3.0", "all\nnew\nend\n"],
    ["4.0.1", "all\nnew\nend\n"],
  ] as const) {
    it(`keeps the lines of ${version}`, () => {
      assert.equal(render(text, version), expected);
    });
  }

  it("leaves out a file of which nothing is left", () => {
    assert.equal(render("#@ since 3.4\nnew\n", "3.3.9"), undefined);
  });

  it("refuses a marker that it does not know", () => {
    assert.throws(() => render("#@ sinec 3.4\nnew\n", "3.3.9"), /got `#@ sinec 3.4`/);
  });
});
