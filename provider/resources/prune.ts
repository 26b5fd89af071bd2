import { messageOf, UserError } from "../error.js";
import type { Outcome } from "../rollout/execute.js";
import { pruneReleases } from "../starrocks/prune.js";
import type { NodeContext } from "./node/context.js";
import type { Topology } from "./preflight/topology.js";

/**
 * Removes what no node needs any more from the hosts: with the lease, and when the new release is proven everywhere. What
 * stays on a host fails no change that is done; the next version change tries again.
 */
export const pruneHosts = async (
  { nodes, release }: Pick<Topology, "nodes" | "release">,
  /** The release before, as its archive has it: overlays are composed of it, should one go back. */
  before: string | undefined,
): Promise<Outcome> => {
  const keep = [
    ...new Set([release.id, ...nodes.map(({ spec }) => spec.release.id), ...(before === undefined ? [] : [before])]),
  ];
  const places = new Map(nodes.map((node) => [JSON.stringify([node.host.name, node.spec.deployDir]), node]));
  const pruned = await Promise.all([...places.values()].map((node) => pruneHost(node, keep)));
  const gone = pruned.flatMap((one) => one.gone);
  const detail = [...gone, ...pruned.flatMap((one) => one.left)].join("; ");
  return { mark: gone.length > 0 ? "done" : "not met", ...(detail !== "" && { detail }) };
};

interface Pruned {
  /** For people: `10.0.0.21: 3.5.6-0123456789ab`. */
  readonly gone: readonly string[];
  readonly left: readonly string[];
}

const pruneHost = async ({ host, spec }: NodeContext, keep: readonly string[]): Promise<Pruned> => {
  try {
    const seen = await pruneReleases(host, { deployDir: spec.deployDir, keep });
    const removed = seen.filter((one) => one.removed).map(({ releaseId }) => releaseId);
    return { gone: removed.length > 0 ? [`${host.name}: ${removed.join(", ")}`] : [], left: [] };
  } catch (error) {
    if (!(error instanceof UserError)) {
      throw error;
    }
    return { gone: [], left: [`${host.name} keeps what it has: ${messageOf(error)}`] };
  }
};
