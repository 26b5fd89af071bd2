import { setTimeout as sleep } from "node:timers/promises";
import { canRead, leaderRow } from "../frontend.js";
import { NotLeader } from "../group/waiters.js";
import { javaError } from "../leader/errors.js";
import { type Forwarded, forwardTo } from "../rpc.js";
import { configStatements } from "./config.js";
import { SqlError } from "./error.js";
import { showBackends, showComputeNodes, showFrontends } from "./nodes.js";
import { procRunsOnLeader, procStatements } from "./proc.js";
import { queryStatements } from "./queries.js";
import type { Context, Engine, Result, Session, Statement } from "./statement.js";
import { systemStatements } from "./system.js";
import { tableStatements } from "./tables.js";
import { Tokens } from "./tokens.js";
import { userStatements } from "./users.js";

const onLeader = (words: string, run: Statement["run"]): Statement => ({ words, runsOn: "leader", admin: true, run });

const brokerColumns = ["Name", "IP", "Port", "Alive", "LastStartTime", "LastUpdateTime", "ErrMsg"];

/** Longest first, so that `SHOW BACKEND BLACKLIST` is not taken for something shorter. */
const statements: readonly Statement[] = [
  onLeader("SHOW FRONTENDS", showFrontends),
  onLeader("SHOW BACKENDS", showBackends),
  onLeader("SHOW COMPUTE NODES", showComputeNodes),
  onLeader("SHOW BROKER", () => ({ columns: brokerColumns, rows: [] })),
  ...systemStatements,
  ...configStatements,
  ...procStatements,
  ...queryStatements,
  ...tableStatements,
  ...userStatements,
].sort((a, b) => b.words.length - a.words.length);

const pollMs = 50;
const refusedMs = 3000;
const syncMs = 10_000;

/** As a real FE does when it cannot answer: it does not. Returns when `condition` holds, throws when the client left. */
const hangUntil = async (session: Session, condition: () => boolean): Promise<void> => {
  while (!condition()) {
    if (session.closed) {
      throw new SqlError("the client is gone");
    }
    await sleep(pollMs);
  }
};

const find = (sql: string): { readonly statement: Statement; readonly tokens: Tokens } => {
  const tokens = new Tokens(sql);
  if (tokens.atEnd) {
    throw new SqlError("Empty statement", 1065, "42000");
  }
  const statement = statements.find(({ words }) => tokens.accept(...words.split(" ")));
  if (statement === undefined) {
    throw tokens.error();
  }
  return { statement, tokens };
};

const checkRights = ({ fe, session }: Context, statement: Statement): void => {
  if (statement.admin && fe.catalog.state.users[session.user]?.admin !== true) {
    throw new SqlError(
      "Access denied; you need (at least one of) the OPERATE privilege(s) on SYSTEM for this operation. Please ask the admin to grant permission(s) or try activating existing roles using <set [default] role>.",
      5203,
      "42000",
    );
  }
};

const runHere = async (context: Context, sql: string): Promise<Result> => {
  const { statement, tokens } = find(sql);
  checkRights(context, statement);
  try {
    return await statement.run(context, tokens);
  } catch (error) {
    if (error instanceof NotLeader) {
      throw new SqlError("Internal error: the leadership was lost");
    }
    throw error;
  }
};

/** Follows the real one through an election: errors while the old leader is remembered, then silence until there is a new one. */
const forward = async (context: Context, sql: string): Promise<Result> => {
  const { fe, session } = context;
  if (fe.group.state === "DETACHED") {
    throw new SqlError("Internal error processing forward");
  }
  const unknownFor = () => performance.now() - (fe.lifecycle.unknownSince ?? performance.now());
  if (fe.group.leader === undefined && unknownFor() < refusedMs) {
    throw new SqlError("java.net.ConnectException: Connection refused");
  }
  await hangUntil(session, () => fe.group.leader !== undefined);
  if (fe.group.isLeader()) {
    return runHere(context, sql);
  }
  const row = leaderRow(fe);
  if (row === undefined) {
    throw new SqlError("Internal error processing forward");
  }
  const database = session.database === undefined ? {} : { database: session.database };
  let forwarded: Forwarded;
  let maxJournalId: number;
  try {
    // A leader that has not been heard from since it was elected is reached where it listens by its own configuration.
    const port = row.rpcPort || fe.ports.rpc;
    const request = { user: session.user, sql, ...database };
    ({ forwarded, maxJournalId } = await forwardTo(fe, row.host, port, request));
  } catch (error) {
    throw new SqlError(javaError(error));
  }
  await Promise.race([fe.group.whenApplied(maxJournalId), sleep(syncMs)]);
  if ("error" in forwarded) {
    throw new SqlError(forwarded.error.message, forwarded.error.code, forwarded.error.state);
  }
  return forwarded.result;
};

/** Runs one statement of a session, wherever it has to run. */
export const execute = async (engine: Engine, session: Session, sql: string): Promise<Result> => {
  const { fe } = engine;
  const context: Context = { ...engine, session };
  const slow = fe.faults.find("slowSql");
  if (slow !== undefined) {
    await sleep(slow.ms);
  }
  await hangUntil(session, () => fe.faults.find("hangSql") === undefined);
  const { statement } = find(sql);
  checkRights(context, statement);
  if (fe.group.isLeader()) {
    await hangUntil(session, () => !fe.group.isLeader() || fe.group.hasQuorum());
  }
  const leaderOnly = statement.runsOn === "leader" || procRunsOnLeader(sql, session.variables);
  if (leaderOnly && !fe.group.isLeader()) {
    return forward(context, sql);
  }
  if (!leaderOnly && !canRead(fe)) {
    throw new SqlError("Frontend is not ready: meta is out of date");
  }
  return runHere(context, sql);
};

/** A statement that another FE passed on. */
export const executeForwarded = async (
  engine: Engine,
  request: { user: string; database?: string; sql: string },
): Promise<Forwarded> => {
  const session: Session = {
    id: 0,
    user: request.user,
    remoteHost: "",
    database: request.database,
    variables: new Map(),
    closed: false,
  };
  try {
    if (!engine.fe.group.isLeader()) {
      throw new Error("not the leader");
    }
    await hangUntil(session, () => !engine.fe.group.isLeader() || engine.fe.group.hasQuorum());
    return { result: await runHere({ ...engine, session }, request.sql) };
  } catch (error) {
    if (!(error instanceof SqlError)) {
      throw error;
    }
    const { message, code, state } = error;
    return { error: { message, code, state } };
  }
};
