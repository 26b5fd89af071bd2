import { TransientError } from "../../error.js";
import { gateItem } from "../../plan/preflight.js";
import { versionOfId } from "../../plan/release-id.js";
import type { Run } from "../../rollout/run.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { labelOf, type NodeContext } from "../node/context.js";
import { converge } from "../node/converge.js";
import { nodeId, nodeItem } from "../node/plan.js";
import { differingKeys } from "../node/settings.js";
import { look } from "../node/works.js";
import type { Topology } from "./topology.js";

/**
 * Changes once more what the state has as changed and what runs another release all the same:
 * nodes that had died after their change had succeeded, and were taken back. Pulumi checks a node when those that it
 * depends on are changed, so each is looked at when it is known that nothing is planned for it.
 */
export const changeAgain = async (run: Run, topology: Topology): Promise<void> => {
  for (const one of idleIn(run, topology).filter(({ spec }) => run.first(`${nodeId(spec)} runs what is declared`))) {
    await changeOne(run, one);
  }
};

/** A node with nothing to do in this operation that does not stand as declared. */
export interface Astray {
  readonly node: NodeContext;
  /** Whether it runs another release. */
  readonly elsewhere: boolean;
  /** Declared settings that its conf file does not have so. */
  readonly settings: readonly string[];
}

export const astray = async (run: Run, topology: Topology): Promise<readonly Astray[]> => {
  const looks = idleIn(run, topology).map(async (node): Promise<Astray | undefined> => {
    try {
      const home = await look(node);
      const settings = home.conf ? differingKeys(node.spec, home.conf.text) : [];
      return { node, elsewhere: otherRelease(node, home) !== undefined, settings };
    } catch (error) {
      if (!(error instanceof TransientError)) {
        throw error;
      }
      // What the cluster says of its node counts.
      return undefined;
    }
  });
  return (await Promise.all(looks)).flatMap((one) => (one?.elsewhere || one?.settings.length ? [one] : []));
};

const idleIn = (run: Run, { nodes }: Topology): readonly NodeContext[] =>
  nodes.filter(({ spec }) => run.items.get(nodeId(spec))?.steps.length === 0);

/** The release that runs, where it is not the declared one. */
const otherRelease = ({ spec }: NodeContext, { current, marker, process }: ObservedHome): string | undefined =>
  process && current !== spec.release.id && !marker?.left ? current : undefined;

const changeOne = async (run: Run, node: NodeContext): Promise<void> => {
  const { position, spec } = node;
  const current = otherRelease(node, await look(node));
  if (current === undefined) {
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
