import { setTimeout as sleep } from "node:timers/promises";
import mysql, { type Connection } from "mysql2/promise";

export interface Contact {
  readonly host: string;
  /** Default: 9030. */
  readonly port?: number;
}

export interface Login {
  /** Any of the cluster's FEs; the next one is tried after a failure. */
  readonly frontends: readonly Contact[];
  /** Default: root. */
  readonly user?: string;
  /** Default: none. */
  readonly password?: string;
  /** A statement, or a login, that takes longer has failed: without a majority an FE hangs. Default: 3000. */
  readonly timeoutMs?: number;
}

const standardPort = 9030;
const standardTimeoutMs = 3000;

/** One connection at a time to one FE of several; any failure drops it, and the next statement goes to the next FE. */
export class Session {
  readonly #login: Login;
  #next: number;
  #connection: Connection | undefined;

  constructor(login: Login, first = 0) {
    this.#login = login;
    this.#next = first;
  }

  /** Runs a statement once: no retry. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    const { timeoutMs = standardTimeoutMs } = this.#login;
    const abort = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: abort.signal }).then(() => {
      throw new Error(`no answer within ${timeoutMs} ms`);
    });
    try {
      const connection = this.#connection ?? (await Promise.race([this.#connect(timeoutMs), late]));
      const [rows] = await Promise.race([connection.query(sql), late]);
      return rows as unknown as Record<string, unknown>[];
    } catch (error) {
      this.close();
      this.#next += 1;
      throw error;
    } finally {
      abort.abort();
      late.catch(() => undefined);
    }
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  async #connect(connectTimeout: number): Promise<Connection> {
    const { frontends, user = "root", password = "" } = this.#login;
    const { host, port = standardPort } = frontends[this.#next % frontends.length] ?? { host: "" };
    const connection = await mysql.createConnection({ host, port, user, password, connectTimeout });
    connection.on("error", () => undefined);
    this.#connection = connection;
    return connection;
  }
}
