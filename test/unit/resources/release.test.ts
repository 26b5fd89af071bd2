import assert from "node:assert/strict";
import { type Run, runOf } from "../../../provider/rollout/run.js";
import { inFolder, linesOf } from "../rollout/items.js";
import { handlersOf, sample } from "./samples.js";

/** What a host's FE and BE have where each is reached by a `connection` of its own, and hosts behind one gateway. */
describe("two Releases of hosts that are called alike", () => {
  const planned = async (): Promise<Run> => {
    const inputs = sample("release");
    for (const [name, part] of [
      ["fe-1", "fe"],
      ["be-1", "be"],
    ]) {
      const news = { ...inputs, parts: [part], __urn: `urn:pulumi:dev::lab::starrocks:Release::release-${name}` };
      const { failures = [] } = await handlersOf("release").check({}, news);
      assert.deepEqual(failures, []);
    }
    return runOf(String(inputs.cluster));
  };

  it("have a line each in the plan, by the host alone", async () => {
    const lines = ((await planned()).plan ?? "").split("\n").filter((line) => line.includes("host 10.0.0.21"));
    assert.deepEqual(
      lines.map((line) => line.replace(/^ *\d+\. /, "")).sort(),
      ["be", "fe"].map((part) => `host 10.0.0.21, 3.5.6, ${part}: stage and verify`),
    );
  });

  it("have an item each in the journal, and a line in the report", () =>
    inFolder(async () => {
      const run = await planned();
      run.settle();
      const items = linesOf(run.journal.path).flatMap(({ item, planned }) => (planned === undefined ? [] : [item]));
      assert.deepEqual(items.sort(), ["host 10.0.0.21 release-be-1", "host 10.0.0.21 release-fe-1"]);
      assert.equal(run.report("done").match(/^ {2}host 10\.0\.0\.21, 3\.5\.6, [bf]e: /gm)?.length, 2);
    }));
});
