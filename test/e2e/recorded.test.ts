import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createStack, type ExportedState, type Stack } from "../engine/stack.js";
import { clusterProgram, type PlainArgs } from "../lab/lab.js";
import { told } from "../lab/told.js";

// What builds of this package have recorded of a cluster of 3 FE + 3 BE, and the arguments of its program: users have such
// states, and their hosts do not change with an upgrade of the package. The hosts of these are long gone. None is ever
// written again; where a build records otherwise, the state that it records is added.

const folder = join(__dirname, "../../../test/e2e/recorded");

interface Recorded {
  readonly version: string;
  readonly next: string;
  readonly args: PlainArgs;
  readonly state: ExportedState;
}

for (const file of readdirSync(folder)) {
  describe(`a state that was recorded earlier (${file})`, () => {
    const { args, next, state, version } = JSON.parse(readFileSync(join(folder, file), "utf8")) as Recorded;
    let stack: Stack;
    before(async () => {
      stack = await createStack({ program: { "index.js": clusterProgram } });
      await stack.import(state);
    });
    after(() => stack?.close());

    const declare = (declared: PlainArgs): void =>
      stack.write({ "cluster.json": JSON.stringify({ name: "sr", args: declared }) });

    it("is what the same program declares: an up changes nothing, and asks no host", async () => {
      declare(args);
      const preview = await stack.preview(["--expect-no-changes"]);
      const counted = state.deployment.resources?.filter(({ type }) => !type.startsWith("pulumi:providers:"));
      const unchanged = new RegExp(`Resources:\\n +${counted?.length} unchanged`);
      assert.match(preview.stdout, unchanged);
      const { stdout } = await stack.up();
      assert.match(stdout, unchanged);
      assert.doesNotMatch(stdout, /Diagnostics:/);
    });

    it("is what a version change goes on from: nodes are updated, none is replaced", async () => {
      declare({ ...args, release: { ...args.release, version: next, sha256: "b".repeat(64) } });
      const preview = await stack.preview();
      assert.ok(told(preview, "info").sr?.includes(`StarRocks ${version} → ${next} (patch version) on 3 BE, 3 FE.`));
      assert.match(preview.stdout, /Resources:\n +~ \d+ to update\n +\d+ unchanged/);
    });
  });
}
