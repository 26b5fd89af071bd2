import { isComplete, type NodeRow, type Replica, type Table, type Tablet } from "../catalog/state.js";
import { type Frontend, propose } from "../frontend.js";
import { SqlError } from "../sql/error.js";
import { BackendRefusal, type Row, type Value, writeTablet } from "./backends.js";
import type { TabletLocks } from "./lock.js";

const attempts = 3;

/** FNV-1a: which bucket a key falls into. */
export const bucketOf = (key: Value | undefined, buckets: number): number => {
  let hash = 0x811c9dc5;
  for (const char of String(key)) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash % buckets;
};

const quorumOf = (table: Table): number => {
  if (table.writeQuorum === "ALL") {
    return table.replicationNum;
  }
  return table.writeQuorum === "ONE" ? 1 : Math.floor(table.replicationNum / 2) + 1;
};

const nodeOf = (fe: Frontend, replica: Replica): NodeRow | undefined =>
  fe.catalog.state.nodes.find(({ id }) => id === replica.backendId);

const describe = (fe: Frontend, tablet: Tablet): string =>
  tablet.replicas
    .map((replica) => {
      const state = nodeOf(fe, replica)?.alive ? "alive" : "not alive";
      return `${replica.id}:${replica.version}/${replica.lastFailedVersion}/${replica.lastSuccessVersion},${replica.backendId}(${state})`;
    })
    .join(" ");

interface Outcome {
  readonly tablet: Tablet;
  readonly version: number;
  readonly written: readonly number[];
  readonly failures: readonly string[];
  /** Backends are ahead of us: versions up to here were used by writes that nobody committed. */
  readonly ahead: number;
}

/** The highest version tried per tablet: a number is never used for two different contents. */
const triedVersions = new Map<number, number>();

const writeReplicas = async (fe: Frontend, table: Table, tablet: Tablet, rows: readonly Row[]): Promise<Outcome> => {
  const usable = tablet.replicas.flatMap((replica) => {
    const node = nodeOf(fe, replica);
    return node?.alive && isComplete(replica, tablet) ? [{ replica, node }] : [];
  });
  const quorum = quorumOf(table);
  if (usable.length < quorum) {
    throw new SqlError(
      `Tablet lost replicas. Check if any backend is down or not. tablet_id: ${tablet.id}, replicas: ${describe(fe, tablet)}. Check quorum number failed(OlapTableSink): BeReplicaSize:${usable.length}, quorum:${quorum}`,
    );
  }
  const version = Math.max(tablet.version, triedVersions.get(tablet.id) ?? 0) + 1;
  triedVersions.set(tablet.id, version);
  const write = { version, prevVersion: tablet.version, rows };
  const results = await Promise.all(
    usable.map(async ({ replica, node }) => {
      try {
        await writeTablet(fe, node, tablet.id, write);
        return { id: replica.id };
      } catch (error) {
        const ahead = error instanceof BackendRefusal ? (error.version ?? 0) : 0;
        return { host: node.host, ahead, reason: (error as Error).message };
      }
    }),
  );
  const failed = results.flatMap((result) => ("reason" in result ? [result] : []));
  const ahead = Math.max(0, ...failed.map((failure) => failure.ahead ?? 0));
  return {
    tablet,
    version,
    written: results.flatMap((result) => (result.id === undefined ? [] : [result.id])),
    failures: failed.map(({ host, reason }) => `${host}: ${reason}`),
    ahead,
  };
};

const writeOnce = async (
  fe: Frontend,
  table: Table,
  byTablet: ReadonlyMap<Tablet, readonly Row[]>,
): Promise<Outcome[]> => Promise.all([...byTablet].map(([tablet, rows]) => writeReplicas(fe, table, tablet, rows)));

const tooFew = (table: Table, outcomes: readonly Outcome[]): Outcome | undefined =>
  outcomes.find(({ written }) => written.length < quorumOf(table));

/** INSERT: every tablet's replicas get the rows, a quorum of each must take them, then the journal makes them visible. */
export const insertRows = async (
  fe: Frontend,
  locks: TabletLocks,
  table: Table,
  rows: readonly Row[],
): Promise<void> => {
  const byTablet = new Map<Tablet, Row[]>();
  for (const row of rows) {
    const tablet = table.tablets[bucketOf(row[0], table.tablets.length)];
    if (tablet !== undefined) {
      byTablet.set(tablet, [...(byTablet.get(tablet) ?? []), row]);
    }
  }
  const ids = [...byTablet.keys()].map(({ id }) => id).sort((a, b) => a - b);
  await locks.hold(ids, async () => {
    let outcomes = await writeOnce(fe, table, byTablet);
    for (let attempt = 1; attempt < attempts && tooFew(table, outcomes)?.ahead; attempt++) {
      for (const { tablet, ahead } of outcomes) {
        triedVersions.set(tablet.id, Math.max(triedVersions.get(tablet.id) ?? 0, ahead));
      }
      outcomes = await writeOnce(fe, table, byTablet);
    }
    const failed = tooFew(table, outcomes);
    if (failed !== undefined) {
      throw new SqlError(
        `Commit failed. txn: ${fe.group.applied} table: ${table.name} tablet: ${failed.tablet.id} quorum: ${quorumOf(table)}>${failed.written.length} errorReplicas: ${failed.failures.join(", ")}`,
      );
    }
    const tablets = outcomes.map(({ tablet, version, written }) => ({ id: tablet.id, version, written }));
    await propose(fe, { type: "commit", tablets });
  });
};
