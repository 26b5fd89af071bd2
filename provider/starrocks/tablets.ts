import {
  type DeclaredTable,
  declaredOf,
  declaredTables,
  plainName,
  quotedName,
  quotedPart,
  unlessGone,
} from "./declared.js";
import { type Row, type Sql, SqlError } from "./sql.js";
import type { Declared, Tablet } from "./tablet.js";
import { atLeast, type Version } from "./versions.js";
import { viewReplicas } from "./view-replicas.js";

// All of it is asked of the FEs' own metadata, by which StarRocks itself chooses where to read and write, and best of the
// leader, as followers lag. information_schema.be_tablets tells what lies on the BEs that answer: nothing of those that do
// not, and of leftovers that the metadata forgot.

/** In shared-data mode tablets lie in the object store, and no node holds the only copy of one. */
export const isSharedData = async (sql: Sql, version: Version, limit?: number): Promise<boolean> => {
  if (!atLeast(version, "3.0.0")) {
    return false;
  }
  const rows = await sql.query("ADMIN SHOW FRONTEND CONFIG LIKE 'run_mode'", [], limit);
  return rows.some(({ Value }) => Value === "shared_data");
};

/** Databases with tablets, and whether StarRocks itself calls one of them unhealthy: right as long as all BEs are up. */
const databaseStates = async (
  sql: Sql,
  limit?: number,
): Promise<ReadonlyMap<string, { readonly doubtful: boolean }>> => {
  const rows = await sql.query("SHOW PROC '/statistic'", [], limit);
  const used = rows.filter(({ DbId, TabletNum }) => DbId !== "Total" && Number(TabletNum) > 0);
  return new Map(
    used.map(({ DbName, UnhealthyTabletNum }) => [plainName(DbName), { doubtful: Number(UnhealthyTabletNum) > 0 }]),
  );
};

export interface TabletQuestion {
  /** What the FEs run. */
  readonly version: Version;
  /** Milliseconds for each statement. */
  readonly limit?: number | undefined;
  /** `doubtful`: those of databases with an unhealthy tablet. */
  readonly which: "all" | "doubtful";
  /** Tables that are wanted of the other databases. */
  readonly also?: (declared: Declared) => boolean;
}

/** Tablets, a group of partitions at a time, so that 100,000 of them need not be in memory at once. */
export async function* tabletsOf(
  sql: Sql,
  { version, limit, which, also }: TabletQuestion,
): AsyncGenerator<readonly Tablet[]> {
  const states = await databaseStates(sql, limit);
  const wanted = (database: string): boolean => which === "all" || states.get(database)?.doubtful === true;
  if (![...states.keys()].some(wanted) && !also) {
    return;
  }
  for (const table of await declaredTables(sql, version, [...states.keys()], limit)) {
    const all = wanted(table.database);
    for (const { replicationNum, partitions } of all || also ? table.groups : []) {
      const declared = await declaredOf(sql, table, replicationNum, limit);
      if (all || also?.(declared)) {
        const rows = await replicaRows(sql, table, partitions, limit);
        yield tabletsIn(rows, { table: `${table.database}.${table.table}`, declared });
      }
    }
  }
}

/** Partitions named in one statement. */
const namesAtOnce = 200;

/**
 * Never with MISSING replicas in it: StarRocks sends their rows with 11 values for 13 columns, which no client can read
 * (MetadataViewer.getTabletStatus, 2.x to 3.4).
 */
const replicaRows = async (
  sql: Sql,
  name: DeclaredTable,
  partitions: readonly string[] | undefined,
  limit?: number,
): Promise<readonly Row[]> => {
  const chunks: (readonly string[])[] = [];
  for (let start = 0; start < (partitions?.length ?? 0); start += namesAtOnce) {
    chunks.push((partitions ?? []).slice(start, start + namesAtOnce));
  }
  const rows: Row[] = [];
  for (const chunk of partitions ? chunks : [[]]) {
    const of = chunk.length > 0 ? ` PARTITION (${chunk.map(quotedPart).join(", ")})` : "";
    const answer = await unlessGone(() =>
      sql
        .query(`ADMIN SHOW REPLICA STATUS FROM ${quotedName(name)}${of} WHERE STATUS != 'MISSING'`, [], limit)
        .catch((error: unknown) => {
          if (error instanceof SqlError && /is not OLAP table/i.test(error.answer)) {
            return viewReplicas(sql, name, partitions && chunk, limit);
          }
          throw error;
        }),
    );
    for (const row of answer ?? []) {
      rows.push(row);
    }
  }
  return rows;
};

const tabletsIn = (rows: readonly Row[], of: Pick<Tablet, "table" | "declared">): readonly Tablet[] => {
  const tablets = new Map<string, { backendId: string; sound: boolean }[]>();
  for (const { TabletId, BackendId, Status, State } of rows) {
    const id = TabletId ?? "";
    const replicas = tablets.get(id) ?? [];
    replicas.push({ backendId: BackendId ?? "", sound: Status === "OK" && !passing.has(State ?? "") });
    tablets.set(id, replicas);
  }
  return [...tablets].map(([id, replicas]) => ({ id, replicas, ...of }));
};

/** States of a replica that comes or goes. */
const passing = new Set(["CLONE", "DECOMMISSION", "RECOVER"]);
