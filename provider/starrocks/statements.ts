import { createHash } from "node:crypto";
import { TransientError, UserError } from "../error.js";
import { AccessDenied, type Row, type Sql, SqlError } from "./sql.js";

export interface Frontend {
  /** `<address>_<editLogPort>_<milliseconds>`: new each time the node joins. */
  readonly name: string;
  readonly address: string;
  readonly editLogPort: number;
  /** The answering FE's own setting, not that of the row. */
  readonly httpPort: number;
  /** 0 until the node was first heard. */
  readonly queryPort: number;
  readonly rpcPort: number;
  /** `unknown` while an election runs. */
  readonly role: "leader" | "follower" | "observer" | "unknown";
  readonly join: boolean;
  /** Old news: stays true for 13 to 20 s after a death, and through a restart that is quicker than that. */
  readonly alive: boolean;
  readonly replayedJournalId: number;
  readonly lastHeartbeat?: string;
  readonly errMsg: string;
  /** Absent when not alive, and for seconds after a leader's start. */
  readonly startTime?: string;
  /** `3.5.7-d2da301`. Keeps the old value while the node is down. */
  readonly version?: string;
  readonly clusterId: string;
}

/** A BE or a CN. */
export interface Backend {
  /** New each time the node is added. */
  readonly id: string;
  readonly address: string;
  readonly heartbeatPort: number;
  readonly bePort: number;
  readonly httpPort: number;
  readonly brpcPort: number;
  readonly alive: boolean;
  readonly decommissioned: boolean;
  /** 0 for a CN. */
  readonly tabletNum: number;
  readonly lastStartTime?: string;
  readonly lastHeartbeat?: string;
  readonly version?: string;
  readonly errMsg: string;
  /** `CONNECTING`, `OK`, `SHUTDOWN` or `DISCONNECTED`; 3.4 and newer. */
  readonly statusCode?: string;
  /** `rack:r1`, from the `labels.location` property; 3.3 and newer. */
  readonly location?: string;
}

export const showFrontends = async (sql: Sql, limit?: number): Promise<readonly Frontend[]> =>
  (await sql.query("SHOW FRONTENDS", [], limit)).map(frontendOf);

export const showBackends = async (sql: Sql, limit?: number): Promise<readonly Backend[]> =>
  (await sql.query("SHOW BACKENDS", [], limit)).map((row) => backendOf(row, "BackendId"));

export const showComputeNodes = async (sql: Sql, limit?: number): Promise<readonly Backend[]> =>
  (await sql.query("SHOW COMPUTE NODES", [], limit)).map((row) => backendOf(row, "ComputeNodeId"));

const frontendOf = (row: Row): Frontend => ({
  name: needed(row, "Name"),
  address: needed(row, "IP"),
  editLogPort: Number(needed(row, "EditLogPort")),
  httpPort: Number(needed(row, "HttpPort")),
  queryPort: Number(needed(row, "QueryPort")),
  rpcPort: Number(needed(row, "RpcPort")),
  role: roleOf(row),
  join: isTrue(row, "Join"),
  alive: isTrue(row, "Alive"),
  replayedJournalId: Number(needed(row, "ReplayedJournalId")),
  errMsg: textOf(row, "ErrMsg") ?? "",
  clusterId: needed(row, "ClusterId"),
  ...optional("lastHeartbeat", textOf(row, "LastHeartbeat")),
  ...optional("startTime", textOf(row, "StartTime")),
  ...optional("version", textOf(row, "Version")),
});

const backendOf = (row: Row, idColumn: string): Backend => ({
  id: needed(row, idColumn),
  address: needed(row, "IP"),
  heartbeatPort: Number(needed(row, "HeartbeatPort")),
  bePort: Number(needed(row, "BePort")),
  httpPort: Number(needed(row, "HttpPort")),
  brpcPort: Number(needed(row, "BrpcPort")),
  alive: isTrue(row, "Alive"),
  decommissioned: isTrue(row, "SystemDecommissioned") || isTrue(row, "ClusterDecommissioned"),
  tabletNum: Number(textOf(row, "TabletNum") ?? 0),
  errMsg: textOf(row, "ErrMsg") ?? "",
  ...optional("lastStartTime", textOf(row, "LastStartTime")),
  ...optional("lastHeartbeat", textOf(row, "LastHeartbeat")),
  ...optional("version", textOf(row, "Version")),
  ...optional("statusCode", textOf(row, "StatusCode")),
  ...optional("location", textOf(row, "Location")),
});

/** Up to 2.3 the leader is a FOLLOWER with IsMaster; from 3.1 on Role says LEADER. */
const roleOf = (row: Row): Frontend["role"] => {
  const role = needed(row, "Role").toUpperCase();
  if (role === "LEADER" || role === "MASTER" || isTrue(row, "IsMaster")) {
    return "leader";
  }
  if (role === "OBSERVER") {
    return "observer";
  }
  return role === "FOLLOWER" ? "follower" : "unknown";
};

/** A value; absent for a column that this version lacks, for NULL, for the text `NULL` that StarRocks sends, and for "". */
const textOf = (row: Row, column: string): string | undefined => {
  const value = row[column];
  return value === undefined || value === null || value === "NULL" || value === "" ? undefined : value;
};

const needed = (row: Row, column: string): string => {
  const value = textOf(row, column);
  if (value === undefined) {
    const columns = Object.keys(row).join(", ");
    throw new UserError(
      `Expected a column ${column} with a value in the frontend's answer, got the columns ${columns}.`,
    );
  }
  return value;
};

const isTrue = (row: Row, column: string): boolean => textOf(row, column)?.toLowerCase() === "true";

const optional = <K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: string });

/** How a statement that must be repeatable ended: it changed something, or nothing was left to change. */
export type Outcome = "done" | "already";

/** `10.0.0.11:9010`, or `[fd00::11]:9010`. */
export const endpoint = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/**
 * `already` means that *a* frontend of this address exists: from 3.1 on StarRocks compares addresses, not ports and not
 * roles. Look at SHOW FRONTENDS to know which.
 */
export const addFrontend = (
  sql: Sql,
  role: "follower" | "observer",
  address: string,
  port: number,
  limit?: number,
): Promise<Outcome> =>
  idempotent(sql, `ALTER SYSTEM ADD ${role.toUpperCase()} ?`, endpoint(address, port), frontendExists, limit);

/** Takes an FE out of the group. Its process lives on and still answers: stop it. The leader cannot be dropped. */
export const dropFrontend = (
  sql: Sql,
  role: "follower" | "observer",
  address: string,
  port: number,
  limit?: number,
): Promise<Outcome> =>
  idempotent(sql, `ALTER SYSTEM DROP ${role.toUpperCase()} ?`, endpoint(address, port), frontendMissing, limit);

export const addBackend = (sql: Sql, address: string, port: number, limit?: number): Promise<Outcome> =>
  idempotent(sql, "ALTER SYSTEM ADD BACKEND ?", endpoint(address, port), backendExists, limit);

export interface DropOptions {
  /** Also when a table would lose its only replica. StarRocks itself checks nothing else. */
  readonly force?: boolean;
}

export const dropBackend = (
  sql: Sql,
  address: string,
  port: number,
  { force = false }: DropOptions = {},
  limit?: number,
): Promise<Outcome> =>
  idempotent(
    sql,
    `ALTER SYSTEM DROP BACKEND ?${force ? " FORCE" : ""}`,
    endpoint(address, port),
    backendMissing,
    limit,
  );

/** Starts moving a BE's tablets away; its row disappears when none is left. Asking again is harmless. */
export const decommissionBackend = (sql: Sql, address: string, port: number, limit?: number): Promise<Outcome> =>
  idempotent(sql, "ALTER SYSTEM DECOMMISSION BACKEND ?", endpoint(address, port), backendMissing, limit);

export const cancelDecommission = (sql: Sql, address: string, port: number, limit?: number): Promise<Outcome> =>
  idempotent(sql, "CANCEL DECOMMISSION BACKEND ?", endpoint(address, port), backendMissing, limit);

export const addComputeNode = (sql: Sql, address: string, port: number, limit?: number): Promise<Outcome> =>
  idempotent(sql, "ALTER SYSTEM ADD COMPUTE NODE ?", endpoint(address, port), computeNodeExists, limit);

export const dropComputeNode = (sql: Sql, address: string, port: number, limit?: number): Promise<Outcome> =>
  idempotent(sql, "ALTER SYSTEM DROP COMPUTE NODE ?", endpoint(address, port), computeNodeMissing, limit);

// The wordings of 2.0 to 4.0. "FOLLOWER does not exist" is left out: then the node is there, with the other role. And
// "Compute node already exists" is no answer to ADD BACKEND: then the other kind of node has the address.
const frontendExists = /FE with the same host:? .*already exists|frontend already exists/i;
const frontendMissing = /frontend does not exist/i;
const backendExists = /backend already exists/i;
const backendMissing = /backend does not exist/i;
const computeNodeExists = /compute node already exists/i;
const computeNodeMissing = /compute node does not exist/i;

const idempotent = async (
  sql: Sql,
  statement: string,
  node: string,
  already: RegExp,
  limit: number | undefined,
): Promise<Outcome> => {
  try {
    await sql.query(statement, [node], limit);
    return "done";
  } catch (error) {
    if (error instanceof SqlError && already.test(error.answer)) {
      return "already";
    }
    // The message of an SqlError shows the statement with its `?`.
    throw error instanceof SqlError && !(error instanceof AccessDenied)
      ? new SqlError(
          `"${statement.replace("?", `'${node}'`)}" on ${sql.name} failed: ${error.answer}`,
          error.code,
          error.answer,
        )
      : error;
  }
};

/**
 * The version of the FE asked, `3.5.7-d2da301`. `current_version()` would ask any BE for its own; this is local to the FE and
 * works without BEs.
 */
export const versionComment = async (sql: Sql, limit?: number): Promise<string | undefined> => {
  const [row] = await sql.query("SELECT @@version_comment", [], limit);
  return (row && Object.values(row)[0]) ?? undefined;
};

/** Rolls the log and asks for a metadata image; it appears at the leader's next checkpoint, up to 60 s later. */
export const createImage = async (sql: Sql, limit?: number): Promise<void> => {
  await sql.query("ALTER SYSTEM CREATE IMAGE", [], limit);
};

/**
 * Sets the password of `root`. The statement carries the MySQL hash, so the password itself is in no audit log; and as the
 * hash is worth a login too, neither the statement nor StarRocks' answer, which may repeat it, gets into an error.
 */
export const setRootPassword = async (sql: Sql, password: string, limit?: number): Promise<void> => {
  try {
    await sql.query("SET PASSWORD FOR 'root'@'%' = ?", [nativePasswordHash(password)], limit);
  } catch (error) {
    const what = `Setting the password of root on ${sql.name} failed`;
    if (error instanceof AccessDenied) {
      throw new AccessDenied(
        `${what}: access denied. Check \`sql.user\` and \`sql.password\`.`,
        error.code,
        "Access denied",
      );
    }
    if (error instanceof TransientError) {
      throw new TransientError(`${what}: no answer from the frontend, or none in time.`);
    }
    throw new UserError(error instanceof SqlError ? `${what}: SQL error ${error.code}.` : `${what}.`);
  }
};

/** `*` and the hex of SHA1(SHA1(password)), what `PASSWORD()` of MySQL gives; "" for no password. */
export const nativePasswordHash = (password: string): string => {
  const sha1 = (data: string | Buffer): Buffer => createHash("sha1").update(data).digest();
  return password === "" ? "" : `*${sha1(sha1(password)).toString("hex").toUpperCase()}`;
};

/** Milliseconds of a time as StarRocks prints it, `2026-11-22 20:54:32`, in the unknown zone of the answering FE. */
export const parseStarRocksTime = (text: string): number | undefined => {
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text);
  if (!match) {
    return undefined;
  }
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
};

const hour = 3_600_000;

/**
 * Is `after` the start time of a newer process than `before`? Both are wall-clock texts of one unknown zone, so it is a new
 * one when it differs and is later, or is earlier by an hour at most: the end of daylight saving, or a corrected clock.
 * Anything much earlier is another zone's reading of some process, not a proof.
 */
export const isNewer = (before: string | undefined, after: string | undefined): boolean => {
  if (after === undefined || after === before) {
    return false;
  }
  const [was, is] = [before === undefined ? undefined : parseStarRocksTime(before), parseStarRocksTime(after)];
  return is !== undefined && (was === undefined || is > was - hour);
};
