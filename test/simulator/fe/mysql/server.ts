import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { SqlError } from "../sql/error.js";
import type { Result, Session } from "../sql/statement.js";
import {
  authSwitch,
  errorPacket,
  frame,
  greeting,
  type Login,
  nativePassword,
  okPacket,
  readLogin,
  resultPackets,
} from "./packets.js";

const command = {
  quit: 0x01,
  useDatabase: 0x02,
  query: 0x03,
  fieldList: 0x04,
  statistics: 0x09,
  ping: 0x0e,
  setOption: 0x1b,
  reset: 0x1f,
};

export interface MysqlHandlers {
  readonly version: () => string;
  /** Hex of SHA1(SHA1(password)), "" for none, undefined for no such user. */
  readonly passwordHash: (user: string) => string | undefined;
  readonly execute: (session: Session, sql: string) => Promise<Result>;
  /** Refuses a login by throwing: an unknown database. */
  readonly connected: (session: Session) => Promise<void>;
}

const sha1 = (...parts: readonly Buffer[]): Buffer => {
  const hash = createHash("sha1");
  for (const part of parts) {
    hash.update(part);
  }
  return hash.digest();
};

/** mysql_native_password: the client proves SHA1(password) masked by what we know. */
const isRightPassword = (stored: string, salt: Buffer, scramble: Buffer): boolean => {
  if (stored === "") {
    return scramble.length === 0;
  }
  if (scramble.length !== 20) {
    return false;
  }
  const known = Buffer.from(stored, "hex");
  const mask = sha1(salt, known);
  const once = Buffer.from(scramble.map((byte, index) => byte ^ (mask[index] ?? 0)));
  return sha1(once).equals(known);
};

const newSalt = (): Buffer => Buffer.from(randomBytes(20).map((byte) => 33 + (byte % 90)));

let lastId = 0;

class Connection {
  readonly #socket: net.Socket;
  readonly #handlers: MysqlHandlers;
  readonly #id = ++lastId;
  readonly #salt = newSalt();
  #received = Buffer.alloc(0);
  #sequence = 0;
  #login: Login | undefined;
  #session: Session | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(socket: net.Socket, handlers: MysqlHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.#session !== undefined) {
        this.#session.closed = true;
      }
    });
    socket.on("data", (chunk) => this.#take(chunk));
    this.#send(greeting(this.#id, handlers.version(), this.#salt));
  }

  #send(...payloads: readonly Buffer[]): void {
    if (this.#socket.destroyed) {
      return;
    }
    this.#socket.write(Buffer.concat(payloads.map((payload) => frame(payload, this.#sequence++))));
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const length = this.#received.readUIntLE(0, 3);
      if (this.#received.length < 4 + length) {
        return;
      }
      const sequence = this.#received.readUInt8(3);
      const payload = this.#received.subarray(4, 4 + length);
      this.#received = this.#received.subarray(4 + length);
      this.#queue = this.#queue.then(() => this.#handle(payload, sequence));
    }
  }

  async #handle(payload: Buffer, sequence: number): Promise<void> {
    this.#sequence = sequence + 1;
    try {
      if (this.#session !== undefined) {
        await this.#command(this.#session, payload);
      } else {
        await this.#authenticate(payload);
      }
    } catch (error) {
      const known =
        error instanceof SqlError ? error : new SqlError(`Unexpected exception: ${(error as Error).message}`, 1064);
      this.#send(errorPacket(known.code, known.state, known.message));
    }
  }

  async #authenticate(payload: Buffer): Promise<void> {
    const switched = this.#login !== undefined;
    const login = this.#login === undefined ? readLogin(payload) : { ...this.#login, scramble: payload };
    this.#login = login;
    if (!switched && login.plugin !== undefined && login.plugin !== nativePassword) {
      return this.#send(authSwitch(this.#salt));
    }
    const stored = this.#handlers.passwordHash(login.user);
    const { user, database, scramble } = login;
    if (stored === undefined || !isRightPassword(stored, this.#salt, scramble)) {
      const using = scramble.length > 0 ? "YES" : "NO";
      const remote = this.#socket.remoteAddress ?? "";
      this.#send(errorPacket(1045, "28000", `Access denied for user '${user}'@'${remote}' (using password: ${using})`));
      this.#socket.end();
      return;
    }
    const remoteHost = this.#socket.remoteAddress ?? "";
    const session = { id: this.#id, user, remoteHost, database, variables: new Map(), closed: false };
    await this.#handlers.connected(session);
    this.#session = session;
    this.#send(okPacket());
  }

  async #command(session: Session, payload: Buffer): Promise<void> {
    const body = payload.toString("utf8", 1);
    switch (payload.readUInt8(0)) {
      case command.quit:
        this.#socket.end();
        return;
      case command.ping:
      case command.setOption:
      case command.reset:
        return this.#send(okPacket());
      case command.useDatabase:
        await this.#handlers.execute(session, `USE \`${body}\``);
        return this.#send(okPacket());
      case command.query:
        return this.#send(...resultPackets(await this.#handlers.execute(session, body)));
      case command.fieldList:
        return this.#send(okPacket());
      default:
        throw new SqlError(`Unsupported command(${payload.readUInt8(0)})`, 1047, "08S01");
    }
  }
}

/** A MySQL server: password login, text protocol. */
export const createMysqlServer = (handlers: MysqlHandlers): net.Server =>
  net.createServer((socket) => {
    new Connection(socket, handlers);
  });
