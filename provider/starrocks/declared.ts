import { type Row, type Sql, SqlError } from "./sql.js";
import type { Declared, WriteQuorum } from "./tablet.js";
import { atLeast, type Version } from "./versions.js";

/** A table or materialized view with tablets of its own. */
export interface TableName {
  readonly database: string;
  readonly table: string;
}

/** Its partitions with one replication number; none are named where all partitions have it. */
export interface PartitionGroup {
  readonly replicationNum: number;
  readonly partitions?: readonly string[];
}

export interface DeclaredTable extends TableName {
  readonly groups: readonly PartitionGroup[];
}

/** `` `sales`.`orders` `` */
export const quotedName = ({ database, table }: TableName): string => `${quotedPart(database)}.${quotedPart(table)}`;

export const quotedPart = (name: string): string => `\`${name}\``;

/**
 * Every table with the replication of its partitions, which counts, not that of the table, which is for new partitions.
 * information_schema leaves out what the user may not see; so `databases`, those with tablets, that it does not have are
 * asked for by name, and a missing privilege is told instead of taken for safety.
 */
export const declaredTables = async (
  sql: Sql,
  version: Version,
  databases: readonly string[],
  limit?: number,
): Promise<readonly DeclaredTable[]> => {
  if (!atLeast(version, "3.3.0")) {
    return fromShow(sql, databases, limit);
  }
  try {
    const tables = await fromPartitionsMeta(sql, limit);
    const seen = new Set(tables.map(({ database }) => database));
    const unseen = databases.filter((database) => !seen.has(database));
    return unseen.length === 0 ? tables : [...tables, ...(await fromShow(sql, unseen, limit))];
  } catch (error) {
    // A BE scans information_schema: while none can, the FEs know it too, only slower.
    if (error instanceof SqlError && /backend|compute node|rpc failed/i.test(error.answer)) {
      return fromShow(sql, databases, limit);
    }
    throw error;
  }
};

/** Up to 2.x a database may be called by its cluster too: `default_cluster:sales`. */
export const plainName = (name: string | null | undefined): string => (name ?? "").replace(/^default_cluster:/, "");

/** One aggregate over all partitions; names of partitions only where they differ. */
const fromPartitionsMeta = async (sql: Sql, limit?: number): Promise<readonly DeclaredTable[]> => {
  const rows = await sql.query(
    "SELECT DB_NAME, TABLE_NAME, min(REPLICATION_NUM) AS fewest, max(REPLICATION_NUM) AS most " +
      "FROM information_schema.partitions_meta WHERE IS_TEMP = 0 GROUP BY DB_NAME, TABLE_NAME",
    [],
    limit,
  );
  const tables: DeclaredTable[] = [];
  for (const row of rows) {
    const [database, table] = [row.DB_NAME ?? "", row.TABLE_NAME ?? ""];
    const groups =
      row.fewest === row.most
        ? [{ replicationNum: Number(row.most) }]
        : await mixedGroups(sql, { database, table }, limit);
    tables.push({ database, table, groups });
  }
  return tables;
};

const mixedGroups = async (
  sql: Sql,
  { database, table }: TableName,
  limit?: number,
): Promise<readonly PartitionGroup[]> => {
  const rows = await sql.query(
    "SELECT PARTITION_NAME, REPLICATION_NUM FROM information_schema.partitions_meta " +
      "WHERE DB_NAME = ? AND TABLE_NAME = ? AND IS_TEMP = 0",
    [database, table],
    limit,
  );
  return groupsOf(rows, "PARTITION_NAME", "REPLICATION_NUM");
};

const groupsOf = (rows: readonly Row[], nameColumn: string, numberColumn: string): readonly PartitionGroup[] => {
  const groups = new Map<number, Set<string>>();
  for (const row of rows) {
    const replicationNum = Number(row[numberColumn]);
    groups.set(replicationNum, (groups.get(replicationNum) ?? new Set()).add(row[nameColumn] ?? ""));
  }
  const all = [...groups].map(([replicationNum, partitions]) => ({ replicationNum, partitions: [...partitions] }));
  return all.length === 1 ? all.map(({ replicationNum }) => ({ replicationNum })) : all;
};

/** From the FEs alone: a statement per database and per table. */
const fromShow = async (sql: Sql, databases: readonly string[], limit?: number): Promise<readonly DeclaredTable[]> => {
  const tables: DeclaredTable[] = [];
  for (const { DbId, DbName } of await sql.query("SHOW PROC '/dbs'", [], limit)) {
    const database = plainName(DbName);
    if (!databases.includes(database)) {
      continue;
    }
    for (const { TableName, Type } of await sql.query(`SHOW PROC '/dbs/${Number(DbId)}'`, [], limit)) {
      if (Type !== "OLAP" && Type !== "MATERIALIZED_VIEW") {
        continue;
      }
      const name = { database, table: TableName ?? "" };
      const rows = await unlessGone(() => sql.query(`SHOW PARTITIONS FROM ${quotedName(name)}`, [], limit));
      if (rows) {
        tables.push({ ...name, groups: groupsOf(rows, "PartitionName", "ReplicationNum") });
      }
    }
  }
  return tables;
};

/** Undefined for a table that was dropped since it was listed. */
export const unlessGone = async <T>(question: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await question();
  } catch (error) {
    if (error instanceof SqlError && /unknown (?:table|database)|does ?n[o']t exist|not exsit/i.test(error.answer)) {
      return undefined;
    }
    throw error;
  }
};

const quorums = new WeakMap<Sql, Map<string, WriteQuorum>>();

/**
 * What SHOW CREATE TABLE says: `write_quorum` is printed when it is not MAJORITY. A statement per table, so each table is
 * asked for once in a session, and none whose single replica makes it all the same.
 */
export const declaredOf = async (
  sql: Sql,
  name: TableName,
  replicationNum: number,
  limit?: number,
): Promise<Declared> => {
  if (replicationNum <= 1) {
    return { replicationNum, writeQuorum: "MAJORITY" };
  }
  const known = quorums.get(sql) ?? new Map<string, WriteQuorum>();
  quorums.set(sql, known);
  const key = quotedName(name);
  let writeQuorum = known.get(key);
  if (writeQuorum === undefined) {
    const [row] = (await unlessGone(() => sql.query(`SHOW CREATE TABLE ${key}`, [], limit))) ?? [];
    writeQuorum = quorumIn(Object.values(row ?? {}).join("\n"));
    known.set(key, writeQuorum);
  }
  return { replicationNum, writeQuorum };
};

const quorumIn = (statement: string): WriteQuorum => {
  const said = /"write_quorum"\s*=\s*"(\w+)"/i.exec(statement)?.[1]?.toUpperCase();
  return said === "ALL" || said === "ONE" ? said : "MAJORITY";
};
