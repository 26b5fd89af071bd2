import type { Lab } from "../../lab/lab.js";
import type { Contender } from "./contender.js";

/** This package: the declared release changes, `pulumi up` does the rest. */
export const ours = (lab: Lab): Contender => ({
  name: "pulumi-starrocks",
  note: "soak and observe of 1 s each, taken out of the ratio",
  prepare: async (release) => lab.declare(lab.args(release)),
  upgrade: async () => {
    const { exitCode, stdout } = await lab.stack.start("up", ["--skip-preview"]).ended;
    return { exitCode: exitCode ?? 1, output: stdout };
  },
});
