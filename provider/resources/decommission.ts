import { TransientError, UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { underWay } from "../plan/paths/rows/jumps.js";
import type { ClusterRows, Frontends } from "../rollout/frontends.js";
import { type HomeMarker, readHomeMarker, writeHomeMarker } from "../starrocks/marker.js";
import { backendRow } from "../starrocks/rows.js";
import { cancelDecommission, endpoint } from "../starrocks/statements.js";
import { isBe, labelOf, type NodeContext } from "./node/context.js";
import type { Topology } from "./preflight/topology.js";

/** A BE as its cluster knows it, and the way to its home and its cluster. */
interface Leaving {
  readonly host: Host;
  readonly frontends: Frontends;
  readonly limits: { readonly sql: number };
  readonly inputs: {
    readonly name: string;
    readonly home: string;
    readonly address: string;
    readonly port: number;
  };
}

/**
 * Notes in its home that a removal has a BE decommissioned, which SHOW BACKENDS does not tell: only such a decommission is
 * ended when the BE is declared again.
 */
export const noteLeaving = async (host: Host, home: string): Promise<void> => {
  try {
    const marker = await readHomeMarker(host, home, "be");
    if (marker) {
      await writeHomeMarker(host, home, { ...marker, leaving: { at: new Date().toISOString() } });
    }
  } catch (error) {
    // A BE whose host is lost, or whose disk is full, must leave all the same. Declared again, it is refused.
    if (!(error instanceof UserError)) {
      throw error;
    }
  }
};

/** Ends the decommission of a declared BE that its removal began; refuses to end that of somebody else. */
export const endDecommission = async (be: Leaving): Promise<void> => {
  const marker = await readHomeMarker(be.host, be.inputs.home, "be");
  if (!marker?.leaving) {
    throw new UserError(notOurs(be.inputs));
  }
  await endNoted(be, marker);
};

const endNoted = async ({ frontends, host, inputs, limits }: Leaving, marker: HomeMarker): Promise<void> => {
  await frontends.tell((sql) => cancelDecommission(sql, inputs.address, inputs.port, limits.sql));
  await forgetLeaving(host, inputs.home, marker);
};

const forgetLeaving = (host: Host, home: string, { leaving: _, ...marker }: HomeMarker): Promise<void> =>
  writeHomeMarker(host, home, marker);

/** Not ended by itself: whoever empties a broken disk would have it filled again, unasked. */
const notOurs = ({ address, name, port }: Leaving["inputs"]): string =>
  `BE ${name} is declared, but it is being decommissioned, and no removal from the program is known to have begun that: ` +
  "its tablets move to the other BEs, and then the cluster drops it. " +
  `If it is to stay, run CANCEL DECOMMISSION BACKEND "${endpoint(address, port)}" in the cluster, then \`pulumi up\` again. ` +
  "If it is to go, take it out of the program: `pulumi up` waits until its tablets have moved, and stops it.";

/**
 * Ends decommissions of these BEs that were begun by removals which were cut short, as the BEs are declared again; gives them.
 * A note whose decommission was ended by hand since is taken away: it would pass for one of a later decommission.
 */
export const endCutShort = async (
  nodes: readonly NodeContext[],
  { backends }: ClusterRows,
): Promise<readonly string[]> => {
  const ended = await Promise.all(
    nodes.filter(isBe).map(async (node) => {
      const { host, run, spec } = node;
      const marker = await markerOf(host, spec.home);
      if (!marker?.leaving) {
        return [];
      }
      run.lease?.assertHeld();
      if (!backendRow(spec, backends)?.decommissioned) {
        await forgetLeaving(host, spec.home, marker);
        return [];
      }
      await endNoted({ ...node, inputs: { ...spec, port: spec.ports.heartbeat } }, marker);
      return [labelOf(spec)];
    }),
  );
  return ended.flat();
};

/** A host that cannot be asked now tells of no removal. */
const markerOf = async (host: Host, home: string): Promise<HomeMarker | undefined> => {
  try {
    return await readHomeMarker(host, home, "be");
  } catch (error) {
    if (error instanceof TransientError) {
      return undefined;
    }
    throw error;
  }
};

/** Refuses to call a cluster proven that is about to drop a declared BE, unless the user has taken that. */
export const assertNoneLeaves = ({ nodes, policy }: Topology, { backends }: ClusterRows): void => {
  const leaving = nodes.filter(isBe).find(({ spec }) => backendRow(spec, backends)?.decommissioned);
  if (leaving && !policy.acceptHazards.includes(underWay)) {
    throw new UserError(notOurs({ ...leaving.spec, port: leaving.spec.ports.heartbeat }));
  }
};
