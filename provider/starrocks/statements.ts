import { createHash } from "node:crypto";
import { TransientError, UserError } from "../error.js";
import type { Frontend } from "./show.js";
import { AccessDenied, type Sql, SqlError } from "./sql.js";

export { type Backend, type Frontend, showBackends, showComputeNodes, showFrontends } from "./show.js";
export { isNewer, parseStarRocksTime } from "./time.js";

/** How a statement that must be repeatable ended: it changed something, or nothing was left to change. */
export type Outcome = "done" | "already";

/** `10.0.0.11:9010`, or `[fd00::11]:9010`. */
export const endpoint = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** What ADD and DROP call an FE: one that leads votes, as a follower does. */
export const roleWord = (role: Frontend["role"]): "FOLLOWER" | "OBSERVER" =>
  role === "observer" ? "OBSERVER" : "FOLLOWER";

/**
 * `already` means that *a* frontend of this address exists: from 3.1 on StarRocks compares addresses, not ports and not
 * roles. Look at SHOW FRONTENDS to know which.
 */
export const addFrontend = (
  sql: Sql,
  role: Frontend["role"],
  address: string,
  port: number,
  limit?: number,
): Promise<Outcome> =>
  idempotent(sql, `ALTER SYSTEM ADD ${roleWord(role)} ?`, endpoint(address, port), frontendExists, limit);

/** Takes an FE out of the group. Its process lives on and still answers: stop it. The leader cannot be dropped. */
export const dropFrontend = (
  sql: Sql,
  role: Frontend["role"],
  address: string,
  port: number,
  limit?: number,
): Promise<Outcome> =>
  idempotent(sql, `ALTER SYSTEM DROP ${roleWord(role)} ?`, endpoint(address, port), frontendMissing, limit);

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

/** `already` where the cluster has let the BE go by now. One that is not being decommissioned is no error for StarRocks. */
export const cancelDecommission = (sql: Sql, address: string, port: number, limit?: number): Promise<Outcome> =>
  idempotent(sql, "CANCEL DECOMMISSION BACKEND ?", endpoint(address, port), backendMissing, limit);

// The wordings of 2.0 to 4.0. "FOLLOWER does not exist" is left out: then the node is there, with the other role. And
// "Compute node already exists" is no answer to ADD BACKEND: then the other kind of node has the address.
const frontendExists = /FE with the same host:? .*already exists|frontend already exists/i;
const frontendMissing = /frontend does not exist/i;
const backendExists = /backend already exists/i;
const backendMissing = /backend does not exist/i;

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
