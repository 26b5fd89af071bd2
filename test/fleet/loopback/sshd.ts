import { timingSafeEqual } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import { duplexPair } from "node:stream";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import type { KeyPair } from "../keys.js";
import { Link } from "../link.js";
import type { Slowness } from "../types.js";
import { type Environment, serveSession } from "./session.js";

export interface SshdOptions {
  readonly address: string;
  readonly oneAddress: boolean;
  readonly user: string;
  readonly password: string | undefined;
  /** Public keys that may log in. */
  readonly publicKeys: readonly string[];
  readonly maxSessions: number;
  readonly hostKey: KeyPair;
}

/** A host's SSH server. Between the TCP connection and the protocol is a `Link`, by which the network is slow or cut. */
export class Sshd {
  private hostKey: KeyPair;
  private environment: Environment = { home: "/", variables: {}, nofile: undefined };
  private refusesAuth = false;
  private port = 0;
  private listener: Server | undefined;
  private readonly connections = new Map<Socket, Link>();
  private cut = false;
  private silent = false;
  private slowness: Slowness = {};

  constructor(
    private readonly options: SshdOptions,
    private readonly onLogin: () => void,
  ) {
    this.hostKey = options.hostKey;
  }

  /** Listens: the first time at a free port, later at the same one, which it gives. */
  async listen(): Promise<number> {
    if (this.listener) {
      return this.port;
    }
    const listener = createServer((socket) => this.accept(socket));
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject).listen(this.port, this.options.address, resolve);
    });
    const address = listener.address();
    this.port = typeof address === "object" && address ? address.port : 0;
    this.listener = listener;
    return this.port;
  }

  /** Refuses new connections from now on; the open ones go on. */
  stopListening(): void {
    this.listener?.close();
    this.listener = undefined;
  }

  /** For logins from now on. */
  setHostKey(hostKey: KeyPair): void {
    this.hostKey = hostKey;
  }

  setRefusesAuth(refuses: boolean): void {
    this.refusesAuth = refuses;
  }

  /** What sessions get from now on. */
  setEnvironment(environment: Environment): void {
    this.environment = environment;
  }

  setCut(cut: boolean): void {
    this.cut = cut;
    this.updateLinks();
  }

  /** As a machine without power: connections are neither answered nor ended. */
  powerOff(): void {
    this.silent = true;
    this.updateLinks();
  }

  /** As a machine that has just started: it knows nothing of earlier connections and says so. */
  powerOn(): void {
    this.silent = false;
    this.dropAll();
  }

  slow(slowness: Slowness): void {
    this.slowness = slowness;
    for (const link of this.connections.values()) {
      link.slowness = { ...slowness };
    }
  }

  dropAll(): void {
    for (const socket of this.connections.keys()) {
      socket.resetAndDestroy();
    }
  }

  private updateLinks(): void {
    for (const link of this.connections.values()) {
      link.setCut(this.cut || this.silent);
    }
  }

  private accept(socket: Socket): void {
    socket.setNoDelay();
    const [near, far] = duplexPair();
    const link = new Link(socket, near, this.slowness);
    this.connections.set(socket, link);
    socket.on("close", () => {
      this.connections.delete(socket);
      // Past a cut link no end gets through, and the server would keep the connection for ever.
      near.destroy();
      far.destroy();
    });
    link.setCut(this.cut || this.silent);
    // The ident makes clients use OpenSSH's packet sizes.
    const server = new ssh2.Server({ hostKeys: [this.hostKey.private], ident: "OpenSSH_9.2p1 fleet" }, (client) =>
      this.serve(client),
    );
    // ssh2 asks of it what any duplex stream has; its types say more.
    server.injectSocket(far as unknown as Socket);
  }

  private serve(client: Connection): void {
    let sessions = 0;
    client.on("error", () => {});
    client.on("authentication", (context) => this.authenticate(context));
    client.on("session", (accept, reject) => {
      if (sessions >= this.options.maxSessions) {
        reject();
        return;
      }
      sessions++;
      const session = accept();
      session.on("close", () => {
        sessions--;
      });
      serveSession(session, () => this.environment);
    });
    client.on("tcpip", (accept, reject, { destIP, destPort }) => this.forward(destIP, destPort, accept, reject));
  }

  private authenticate(context: AuthContext): void {
    const { user, password } = this.options;
    const methods = password === undefined ? (["publickey"] as const) : (["publickey", "password"] as const);
    const good = !this.refusesAuth && context.username === user && this.proves(context);
    if (good) {
      // Counted before the client knows; a key without a signature is only asked about.
      if (context.method !== "publickey" || context.signature) {
        this.onLogin();
      }
      context.accept();
    } else {
      context.reject([...methods]);
    }
  }

  private proves(context: AuthContext): boolean {
    if (context.method === "password") {
      return this.options.password !== undefined && context.password === this.options.password;
    }
    if (context.method !== "publickey") {
      return false;
    }
    const known = this.options.publicKeys
      .map((text) => ssh2.utils.parseKey(text))
      .find((key) => !(key instanceof Error) && sameBytes(key.getPublicSSH(), context.key.data));
    if (!known || known instanceof Error) {
      return false;
    }
    // Without a signature the client only asks whether this key would do.
    return (
      !context.signature ||
      (context.blob !== undefined && known.verify(context.blob, context.signature, context.hashAlgo) === true)
    );
  }

  /** Goes out from the host's own address; what the host calls localhost is that address. */
  private forward(destination: string, port: number, accept: () => ServerChannel, reject: () => void): void {
    const { address, oneAddress } = this.options;
    const host = destination === "localhost" || destination === "127.0.0.1" ? address : destination;
    const socket = connect({ host, port, ...(oneAddress ? {} : { localAddress: address }) });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      const channel = accept();
      for (const stream of [socket, channel]) {
        stream.on("error", () => {});
      }
      channel.on("close", () => socket.destroy());
      socket.on("close", () => channel.end());
      socket.pipe(channel).pipe(socket);
    });
  }
}

const sameBytes = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);
