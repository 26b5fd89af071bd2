import type { Duplex } from "node:stream";
import type { Connection, ConnectionOptions, QueryError, QueryOptions } from "mysql2";
import { TransientError, UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { seconds } from "../wait.js";

/** One row of an answer: every value as the text that StarRocks sent, SQL NULL as null. */
export type Row = Readonly<Record<string, string | null>>;

/** The values of a row in the order of the statement's columns, whose names may be numbers, or the same twice. */
export type Values = readonly (string | null)[];

/** One SQL session with one FE. */
export interface Sql {
  /** For people: `10.0.0.11:9030`. */
  readonly name: string;
  /**
   * Runs one statement; `?` in it stands for the values, escaped on this side. Answers the rows, none for a statement that
   * gives none. Gives up after `limit` milliseconds and ends the session: an FE without a leader does not answer at all.
   */
  query(statement: string, values?: readonly unknown[], limit?: number): Promise<readonly Row[]>;
  /** The same for a statement of somebody else, of whose columns nothing is known. */
  table(statement: string, limit?: number): Promise<readonly Values[]>;
  close(): void;
}

export interface SqlOptions {
  /** The FE as seen from the host the tunnel ends on. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  /** Milliseconds for tunnel and login. Default 10 s. */
  readonly connectLimit?: number;
  /** Milliseconds for each statement unless it says otherwise. Default 10 s. */
  readonly limit?: number;
}

/** StarRocks refused a statement. */
export class SqlError extends UserError {
  constructor(
    message: string,
    /** `ER_…` name of the MySQL protocol; StarRocks uses ER_UNKNOWN_ERROR and ER_PARSE_ERROR for most things. */
    readonly code: string,
    /** What StarRocks said, alone. */
    readonly answer: string,
  ) {
    super(message);
  }
}

/** User or password is wrong, or the user lacks a privilege. */
export class AccessDenied extends SqlError {}

/** No answer in time; the session is over. */
export class SqlTimeout extends TransientError {}

/**
 * Both defaults: a live FE answers metadata statements in milliseconds and an election takes 1 to 2 s, while a group whose
 * leader was cut off is silent for some 40 s. Ten seconds tell the two apart without calling a busy FE dead.
 */
const limitDefault = 10_000;

/** Opens a session through the host's tunnel. Not being able to yet is a `TransientError`, a wrong login `AccessDenied`. */
export const connectSql = async (host: Host, options: SqlOptions): Promise<Sql> => {
  // Loaded here, as a preview has no use for it.
  const { createConnection } = await import("mysql2");
  const name = `${options.address}:${options.port}`;
  const connectLimit = options.connectLimit ?? limitDefault;
  const deadline = performance.now() + connectLimit;
  const timeout = () =>
    new SqlTimeout(
      `The frontend ${name} did not complete an SQL login within ${seconds(connectLimit)} (through ${host.name}).`,
    );
  const stream = await tunnel(host, options, connectLimit, timeout);
  const session = new Session(name, stream, options, createConnection);
  await session.login(Math.max(1, deadline - performance.now()), timeout);
  return session;
};

const tunnel = async (host: Host, options: SqlOptions, limit: number, timeout: () => Error): Promise<Duplex> => {
  const opening = host.connect(options.address, options.port);
  return bounded(opening, limit, timeout, () => {
    opening.then(
      (stream) => stream.destroy(),
      () => undefined,
    );
  });
};

class Session implements Sql {
  private readonly connection: Connection;
  /** Why the session is over, once it is. */
  private ended: Error | undefined;
  private endAll: (reason: Error) => void = () => undefined;
  /** Fails when the session ends: mysql2 forgets the statements under way of a connection that it destroys. */
  private readonly end: Promise<never>;

  constructor(
    readonly name: string,
    private readonly stream: Duplex,
    private readonly options: SqlOptions,
    createConnection: (options: ConnectionOptions) => Connection,
  ) {
    this.end = new Promise((_, reject) => {
      this.endAll = reject;
    });
    this.end.catch(() => undefined);
    this.connection = createConnection({
      stream,
      user: options.user,
      password: options.password ?? "",
      typeCast: (field) => field.string("utf8"),
      // Limits are kept here, for tunnel and login together; and no server may ask for local files.
      connectTimeout: 0,
      flags: ["-LOCAL_FILES"],
    });
    this.connection.on("error", (error: Error) => this.finish(this.translate(error)));
  }

  async login(limit: number, timeout: () => Error): Promise<void> {
    const greeted = new Promise<void>((resolve) => this.connection.once("connect", () => resolve()));
    await this.orEnd(greeted, limit, timeout);
  }

  async query(statement: string, values: readonly unknown[] = [], limit?: number): Promise<readonly Row[]> {
    const rows = (await this.ask({ sql: statement, values: [...values] }, limit)) as readonly Row[];
    return rows.map((row) => ({ ...row }));
  }

  async table(statement: string, limit?: number): Promise<readonly Values[]> {
    return (await this.ask({ sql: statement, rowsAsArray: true }, limit)) as readonly Values[];
  }

  private async ask(question: QueryOptions, limit: number | undefined): Promise<readonly unknown[]> {
    if (this.ended) {
      throw this.ended;
    }
    const most = limit ?? this.options.limit ?? limitDefault;
    const answered = new Promise<readonly unknown[]>((resolve, reject) => {
      this.connection.query(question, (error, rows) => {
        if (error) {
          reject(this.translate(error, question.sql));
        } else {
          resolve(Array.isArray(rows) ? rows : []);
        }
      });
    });
    const timeout = () =>
      new SqlTimeout(
        `${quoted(question.sql)} got no answer from the frontend ${this.name} within ${seconds(most)}. ` +
          "A frontend group without a leader does not answer.",
      );
    return this.orEnd(answered, most, timeout);
  }

  close(): void {
    this.finish(new TransientError(`The SQL session with ${this.name} was closed.`));
  }

  private orEnd<T>(promise: Promise<T>, limit: number, timeout: () => Error): Promise<T> {
    return bounded(Promise.race([promise, this.end]), limit, timeout, (error) => this.finish(error));
  }

  private finish(reason: Error): void {
    this.ended ??= reason;
    this.endAll(this.ended);
    this.connection.destroy();
    // mysql2 ends the stream politely; a server that does not answer would keep it open.
    this.stream.destroy();
  }

  private translate(error: Error & Partial<QueryError>, statement?: string): Error {
    const answer = this.withoutPassword(error.message);
    const code = error.code ?? "";
    const about =
      statement === undefined
        ? `SQL login as ${this.options.user} on ${this.name}`
        : `${quoted(statement)} on ${this.name}`;
    if (deniedCodes.has(code) || /^Access denied/i.test(answer)) {
      const advice = "Check `sql.user` and `sql.password`, and that the user has the role cluster_admin.";
      return new AccessDenied(`${about}: ${answer}. ${advice}`, code, answer);
    }
    // Errors of the wire have no number of the MySQL protocol.
    return typeof error.errno !== "number" || error.errno <= 0 || passingPattern.test(answer)
      ? new TransientError(`${about}: ${answer}`)
      : new SqlError(`${about} failed: ${answer}`, code, answer);
  }

  private withoutPassword(text: string): string {
    const { password } = this.options;
    return password ? text.replaceAll(password, "***") : text;
  }
}

const deniedCodes = new Set(["ER_ACCESS_DENIED_ERROR", "ER_DBACCESS_DENIED_ERROR", "ER_SPECIFIC_ACCESS_DENIED_ERROR"]);

/** What passes: a follower's words while its leader goes away and the next one is elected (seen on 3.5.7), and a busy FE. */
const passingPattern = new RegExp(
  [
    "Connection reset|Connection refused|Socket is closed by peer|Broken pipe|Internal error processing forward",
    "Failed to acquire (?:globalStateMgr|catalog) lock|(?:leader|master) (?:is )?not (?:ready|found|exist)",
    // StarRocks issues 5822, 9278, 17575, 17928.
    "Cannot open null host|Failed to get (?:leader|master) client|UnknownMasterException|Could not determine master",
    "Too many connections|Reach limit of connections",
  ].join("|"),
  "i",
);

const quoted = (statement: string): string => `"${statement.length > 200 ? `${statement.slice(0, 200)}…` : statement}"`;

/** The promise, or the timeout's error after `limit` milliseconds, when `giveUp` must free what is still held. */
const bounded = async <T>(
  promise: Promise<T>,
  limit: number,
  timeout: () => Error,
  giveUp: (error: Error) => void,
): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const alarm = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = timeout();
      // Reject first: giving up fails the promise itself, and the timeout is the better story.
      reject(error);
      giveUp(error);
    }, limit);
  });
  try {
    return await Promise.race([promise, alarm]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
};
