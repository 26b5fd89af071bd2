import { LeaseLost } from "../../rollout/lease.js";
import { observeProcess } from "../../starrocks/process.js";
import { labelOf, type NodeContext } from "./context.js";
import { look } from "./works.js";

/** Throws where another operator may have the cluster: then nothing is stopped, dropped or moved any more. */
export const assertRight = ({ run }: NodeContext): void => run.lease?.assertHeld();

/**
 * The same for what brings a node up that this operation has stopped: that goes on where the lease only ran out, as the FE
 * hosts could not be reached. Where somebody has the cluster now, or has started the node since, it is theirs: an operation
 * starts declared nodes that it finds down.
 */
export const assertMayBringUp = async (context: NodeContext): Promise<void> => {
  const { host, run, spec } = context;
  if (run.lease?.isLost !== true) {
    return;
  }
  const holder = await run.lease.holder();
  if (holder !== undefined) {
    throw new LeaseLost(`The right to change this cluster was lost: ${holder} is changing it. Nothing more is begun.`);
  }
  const process = await observeProcess(host, spec.kind, spec.home);
  if (process) {
    throw new LeaseLost(
      `The right to change this cluster was lost, and process ${process.pid} of ${labelOf(spec)} runs: it is not touched any more.`,
    );
  }
};

/** For people: how a node is left that another operator may have in hand now. */
export const howLeft = async (context: NodeContext): Promise<string> => {
  const label = labelOf(context.spec);
  const home = await look(context).catch(() => undefined);
  if (!home) {
    return `How ${label} is left cannot be seen; its data is untouched.`;
  }
  return home.process
    ? `${label} is left as it is: ${home.current ?? "no release"} is current, and its process ${home.process.pid} runs. Its data is untouched.`
    : `${label} is left stopped, with ${home.current ?? "no release"} current; its data is untouched. Whoever changes the cluster next starts it: ` +
        "each operation starts the declared nodes that it finds down.";
};
