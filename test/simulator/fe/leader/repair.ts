import { allTablets, isComplete, type NodeRow, type Replica, type Table, type Tablet } from "../catalog/state.js";
import { cloneTablet, createTablet, dropTablet } from "../data/backends.js";
import type { TabletLocks } from "../data/lock.js";
import { type Frontend, propose, takeIds } from "../frontend.js";
import { chooseBackends, liveBackends, tabletStatus } from "./placement.js";

export interface Repairs {
  /** Tablets being cloned now: `CloningTabletNum`. */
  readonly running: Set<number>;
  readonly stop: () => void;
}

const nodeOf = (fe: Frontend, replica: Replica): NodeRow | undefined =>
  fe.catalog.state.nodes.find(({ id }) => id === replica.backendId);

const sourceOf = (fe: Frontend, tablet: Tablet): NodeRow | undefined =>
  tablet.replicas
    .filter((replica) => isComplete(replica, tablet))
    .map((replica) => nodeOf(fe, replica))
    .find((node) => node?.alive);

const where = "TabletScheduler.schedulePendingTablets():512";

const copyTo = async (fe: Frontend, tablet: Tablet, target: NodeRow, replicaId: number): Promise<void> => {
  const source = sourceOf(fe, tablet);
  if (source === undefined) {
    return;
  }
  const { version } = tablet;
  await cloneTablet(fe, target, tablet.id, source, version);
  await propose(fe, { type: "cloned", tabletId: tablet.id, replicaId, version });
  fe.log.info(where, `clone finished: tablet ${tablet.id} from ${source.id} to ${target.id}, version ${version}`);
};

const catchUp = async (fe: Frontend, tablet: Tablet): Promise<void> => {
  for (const replica of tablet.replicas) {
    const node = nodeOf(fe, replica);
    if (node?.alive && !isComplete(replica, tablet)) {
      await copyTo(fe, tablet, node, replica.id);
    }
  }
};

const addCopy = async (fe: Frontend, tablet: Tablet): Promise<void> => {
  // A lost replica makes room for a new one, which may land on the same backend.
  for (const { id } of tablet.replicas.filter(({ bad }) => bad)) {
    await propose(fe, { type: "dropReplica", tabletId: tablet.id, replicaId: id });
  }
  const unfinished = tablet.replicas.find(({ state }) => state === "CLONE");
  if (unfinished !== undefined) {
    const node = nodeOf(fe, unfinished);
    if (node?.alive) {
      return copyTo(fe, tablet, node, unfinished.id);
    }
    await propose(fe, { type: "dropReplica", tabletId: tablet.id, replicaId: unfinished.id });
  }
  const taken = tablet.replicas.flatMap((replica) => nodeOf(fe, replica) ?? []);
  const [target] = chooseBackends(fe, 1, { taken });
  if (target === undefined || sourceOf(fe, tablet) === undefined) {
    return;
  }
  const id = takeIds(fe, 1);
  const fresh = {
    id,
    backendId: target.id,
    version: 0,
    lastFailedVersion: -1,
    lastSuccessVersion: 0,
    state: "CLONE",
    bad: false,
  } as const;
  await propose(fe, { type: "addReplica", tabletId: tablet.id, replica: fresh });
  await createTablet(fe, target, tablet.id).catch(() => undefined);
  await copyTo(fe, tablet, target, id);
};

/** The least useful replica goes first: on a lost, dead or leaving node, then one that is behind. */
const dropSpare = async (fe: Frontend, tablet: Tablet): Promise<void> => {
  const worth = (replica: Replica): number => {
    const node = nodeOf(fe, replica);
    if (node === undefined || replica.bad) {
      return 0;
    }
    if (!node.alive) {
      return 1;
    }
    if (!isComplete(replica, tablet)) {
      return 2;
    }
    return node.decommissioned ? 3 : 4;
  };
  const [spare] = [...tablet.replicas].sort((a, b) => worth(a) - worth(b));
  if (spare === undefined) {
    return;
  }
  const node = nodeOf(fe, spare);
  await propose(fe, { type: "dropReplica", tabletId: tablet.id, replicaId: spare.id });
  if (node?.alive) {
    await dropTablet(fe, node, tablet.id).catch(() => undefined);
  }
};

interface Work {
  readonly table: Table;
  readonly tablet: Tablet;
  readonly urgent: boolean;
  readonly run: () => Promise<void>;
}

/** What is wrong with a tablet, and since when: a missing replica waits for the repair delay. */
const workOn = (fe: Frontend, table: Table, tablet: Tablet): Omit<Work, "table" | "tablet"> | undefined => {
  switch (tabletStatus(fe, table, tablet)) {
    case "VERSION_INCOMPLETE":
      return { urgent: true, run: () => catchUp(fe, tablet) };
    case "REPLICA_MISSING":
      return { urgent: false, run: () => addCopy(fe, tablet) };
    case "REPLICA_RELOCATING":
      return { urgent: true, run: () => addCopy(fe, tablet) };
    case "REDUNDANT":
      return { urgent: true, run: () => dropSpare(fe, tablet) };
    case "HEALTHY":
      return undefined;
  }
};

/** Moves one replica from the fullest to the emptiest BE: add a copy there, the spare one goes as redundant. */
const balance = async (fe: Frontend, locks: TabletLocks): Promise<void> => {
  const tablets = allTablets(fe.catalog.state);
  const loads = liveBackends(fe)
    .map((node) => ({
      node,
      tablets: tablets.filter(({ tablet }) => tablet.replicas.some(({ backendId }) => backendId === node.id)),
    }))
    .sort((a, b) => a.tablets.length - b.tablets.length);
  const [low, high] = [loads[0], loads.at(-1)];
  if (low === undefined || high === undefined || high.tablets.length - low.tablets.length < 2) {
    return;
  }
  const moved = high.tablets.find(({ table, tablet }) => {
    const free = !tablet.replicas.some(({ backendId }) => backendId === low.node.id);
    return free && tabletStatus(fe, table, tablet) === "HEALTHY";
  })?.tablet;
  const leaving = moved?.replicas.find(({ backendId }) => backendId === high.node.id);
  if (moved === undefined || leaving === undefined) {
    return;
  }
  fe.log.info(
    "DiskAndTabletLoadReBalancer.balance():95",
    `balance tablet ${moved.id} from ${high.node.id} to ${low.node.id}`,
  );
  await locks.hold([moved.id], async () => {
    const id = takeIds(fe, 1);
    const fresh = {
      id,
      backendId: low.node.id,
      version: 0,
      lastFailedVersion: -1,
      lastSuccessVersion: 0,
      state: "CLONE",
      bad: false,
    } as const;
    await propose(fe, { type: "addReplica", tabletId: moved.id, replica: fresh });
    await createTablet(fe, low.node, moved.id).catch(() => undefined);
    await copyTo(fe, moved, low.node, id);
    const copied = moved.replicas.find((replica) => replica.id === id)?.state === "NORMAL";
    const gone = copied ? { id: leaving.id, node: high.node } : { id, node: low.node };
    await propose(fe, { type: "dropReplica", tabletId: moved.id, replicaId: gone.id });
    await dropTablet(fe, gone.node, moved.id).catch(() => undefined);
  });
};

/** The tablet checker and scheduler of a leader. */
export const startRepairs = (fe: Frontend, locks: TabletLocks): Repairs => {
  const running = new Set<number>();
  const missingSince = new Map<number, number>();
  let lastTrickle = Number.NEGATIVE_INFINITY;
  let lastBalance = performance.now();

  const repair = async ({ tablet, run }: Work): Promise<void> => {
    running.add(tablet.id);
    try {
      await locks.hold([tablet.id], run);
    } catch (error) {
      fe.log.warn(where, `clone of tablet ${tablet.id} failed: ${(error as Error).message}`);
    } finally {
      running.delete(tablet.id);
    }
  };

  const isDue = ({ tablet, urgent }: Work): boolean => {
    if (urgent) {
      return true;
    }
    const since = missingSince.get(tablet.id) ?? performance.now();
    missingSince.set(tablet.id, since);
    return performance.now() - since >= fe.options.repairDelayMs;
  };

  const round = async (): Promise<void> => {
    const work = allTablets(fe.catalog.state).flatMap(({ table, tablet }): Work[] => {
      const found = workOn(fe, table, tablet);
      if (found === undefined || found.urgent) {
        missingSince.delete(tablet.id);
      }
      return found === undefined || running.has(tablet.id) ? [] : [{ table, tablet, ...found }];
    });
    const due = work.filter(isDue);
    const slots = fe.config.number("tablet_sched_max_scheduling_tablets");
    const now = performance.now();
    const trickle = now - lastTrickle >= fe.options.repairTrickleMs ? 1 : 0;
    const chosen = due.slice(0, slots > 0 ? slots : trickle);
    if (chosen.length > 0) {
      lastTrickle = now;
    }
    await Promise.all(chosen.map(repair));
    const mayBalance =
      !fe.config.flag("tablet_sched_disable_balance") && fe.config.number("tablet_sched_max_balancing_tablets") > 0;
    if (work.length === 0 && mayBalance && slots > 0 && now - lastBalance >= fe.options.balanceMs) {
      lastBalance = now;
      await balance(fe, locks);
    }
  };

  let busy = false;
  const timer = setInterval(() => {
    if (busy || !fe.group.isLeader() || !fe.lifecycle.ready) {
      return;
    }
    busy = true;
    round()
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  }, fe.options.tabletCheckerMs);
  return { running, stop: () => clearInterval(timer) };
};
