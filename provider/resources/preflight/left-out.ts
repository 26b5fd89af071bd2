import { versionOfId } from "../../plan/release-id.js";
import type { NodeSpec } from "../../plan/spec.js";
import { wavesOf } from "../../plan/steps.js";
import type { Run } from "../../rollout/run.js";
import { RefusedTurn } from "../../rollout/turnstile.js";
import { labelOf, type NodeContext } from "../node/context.js";
import { nodeId, waveOf } from "../node/plan.js";
import { look } from "../node/works.js";
import type { Topology } from "./topology.js";

// An operation may leave resources out (`--target`, `--exclude`): the engine tells us nothing of them then, edges to them count
// for nothing, and what they would have looked at or done was not.

/** Why a node is not touched whose `Preflight` was left out. */
export const leftOut = (preflight: string): string =>
  `it is guarded by the Preflight "${preflight}", which this operation does not include (--target or --exclude): nothing would look at the ` +
  "whole cluster first, nor keep the order of its nodes. Run `pulumi up` without them; or, once the release is staged on every host, " +
  `with \`--target '**::${preflight}' --target-dependents\`.`;

/** Refuses the change of version of a node that comes after one which keeps its old version, as this operation leaves it out. */
export const assertInOrder = async (run: Run, topology: Topology, context: NodeContext): Promise<void> => {
  const { spec } = context;
  const left = topology.nodes.filter(
    (other) => !run.items.has(nodeId(other.spec)) && comesBefore(topology, other.spec, spec),
  );
  if (left.length === 0 || (await look(context)).current === spec.release.id) {
    return;
  }
  for (const other of left) {
    const { current } = await look(other);
    if (current !== undefined && current !== other.spec.release.id) {
      throw new RefusedTurn(
        labelOf(spec),
        `${labelOf(other.spec)} comes before it, is still of ${versionOfId(current)}, and this operation does not include it ` +
          "(--target or --exclude). Run `pulumi up` without them, or name that node too.",
      );
    }
  }
};

/** By the waves of the plan; and no BE goes before its canary. */
const comesBefore = ({ policy }: Topology, one: NodeSpec, other: NodeSpec): boolean => {
  const waves = wavesOf(policy.direction);
  const isCanary =
    one.kind === "be" && other.kind === "be" && one.name === policy.canary && other.name !== policy.canary;
  return isCanary || waves.indexOf(waveOf(one)) < waves.indexOf(waveOf(other));
};
