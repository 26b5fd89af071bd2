import { allTablets, type Column, type Database, type Table, type WriteQuorum } from "../catalog/state.js";
import { insertRows } from "../data/write.js";
import { propose, takeIds } from "../frontend.js";
import { createTable, dropTables } from "../leader/tables.js";
import { SqlError } from "./error.js";
import { cancelSchemaChange, modifyColumn } from "./schema-changes.js";
import { type Context, done, type Result, type Statement } from "./statement.js";
import type { Tokens } from "./tokens.js";

export const findDatabase = ({ fe, session }: Context, name: string | undefined): Database => {
  const wanted = name ?? session.database;
  if (wanted === undefined) {
    throw new SqlError("No database selected", 1046, "3D000");
  }
  const found = fe.catalog.state.databases.find((database) => database.name === wanted);
  if (found === undefined) {
    throw new SqlError(`Unknown database '${wanted}'`, 1049, "42000");
  }
  return found;
};

export const findTable = (
  context: Context,
  target: { readonly database?: string; readonly name: string },
): { database: Database; table: Table } => {
  const database = findDatabase(context, target.database);
  const table = database.tables.find(({ name }) => name === target.name);
  if (table === undefined) {
    throw new SqlError(`Unknown table '${database.name}.${target.name}'`, 5502, "42S02");
  }
  return { database, table };
};

const createDatabase = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  const quietly = tokens.accept("IF", "NOT", "EXISTS");
  const name = tokens.identifier();
  tokens.end();
  if (fe.catalog.state.databases.some((database) => database.name === name)) {
    if (quietly) {
      return done;
    }
    throw new SqlError(`Can't create database '${name}'; database exists`, 1007, "HY000");
  }
  await propose(fe, { type: "createDatabase", database: { id: takeIds(fe, 1), name, tables: [] } });
  return done;
};

const dropDatabase = async (context: Context, tokens: Tokens): Promise<Result> => {
  const { fe } = context;
  const quietly = tokens.accept("IF", "EXISTS");
  const name = tokens.identifier();
  tokens.accept("FORCE");
  tokens.end();
  const database = fe.catalog.state.databases.find((other) => other.name === name);
  if (database === undefined) {
    if (quietly) {
      return done;
    }
    throw new SqlError(`Can't drop database '${name}'; database doesn't exist`, 1008, "HY000");
  }
  const { tables } = database;
  await propose(fe, { type: "dropDatabase", id: database.id });
  await dropTables(fe, tables);
  return done;
};

const keysTypes = ["DUPLICATE", "PRIMARY", "UNIQUE", "AGGREGATE"] as const;

const readColumn = (tokens: Tokens): Column => {
  const name = tokens.identifier();
  const type = tokens.identifier().toLowerCase();
  let size = "";
  if (tokens.accept("(")) {
    const sizes = tokens.list(() => tokens.anything());
    tokens.expect(")");
    size = `(${sizes.join(",")})`;
  }
  while (!tokens.atEnd && tokens.peek() !== "," && tokens.peek() !== ")") {
    tokens.skip();
  }
  return { name, type: `${type}${size}` };
};

const readQuorum = (value: string | undefined): WriteQuorum => {
  const quorum = (value ?? "MAJORITY").toUpperCase();
  if (quorum === "MAJORITY" || quorum === "ONE" || quorum === "ALL") {
    return quorum;
  }
  throw new SqlError(`Unknown write quorum: ${value}`);
};

const createTableStatement = async (context: Context, tokens: Tokens): Promise<Result> => {
  const { fe } = context;
  const quietly = tokens.accept("IF", "NOT", "EXISTS");
  const { database: databaseName, name } = tokens.qualified();
  const database = findDatabase(context, databaseName);
  if (database.tables.some((table) => table.name === name)) {
    if (quietly) {
      return done;
    }
    throw new SqlError(`Table '${name}' already exists`, 1050, "42S01");
  }
  tokens.expect("(");
  const columns = tokens.list(() => readColumn(tokens));
  tokens.expect(")");
  let keysType: Table["keysType"] = "DUPLICATE";
  let buckets = 1;
  let properties: Record<string, string> = {};
  while (!tokens.atEnd) {
    const keys = keysTypes.find((type) => tokens.accept(type, "KEY"));
    if (keys !== undefined) {
      keysType = keys;
      tokens.skipParenthesis();
    } else if (tokens.accept("ENGINE", "=") || tokens.accept("COMMENT")) {
      tokens.anything();
    } else if (tokens.accept("DISTRIBUTED", "BY", "HASH")) {
      tokens.skipParenthesis();
    } else if (tokens.accept("DISTRIBUTED", "BY", "RANDOM")) {
    } else if (tokens.accept("BUCKETS")) {
      buckets = tokens.integer();
    } else if (tokens.accept("PROPERTIES")) {
      properties = tokens.properties();
    } else {
      throw tokens.error();
    }
  }
  const replicationNum = Number(properties.replication_num ?? fe.config.text("default_replication_num"));
  if (!Number.isInteger(replicationNum) || replicationNum < 1) {
    throw new SqlError("Replication num should be greater than 0");
  }
  const writeQuorum = readQuorum(properties.write_quorum);
  await createTable(fe, database, { name, columns, keysType, buckets, replicationNum, writeQuorum, properties });
  return done;
};

const dropTable = async (context: Context, tokens: Tokens): Promise<Result> => {
  const quietly = tokens.accept("IF", "EXISTS");
  const target = tokens.qualified();
  tokens.accept("FORCE");
  tokens.end();
  const database = findDatabase(context, target.database);
  const table = database.tables.find(({ name }) => name === target.name);
  if (table === undefined && quietly) {
    return done;
  }
  if (table === undefined) {
    throw new SqlError(`Unknown table '${database.name}.${target.name}'`, 5502, "42S02");
  }
  await propose(context.fe, { type: "dropTable", tableId: table.id });
  await dropTables(context.fe, [table]);
  return done;
};

const alterTable = async (context: Context, tokens: Tokens): Promise<Result> => {
  const found = findTable(context, tokens.qualified());
  if (tokens.accept("MODIFY", "COLUMN")) {
    return modifyColumn(context, found, tokens);
  }
  const { table } = found;
  tokens.expect("SET");
  const properties = tokens.properties();
  tokens.end();
  const replicationNum = Number(properties.replication_num ?? properties["default.replication_num"]);
  if (!Number.isInteger(replicationNum)) {
    throw new SqlError("Unknown properties");
  }
  await propose(context.fe, { type: "setReplication", tableId: table.id, replicationNum });
  return done;
};

const cancelAlterTable = async (context: Context, tokens: Tokens): Promise<Result> => {
  const found = findTable(context, tokens.qualified());
  tokens.end();
  return cancelSchemaChange(context, found);
};

const insert = async (context: Context, tokens: Tokens): Promise<Result> => {
  const { table } = findTable(context, tokens.qualified());
  let order = table.columns.map(({ name }) => name);
  if (tokens.accept("(")) {
    order = tokens.list(() => tokens.identifier());
    tokens.expect(")");
  }
  tokens.expect("VALUES");
  const rows = tokens.list(() => {
    tokens.expect("(");
    const values = tokens.list(() => tokens.value());
    tokens.expect(")");
    if (values.length !== order.length) {
      throw new SqlError("Getting analyzing error. Detail message: Column count doesn't match value count.");
    }
    return table.columns.map(({ name }) => values[order.indexOf(name)] ?? null);
  });
  tokens.end();
  await insertRows(context.fe, context.locks, table, rows);
  const label = `insert_${process.hrtime.bigint().toString(16)}`;
  return {
    affected: rows.length,
    info: `{'label':'${label}', 'status':'VISIBLE', 'txnId':'${context.fe.group.applied}'}`,
  };
};

const replicaStatus = (context: Context, tokens: Tokens): Result => {
  const { fe } = context;
  const { table } = findTable(context, tokens.qualified());
  if (tokens.accept("PARTITION")) {
    tokens.skipParenthesis();
  }
  let wanted = (_status: string): boolean => true;
  if (tokens.accept("WHERE", "STATUS")) {
    const equal = !tokens.accept("!=");
    if (equal) {
      tokens.expect("=");
    }
    const value = tokens.string();
    wanted = (status) => (status === value) === equal;
  }
  tokens.end();
  const rows = table.tablets.flatMap((tablet) => {
    const existing = tablet.replicas.map((replica) => {
      const node = fe.catalog.state.nodes.find(({ id }) => id === replica.backendId);
      let status = "OK";
      if (node?.alive !== true || node.decommissioned || replica.bad) {
        status = "DEAD";
      } else if (replica.version < tablet.version || replica.lastFailedVersion > 0) {
        status = "VERSION_ERROR";
      }
      const { id, backendId, version, lastFailedVersion, lastSuccessVersion, bad, state } = replica;
      const numbers = [tablet.id, id, backendId, version, lastFailedVersion, lastSuccessVersion, tablet.version, 0, 1];
      return [...numbers.map(String), String(bad), "false", state, status];
    });
    // 11 values for 13 columns, as MetadataViewer.getTabletStatus has it: no client can read such a row.
    const missing = [String(tablet.id), ...Array<string>(7).fill("-1"), "NULL", "NULL", "MISSING"];
    const lacking = Math.max(0, table.replicationNum - tablet.replicas.length);
    return [...existing, ...Array<string[]>(lacking).fill(missing)];
  });
  const columns =
    "TabletId ReplicaId BackendId Version LastFailedVersion LastSuccessVersion CommittedVersion SchemaHash VersionNum IsBad IsSetBadForce State Status";
  return { columns: columns.split(" "), rows: rows.filter((row) => wanted(row.at(-1) ?? "")) };
};

/** `ADMIN SET REPLICA STATUS PROPERTIES("tablet_id" = "10003", "backend_id" = "10001", "status" = "bad")` */
const setReplicaStatus = async (context: Context, tokens: Tokens): Promise<Result> => {
  const { tablet_id: tabletId, backend_id: backendId, status } = tokens.properties();
  tokens.end();
  if (status !== "bad") {
    throw new SqlError(`Do not support setting replica status as ${status}`);
  }
  const found = allTablets(context.fe.catalog.state).find(({ tablet }) => String(tablet.id) === tabletId);
  const replica = found?.tablet.replicas.find((one) => String(one.backendId) === backendId);
  if (found !== undefined && replica !== undefined) {
    const ids = { tabletId: found.tablet.id, replicaId: replica.id };
    await propose(context.fe, { type: "reported", ...ids, version: replica.version, bad: true });
  }
  return done;
};

const showPartitions = (context: Context, tokens: Tokens): Result => {
  const { table } = findTable(context, tokens.qualified());
  const version = Math.max(1, ...table.tablets.map((tablet) => tablet.version));
  const columns =
    "PartitionId PartitionName VisibleVersion VisibleVersionHash State PartitionKey Range DistributionKey Buckets ReplicationNum StorageMedium DataSize";
  const key = table.columns[0]?.name ?? "";
  const cells = [
    table.partitionId,
    table.name,
    version,
    0,
    "NORMAL",
    "",
    "",
    key,
    table.tablets.length,
    table.replicationNum,
    "HDD",
    "0B",
  ];
  return { columns: columns.split(" "), rows: [cells.map(String)] };
};

const showCreateTable = (context: Context, tokens: Tokens): Result => {
  const { table } = findTable(context, tokens.qualified());
  const columns = table.columns.map(({ name, type }) => `  \`${name}\` ${type} NULL COMMENT ""`).join(",\n");
  const key = `\`${table.columns[0]?.name ?? ""}\``;
  const quorum = table.writeQuorum === "MAJORITY" ? "" : `,\n"write_quorum" = "${table.writeQuorum}"`;
  const text = `CREATE TABLE \`${table.name}\` (\n${columns}\n) ENGINE=OLAP \n${table.keysType} KEY(${key})\nDISTRIBUTED BY HASH(${key}) BUCKETS ${table.tablets.length} \nPROPERTIES (\n"replication_num" = "${table.replicationNum}"${quorum}\n);`;
  return { columns: ["Table", "Create Table"], rows: [[table.name, text]] };
};

const showTablet = (context: Context, tokens: Tokens): Result => {
  const id = tokens.integer();
  const found = allTablets(context.fe.catalog.state).find(({ tablet }) => tablet.id === id);
  if (found === undefined) {
    throw new SqlError(`Unknown tablet: ${id}`);
  }
  const { database, table } = found;
  const cells = [
    database.name,
    table.name,
    table.name,
    table.name,
    database.id,
    table.id,
    table.partitionId,
    table.indexId,
  ];
  const columns = "DbName TableName PartitionName IndexName DbId TableId PartitionId IndexId";
  return { columns: columns.split(" "), rows: [cells.map(String)] };
};

export const tableStatements: readonly Statement[] = [
  { words: "CREATE DATABASE", runsOn: "leader", run: createDatabase },
  { words: "DROP DATABASE", runsOn: "leader", run: dropDatabase },
  { words: "CREATE TABLE", runsOn: "leader", run: createTableStatement },
  { words: "DROP TABLE", runsOn: "leader", run: dropTable },
  { words: "ALTER TABLE", runsOn: "leader", run: alterTable },
  { words: "CANCEL ALTER TABLE COLUMN FROM", runsOn: "leader", run: cancelAlterTable },
  { words: "INSERT INTO", runsOn: "leader", run: insert },
  { words: "ADMIN SHOW REPLICA STATUS FROM", runsOn: "here", admin: true, run: replicaStatus },
  { words: "ADMIN SET REPLICA STATUS PROPERTIES", runsOn: "leader", admin: true, run: setReplicaStatus },
  { words: "SHOW PARTITIONS FROM", runsOn: "here", run: showPartitions },
  { words: "SHOW CREATE TABLE", runsOn: "here", run: showCreateTable },
  { words: "SHOW TABLET", runsOn: "here", run: showTablet },
];
