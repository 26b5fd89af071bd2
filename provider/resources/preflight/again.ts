import { gateItem } from "../../plan/preflight.js";
import { versionOfId } from "../../plan/release-id.js";
import type { Run } from "../../rollout/run.js";
import { RefusedTurn } from "../../rollout/turnstile.js";
import { labelOf, type NodeContext } from "../node/context.js";
import { converge } from "../node/converge.js";
import { NodeFailure } from "../node/left.js";
import { nodeId, nodeItem } from "../node/plan.js";
import { look } from "../node/works.js";
import type { Topology } from "./topology.js";

/**
 * Changes once more, before `node` has its turn, what the state has as changed and what runs another release all the same:
 * nodes that had died after their change had succeeded, and were taken back. Pulumi checks a node when those that it
 * depends on are changed, so each is looked at when it is known that nothing is planned for it.
 */
export const changeAgain = async (run: Run, { nodes }: Topology, node: string): Promise<void> => {
  const idle = nodes.filter(({ spec }) => run.items.get(nodeId(spec))?.steps.length === 0);
  for (const one of idle.filter(({ spec }) => run.first(`${nodeId(spec)} runs what is declared`))) {
    try {
      await changeOne(run, one);
    } catch (error) {
      throw error instanceof NodeFailure ? new RefusedTurn(node, error.message) : error;
    }
  }
};

const changeOne = async (run: Run, node: NodeContext): Promise<void> => {
  const { position, spec } = node;
  const { current, marker, process } = await look(node);
  if (!process || current === undefined || current === spec.release.id || marker?.left) {
    return;
  }
  const from = { id: current, version: versionOfId(current) };
  const action = { type: "version", from, to: spec.release, fields: [] } as const;
  const gate = gateItem({ backends: false, versions: false });
  const place = {
    id: `${labelOf(spec)} once more`,
    node: nodeId(spec),
    within: gate.id,
    wave: gate.wave,
    position: gate.position,
  };
  const item = { ...nodeItem(action, spec, run.placeOf(spec, position)), ...place };
  await converge(node, action, item, async () => undefined);
};
