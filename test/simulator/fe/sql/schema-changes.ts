import type { Database, SchemaChange, Table } from "../catalog/state.js";
import { propose, takeIds } from "../frontend.js";
import { formatTime } from "../log.js";
import { SqlError } from "./error.js";
import { type Context, done, type Engine, type Result } from "./statement.js";
import type { Tokens } from "./tokens.js";

type Place = { readonly database: Database; readonly table: Table };

/** A change that rewrites the table's data: an asynchronous job. What the column becomes is not looked at. */
export const modifyColumn = async ({ fe }: Context, { database, table }: Place, tokens: Tokens): Promise<Result> => {
  tokens.identifier();
  while (!tokens.atEnd) {
    tokens.skip();
  }
  const id = takeIds(fe, 1);
  const job: SchemaChange = {
    id,
    databaseId: database.id,
    tableName: table.name,
    createdAt: Date.now(),
    finishedAt: null,
    state: "RUNNING",
  };
  await propose(fe, { type: "schemaChange", job });
  return done;
};

/** `CANCEL ALTER TABLE COLUMN FROM db.t` */
export const cancelSchemaChange = async ({ fe }: Context, { database, table }: Place): Promise<Result> => {
  const job = fe.catalog.state.schemaChanges.find(
    ({ databaseId, state, tableName }) => databaseId === database.id && tableName === table.name && state === "RUNNING",
  );
  if (job === undefined) {
    throw new SqlError(`Table[${table.name}] is not under SCHEMA_CHANGE.`);
  }
  await propose(fe, { type: "endSchemaChange", id: job.id, state: "CANCELLED", at: Date.now() });
  return done;
};

const columns =
  "JobId TableName CreateTime FinishTime IndexName IndexId OriginIndexId SchemaVersion TransactionId State Msg Progress Timeout";

/** `SHOW PROC '/jobs/<database id>/schema_change'` */
export const schemaChangesOf = ({ fe }: Pick<Engine, "fe">, databaseId: string): Result => {
  if (!/^\d+$/.test(databaseId)) {
    throw new SqlError(`Invalid db id format: ${databaseId}`);
  }
  if (!fe.catalog.state.databases.some(({ id }) => String(id) === databaseId)) {
    throw new SqlError(`Database[${databaseId}] does not exist.`);
  }
  const jobs = fe.catalog.state.schemaChanges.filter((job) => String(job.databaseId) === databaseId);
  return {
    columns: columns.split(" "),
    rows: jobs.map(({ id, tableName, createdAt, finishedAt, state }) => [
      String(id),
      tableName,
      formatTime(createdAt),
      finishedAt === null ? "NULL" : formatTime(finishedAt),
      tableName,
      String(id),
      String(id),
      "1:1",
      "-1",
      state,
      "",
      state === "RUNNING" ? "0/1" : "N/A",
      "86400",
    ]),
  };
};
