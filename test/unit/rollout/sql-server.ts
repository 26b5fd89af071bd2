import { createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { type Connection, createServer } from "mysql2";

const sha1 = (...parts: readonly Buffer[]): Buffer => {
  const hash = createHash("sha1");
  for (const part of parts) {
    hash.update(part);
  }
  return hash.digest();
};

/** What the server keeps of a password: `*` and SHA1(SHA1(password)), nothing of an empty one. */
export const hashOf = (password: string): string =>
  password === ""
    ? ""
    : `*${sha1(sha1(Buffer.from(password)))
        .toString("hex")
        .toUpperCase()}`;

/** Whether the token of `mysql_native_password` is of the password that was hashed. */
const fits = (token: Buffer, nonce: Buffer, hash: string): boolean => {
  if (hash === "") {
    return token.length === 0;
  }
  const stored = Buffer.from(hash.slice(1), "hex");
  const mask = sha1(nonce, stored);
  return Buffer.compare(sha1(Buffer.from(token.map((byte, index) => byte ^ (mask[index] ?? 0)))), stored) === 0;
};

interface Login {
  readonly authPluginData1: Buffer;
  readonly authPluginData2: Buffer;
  readonly authToken: Buffer;
}

/** An FE as seen by SQL: it checks root's password, and answers, or is silent. */
export class SqlServer {
  port = 0;
  passwordHash = "";
  /** It takes statements and never answers, as an FE whose group has no leader. */
  silent = false;
  readonly statements: string[] = [];
  logins = 0;
  readonly #server = createServer(() => undefined);
  readonly #sockets = new Set<Socket>();

  async start(): Promise<this> {
    this.#server.on("connection", (connection: Connection & { stream: Socket }) => {
      this.#sockets.add(connection.stream);
      connection.on("error", () => undefined);
      // Each exchange counts its packets from 0; mysql2 leaves that to the server's author.
      const { _resetSequenceId: reset } = connection as unknown as { _resetSequenceId: () => void };
      connection.serverHandshake({
        protocolVersion: 10,
        serverVersion: "8.0.33",
        connectionId: 1,
        statusFlags: 2,
        characterSet: 33,
        capabilityFlags: 0x0008_f7df,
        authCallback: (login: Login, answer: (error: null, refusal?: object) => void) => {
          this.logins += 1;
          const nonce = Buffer.concat([login.authPluginData1, login.authPluginData2]).subarray(0, 20);
          const right = fits(login.authToken, nonce, this.passwordHash);
          answer(null, right ? undefined : { code: 1045, message: "Access denied for user 'root'" });
          reset.call(connection);
        },
      });
      const asked = (statement: string) => {
        this.statements.push(statement);
        this.passwordHash = /^SET PASSWORD FOR 'root'@'%' = '(.*)'/.exec(statement)?.[1] ?? this.passwordHash;
        if (!this.silent) {
          connection.writeOk();
        }
        reset.call(connection);
      };
      connection.on("query", asked);
      // mysql2's server takes any text that starts with SET for a prepared statement.
      connection.on("stmt_prepare", asked);
    });
    const { _server: tcp } = this.#server as unknown as { _server: Server };
    this.#server.listen(0);
    await once(tcp, "listening");
    this.port = (tcp.address() as AddressInfo).port;
    return this;
  }

  /** Ends all sessions; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#sockets.clear();
  }

  stop(): void {
    this.#server.close(() => undefined);
    this.cut();
  }
}
