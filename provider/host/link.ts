import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import { messageOf, TransientError, UserError } from "../error.js";
import { seconds } from "../wait.js";
import { connectionDefaults, type LinkSettings, nameOf } from "./connection.js";
import { UnreachableError } from "./errors.js";
import { Slots } from "./slots.js";

/** OpenSSH's default `MaxSessions` is 10; two are left for whoever shares the connection's limit with us. */
const sessionLimit = 8;
/** Tunnels do not count against MaxSessions; this many mean that someone forgets to close them. */
const tunnelLimit = 256;
/** Signs of life in a row that may stay without an answer. */
const missedLimit = 3;

/** A connection that is up: its sessions and tunnels, until it is lost. */
class Live {
  readonly sessions = new Slots(sessionLimit);
  tunnels = 0;
  lost: UnreachableError | undefined;
  private readonly timer: NodeJS.Timeout;
  private missed = 0;
  private problem = "";

  constructor(
    private readonly name: string,
    readonly client: Client,
    readonly stream: Duplex,
    interval: number,
    onLost: () => void,
  ) {
    client.on("error", (error) => {
      this.problem = error.message;
    });
    // "end" comes first when the host hangs up, "close" when the stream breaks; channels hear of it only after these.
    client.on("end", () => this.lose(onLost)).on("close", () => this.lose(onLost));
    this.timer = setInterval(() => this.ping(interval), interval).unref();
  }

  /** ssh2's own keepalive holds the process alive, so an idle connection would never let it end. */
  private ping(interval: number): void {
    if (this.missed >= missedLimit) {
      this.problem = `no sign of life for ${seconds(interval * missedLimit)}`;
      this.stream.destroy();
      return;
    }
    this.missed += 1;
    try {
      // A forwarding that does not exist: every server answers that it cannot cancel it, and the answer is all we want.
      this.client.unforwardIn("127.0.0.1", 1, () => {
        this.missed = 0;
      });
    } catch {
      // The connection is just ending; its events say so.
    }
  }

  private lose(onLost: () => void): void {
    if (!this.lost) {
      const reason = this.problem ? ` (${this.problem})` : "";
      this.lost = new UnreachableError(`${this.name}: the connection was lost${reason}.`, "lost");
      clearInterval(this.timer);
      this.sessions.close(this.lost);
      onLost();
    }
  }
}

export type { Live };

/** One SSH connection for all who need it: dialled when first used, once, and again after a loss. */
export class Link {
  private live: Promise<Live> | undefined;
  private current: Live | undefined;
  private holders = 0;
  private releaseProxy: (() => void) | undefined;
  private closing = new AbortController();
  readonly name: string;

  constructor(
    readonly settings: LinkSettings,
    private readonly proxy?: Link,
  ) {
    this.name = nameOf(settings);
  }

  /** Runs on the live connection; while anything runs, the process is kept alive by it, and not longer. */
  async use<T>(work: (live: Live) => Promise<T>): Promise<T> {
    const release = this.hold();
    try {
      return await work(await this.connected());
    } finally {
      release();
    }
  }

  /** Starts a command when there is a slot; the slot is given back when the command's channel has closed. */
  session<T>(live: Live, line: string, onOpen: OnOpen<T>): Promise<T> {
    return withSlot(live, this.name, line, onOpen);
  }

  /** A TCP stream from the host, or `TransientError`. */
  async tunnel(address: string, port: number, limit: number): Promise<Duplex> {
    const release = this.hold();
    try {
      const live = await this.connected();
      if (live.tunnels >= tunnelLimit) {
        throw new UserError(`${this.name}: ${tunnelLimit} tunnels are open already; some are never closed.`);
      }
      const stream = await forward(live, this.name, address, port, limit);
      live.tunnels += 1;
      stream.once("close", () => {
        live.tunnels -= 1;
        release();
      });
      return stream;
    } catch (error) {
      release();
      throw error;
    }
  }

  hold(): () => void {
    this.holders += 1;
    this.referTo();
    let held = true;
    return () => {
      if (held) {
        held = false;
        this.holders -= 1;
        this.referTo();
      }
    };
  }

  /** Ends the connection in order, or the attempts to get one. Whoever needs it later dials again. */
  async close(): Promise<void> {
    this.closing.abort(new UnreachableError(`${this.name}: the connection was closed.`, "lost"));
    this.closing = new AbortController();
    const live = await this.live?.catch(() => undefined);
    if (live && !live.lost) {
      await new Promise<void>((resolve) => {
        live.client.once("close", () => resolve());
        live.client.end();
      });
    }
  }

  private connected(): Promise<Live> {
    if (!this.live) {
      const dialling = this.dial();
      this.live = dialling;
      dialling.catch(() => this.forget(dialling));
    }
    return this.live;
  }

  private async dial(): Promise<Live> {
    const { client, stream } = await this.dialled();
    const interval = (this.settings.keepaliveInterval ?? connectionDefaults.keepaliveInterval) * 1000;
    const live = new Live(this.name, client, stream, interval, () => this.forget(this.live));
    this.current = live;
    this.referTo();
    return live;
  }

  private async dialled() {
    const { proxy, settings } = this;
    const { signal } = this.closing;
    // With it ssh2 is loaded, which a preview has no use for.
    const { dial, directly } = await import("./dial.js");
    if (!proxy) {
      return dial(settings, directly(settings), signal);
    }
    // The proxy has tries of its own: when they are used up, ours would only multiply them.
    await proxy.use(async () => undefined);
    const port = settings.port ?? connectionDefaults.port;
    return dial(settings, (limit) => proxy.quietTunnel(settings.host, port, limit), signal);
  }

  /** A tunnel that does not by itself keep the process alive: the link inside holds this one when it is used. */
  private async quietTunnel(address: string, port: number, limit: number): Promise<Duplex> {
    try {
      return await this.use((live) => forward(live, this.name, address, port, limit));
    } catch (error) {
      if (error instanceof TransientError && !(error instanceof UnreachableError)) {
        throw new UnreachableError(error.message, "refused");
      }
      throw error;
    }
  }

  private forget(live: Promise<Live> | undefined): void {
    if (this.live === live) {
      this.live = undefined;
      this.current = undefined;
    }
  }

  private referTo(): void {
    const busy = this.holders > 0;
    if (this.proxy) {
      if (busy) {
        this.releaseProxy ??= this.proxy.hold();
      } else {
        this.releaseProxy?.();
        this.releaseProxy = undefined;
      }
    }
    const stream = this.current?.stream;
    if (stream && "ref" in stream && "unref" in stream) {
      const socket = stream as Duplex & { ref(): void; unref(): void };
      busy ? socket.ref() : socket.unref();
    }
  }
}

/** `asked`: when the host was asked for it (`performance.now()`); nothing of the command can have happened before. */
type OnOpen<T> = (channel: ClientChannel, asked: number) => T;

/** OpenSSH counts a session that has just closed until its next turn, so the first refusal may mean nothing. */
const refusalLimit = 3;

/**
 * Opens a session in a free slot. A host may allow fewer sessions than OpenSSH does by default: then we learn its number
 * and queue for the rest.
 */
const withSlot = async <T>(live: Live, name: string, line: string, onOpen: OnOpen<T>): Promise<T> => {
  for (;;) {
    const release = await live.sessions.acquire();
    let alone = true;
    let refusal: unknown;
    for (let refusals = 0; refusals < refusalLimit; refusals += 1) {
      alone &&= live.sessions.inUse === 1;
      try {
        return await exec(live.client, line, (channel, asked) => {
          channel.once("close", release);
          return onOpen(channel, asked);
        });
      } catch (error) {
        refusal = error;
        const failure = live.lost ?? sessionFailure(error, name);
        if (failure) {
          release();
          throw failure;
        }
      }
    }
    release();
    if (alone) {
      throw new UserError(`${name}: the host refuses to open a session (${messageOf(refusal)}).`);
    }
    live.sessions.shrink();
  }
};

/** Calls back at once, not by a promise: a command may have ended within the packet that says that it began. */
const exec = <T>(client: Client, line: string, onOpen: OnOpen<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const asked = performance.now();
    client.exec(line, (error, channel) => (error ? reject(error) : resolve(onOpen(channel, asked))));
  });

/** Undefined when the host may open a session later. */
const sessionFailure = (error: unknown, name: string): UserError | undefined => {
  const text = messageOf(error);
  if (text.includes("Channel open failure")) {
    return undefined;
  }
  return text === "Not connected"
    ? new UnreachableError(`${name}: the connection was lost.`, "lost")
    : new UserError(`${name}: the host does not run commands for this user (${text}).`);
};

type OpenFailure = Error & { readonly reason?: number };

/** `administratively prohibited` of RFC 4254. */
const prohibited = 1;

const forward = (live: Live, name: string, address: string, port: number, limit: number): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new TransientError(`${name}: no connection to ${address}:${port} within ${seconds(limit)}.`));
    }, limit);
    const done = (error: OpenFailure | undefined, channel: ClientChannel) => {
      clearTimeout(timer);
      if (late) {
        channel?.close();
      } else if (error) {
        reject(live.lost ?? tunnelFailure(error, name, address, port));
      } else {
        resolve(likeSocket(channel));
      }
    };
    try {
      live.client.forwardOut("127.0.0.1", 0, address, port, done);
    } catch (error) {
      done(error as Error, undefined as never);
    }
  });

const tunnelFailure = (error: OpenFailure, name: string, address: string, port: number): UserError =>
  error.reason === prohibited
    ? new UserError(
        `${name}: its sshd forbids the tunnel to ${address}:${port}. ` +
          "Set `AllowTcpForwarding yes` (or `local`) and no `PermitOpen` limit in the host's sshd_config.",
      )
    : new TransientError(`${name}: the connection to ${address}:${port} was refused.`);

const nothing = function (this: Duplex) {
  return this;
};

/** Clients of sockets call these; on a tunnel they have no meaning, or the meaning of the connection under it. */
const likeSocket = (channel: ClientChannel): Duplex => {
  channel.on("end", () => channel.end());
  channel.on("error", () => channel.close());
  const missing = { setKeepAlive: nothing, setNoDelay: nothing, setTimeout: nothing, ref: nothing, unref: nothing };
  return Object.assign(channel, missing, { destroySoon: () => channel.destroy() });
};
