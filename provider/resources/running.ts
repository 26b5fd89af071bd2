import { UserError } from "../error.js";
import type { Run } from "../rollout/run.js";
import { isRunning, observeProcess } from "../starrocks/process.js";
import { labelOf, type NodeContext } from "./node/context.js";
import { lastWordsOf } from "./node/watch.js";
import type { Topology } from "./preflight/topology.js";

/**
 * Sees the process of every declared node: the cluster calls a dead one Alive for 16 s (FE) or 20 s (BE). Of an `unchanged`
 * node whose host cannot be asked, what the cluster says counts.
 */
export const assertRunning = async (
  run: Run,
  { nodes }: Topology,
  unchanged: readonly NodeContext[],
): Promise<void> => {
  const running = await Promise.all(nodes.map((node) => runs(node, unchanged.includes(node))));
  // Something may have started another process of one that was changed.
  const ended = (await run.proven.look()).ended.map(({ node }) => node);
  const dead = nodes.find(({ spec }, index) => !running[index] || ended.includes(labelOf(spec)));
  if (dead) {
    const { host, spec } = dead;
    throw new UserError(
      `SHOW ${spec.kind === "fe" ? "FRONTENDS" : "BACKENDS"} says Alive of ${labelOf(spec)} on ${host.name}, but its process has ended. ` +
        `${await lastWordsOf(dead)}\n\`pulumi up --refresh\` starts it again.`,
    );
  }
};

const runs = async ({ host, spec }: NodeContext, mayBeUnseen: boolean): Promise<boolean> =>
  mayBeUnseen
    ? (await isRunning(host, spec.kind, spec.home)) !== false
    : (await observeProcess(host, spec.kind, spec.home)) !== undefined;
