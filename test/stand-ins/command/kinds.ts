// Stand-in for @pulumi/command: what its resources do, as far as our programs use them.

import { runHere } from "./local.js";
import { copyThere, runThere } from "./remote.js";
import type { Props, Run, RunOutput } from "./run.js";

export interface Kind {
  create(inputs: Props): Promise<Props>;
  update(olds: Props, inputs: Props): Promise<Props>;
  delete(olds: Props): Promise<void>;
}

/** `update` falls back to `create`; what the last run printed is there for the next one, as with the real plugin. */
const command = (run: (run: Run) => Promise<RunOutput>): Kind => {
  const runIf = async (text: unknown, props: Props, olds: Props): Promise<Props> => {
    if (typeof text !== "string" || text === "") {
      return { ...props, stdout: olds.stdout ?? "", stderr: olds.stderr ?? "" };
    }
    const previous: Readonly<Record<string, string>> =
      props.addPreviousOutputInEnv === false || olds.stdout === undefined
        ? {}
        : { PULUMI_COMMAND_STDOUT: String(olds.stdout), PULUMI_COMMAND_STDERR: String(olds.stderr) };
    const environment = props.environment as Readonly<Record<string, string>> | undefined;
    return { ...props, ...(await run({ text, props, env: { ...environment, ...previous } })) };
  };
  return {
    create: (inputs) => runIf(inputs.create, inputs, {}),
    update: (olds, inputs) => runIf(inputs.update ?? inputs.create, inputs, olds),
    delete: async (olds) => {
      await runIf(olds.delete, olds, olds);
    },
  };
};

const copy: Kind = {
  create: copyThere,
  update: (_olds, inputs) => copyThere(inputs),
  delete: async () => undefined,
};

export const kinds: Readonly<Record<string, Kind>> = {
  "command:local:Command": command(runHere),
  "command:remote:Command": command(runThere),
  "command:remote:CopyToRemote": copy,
};
