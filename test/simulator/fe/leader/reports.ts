import { allTablets, type NodeRow, type Replica, type Tablet } from "../catalog/state.js";
import { dropTablet, listTablets } from "../data/backends.js";
import type { TabletLocks } from "../data/lock.js";
import { type Frontend, propose } from "../frontend.js";
import type { Disks } from "./disks.js";
import { tabletsBeingMade } from "./tables.js";

const lookMs = 250;

/** The replica is not what the metadata says: asked again with writers kept out, for a table may have been made meanwhile. */
const correct = async (
  fe: Frontend,
  locks: TabletLocks,
  node: NodeRow,
  tablet: Tablet,
  replica: Replica,
): Promise<void> =>
  locks.hold([tablet.id], async () => {
    const version = (await listTablets(fe, node)).get(tablet.id);
    const bad = version === undefined;
    if (replica.state === "CLONE" || replica.bad || (!bad && version >= replica.version)) {
      return;
    }
    const what = bad ? "missing" : "behind";
    fe.log.warn("ReportHandler.tabletReport():422", `tablet ${tablet.id} of backend ${node.id} is ${what}`);
    const ids = { tabletId: tablet.id, replicaId: replica.id };
    await propose(fe, { type: "reported", ...ids, version: version ?? 0, bad });
  });

/** Compares what a BE has with what the metadata says: lost replicas become bad, unknown tablets are deleted from the BE. */
const compare = async (fe: Frontend, locks: TabletLocks, node: NodeRow): Promise<void> => {
  const before = new Set(allTablets(fe.catalog.state).map(({ tablet }) => tablet.id));
  const reported = await listTablets(fe, node);
  const known = new Set<number>();
  for (const { tablet } of allTablets(fe.catalog.state)) {
    const replica = tablet.replicas.find(({ backendId }) => backendId === node.id);
    if (replica === undefined) {
      continue;
    }
    known.add(tablet.id);
    if (before.has(tablet.id) && (reported.get(tablet.id) ?? -1) < replica.version) {
      await correct(fe, locks, node, tablet, replica);
    }
  }
  for (const id of reported.keys()) {
    if (known.has(id) || tabletsBeingMade.has(id) || locks.isHeld(id)) {
      continue;
    }
    fe.log.warn("ReportHandler.deleteFromBackend():788", `delete tablet ${id} from backend ${node.id}`);
    await dropTablet(fe, node, id);
  }
};

/**
 * Tablet reports. A BE sends them when it sends those of its disks: when it has started, however quickly, and each minute
 * (`report_tablet_interval_seconds`); to a new leader at once.
 */
export const startReports = (fe: Frontend, locks: TabletLocks, disks: Disks): (() => void) => {
  const compared = new Map<number, number>();
  let busy = false;
  const timer = setInterval(() => {
    if (busy || !fe.group.isLeader() || !fe.lifecycle.ready) {
      return;
    }
    busy = true;
    const due = fe.catalog.state.nodes.filter(
      (node) => node.kind === "backend" && node.alive && compared.get(node.id) !== disks.count(node),
    );
    const compareOne = async (node: NodeRow): Promise<void> => {
      const count = disks.count(node);
      await compare(fe, locks, node);
      disks.tabletsTold(node);
      compared.set(node.id, count);
    };
    Promise.all(due.map((node) => compareOne(node).catch(() => undefined)))
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  }, lookMs);
  return () => clearInterval(timer);
};
