import type { NodeRow, Replica, Table, Tablet } from "../catalog/state.js";
import { allTablets, isComplete } from "../catalog/state.js";
import type { Frontend } from "../frontend.js";

export type TabletStatus = "HEALTHY" | "REPLICA_MISSING" | "VERSION_INCOMPLETE" | "REPLICA_RELOCATING" | "REDUNDANT";

const nodeOf = (fe: Frontend, { backendId }: Replica): NodeRow | undefined =>
  fe.catalog.state.nodes.find(({ id }) => id === backendId);

/** From 3.1 on a replica on a BE that is down for a short time counts as alive: /statistic is blind to it. */
export const countsAsAlive = (fe: Frontend, replica: Replica): boolean => {
  const node = nodeOf(fe, replica);
  if (node === undefined || replica.bad) {
    return false;
  }
  const tolerated = fe.config.number("tablet_sched_be_down_tolerate_time_s") * 1000;
  return node.alive || (fe.features.beDownTolerated && Date.now() - node.lastSeen < tolerated);
};

export const tabletStatus = (fe: Frontend, table: Table, tablet: Tablet): TabletStatus => {
  const settled = tablet.replicas.filter(({ state }) => state !== "CLONE");
  const alive = settled.filter((replica) => countsAsAlive(fe, replica));
  const wanted = table.replicationNum;
  if (alive.length < wanted) {
    return "REPLICA_MISSING";
  }
  const complete = alive.filter((replica) => isComplete(replica, tablet));
  if (complete.length < wanted) {
    return "VERSION_INCOMPLETE";
  }
  if (complete.filter((replica) => !nodeOf(fe, replica)?.decommissioned).length < wanted) {
    return "REPLICA_RELOCATING";
  }
  return tablet.replicas.length > wanted ? "REDUNDANT" : "HEALTHY";
};

const load = (tablets: readonly Tablet[], nodeId: number): number =>
  tablets.filter(({ replicas }) => replicas.some(({ backendId }) => backendId === nodeId)).length;

export const liveBackends = (fe: Frontend): NodeRow[] =>
  fe.catalog.state.nodes.filter(({ kind, alive, decommissioned }) => kind === "backend" && alive && !decommissioned);

/** Where new replicas go: different hosts, other locations first, then the emptiest, tablets of `making` counted in. */
export const chooseBackends = (
  fe: Frontend,
  count: number,
  { taken = [], making = [] }: { readonly taken?: readonly NodeRow[]; readonly making?: readonly Tablet[] } = {},
): NodeRow[] => {
  const chosen: NodeRow[] = [];
  const tablets = [...allTablets(fe.catalog.state).map(({ tablet }) => tablet), ...making];
  const sorted = liveBackends(fe)
    .map((node) => ({ node, load: load(tablets, node.id) + Math.random() }))
    .sort((a, b) => a.load - b.load)
    .map(({ node }) => node);
  for (const spread of [true, false]) {
    for (const node of sorted) {
      const used = [...taken, ...chosen];
      const sameHost = used.some(({ host }) => host === node.host);
      const sameLocation = node.location !== "" && used.some(({ location }) => location === node.location);
      if (chosen.length < count && !sameHost && !(spread && sameLocation)) {
        chosen.push(node);
      }
    }
  }
  return chosen;
};
