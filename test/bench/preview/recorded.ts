// What the package's provider records, without hosts: the real handlers, but that create touches nothing and says that it
// went well. It stands in the place of `pulumi-starrocks/provider` while the state is made that the previews are measured on.

import { echo, type Plain } from "../../../provider/engine/outputs.js";
import * as real from "../../../provider/index.js";
import { entry, type Handlers } from "../../../provider/resources/handlers.js";
import { outputsOf } from "../../../provider/resources/preflight/handlers.js";

let count = 0;

const recording = (handlers: Handlers, outputs: (inputs: Plain) => Record<string, unknown>): Handlers =>
  entry({
    ...handlers,
    create: async (inputs) => {
      count += 1;
      return { id: `recorded-${count}`, outs: outputs(inputs) };
    },
  });

const withStatus =
  (status: Plain) =>
  (inputs: Plain): Record<string, unknown> => ({ ...echo(inputs, ["plan"]), ...status });

export const release = recording(real.release, withStatus({ staged: true }));
export const preflight = recording(real.preflight, outputsOf);
export const rehearsal = recording(real.rehearsal, withStatus({}));
export const rollout = recording(real.rollout, outputsOf);
export const feNode = recording(real.feNode, withStatus({ status: "running" }));
export const beNode = recording(real.beNode, withStatus({ status: "running" }));
export const feMember = recording(real.feMember, withStatus({ status: "member" }));
export const beMember = recording(real.beMember, withStatus({ status: "member" }));
