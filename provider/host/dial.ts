import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "ssh2";
import { messageOf, UserError } from "../error.js";
import { seconds } from "../wait.js";
import { connectionDefaults, type LinkSettings, nameOf } from "./connection.js";
import { type Login, startLogin } from "./credentials.js";
import { AuthenticationError, HostKeyError, UnreachableError } from "./errors.js";
import { type HostKeyPolicy, hostKeyPolicy, without } from "./host-key.js";
import { keyType } from "./known-hosts.js";

/** A stream to the host's SSH port, not yet spoken on; how it is opened differs with and without a proxy. */
export type OpenStream = (limit: number) => Promise<Duplex> | Duplex;

/** A connection that logged in. */
export interface Dialled {
  readonly client: Client;
  readonly stream: Duplex;
}

/** Dials until it works, trying again only what may heal: never a refused login, never a wrong host key. */
export const dial = async (settings: LinkSettings, open: OpenStream, signal: AbortSignal): Promise<Dialled> => {
  const limit = settings.dialErrorLimit ?? connectionDefaults.dialErrorLimit;
  for (let tries = 1; ; tries += 1) {
    try {
      return await dialAnyKey(settings, open, signal);
    } catch (error) {
      if (!(error instanceof UnreachableError) || signal.aborted) {
        throw error;
      }
      if (limit !== -1 && tries >= limit) {
        throw new UnreachableError(tries > 1 ? `${error.message} Tried ${tries} times.` : error.message, error.reason);
      }
      await delay((settings.dialPause ?? connectionDefaults.dialPause) * 1000, undefined, { signal });
    }
  }
};

/** A fingerprint does not say of which key type it is, so the host is asked for another type until one fits. */
const dialAnyKey = async (settings: LinkSettings, open: OpenStream, signal: AbortSignal): Promise<Dialled> => {
  const policy = hostKeyPolicy(settings);
  let algorithms = policy.algorithms;
  let first: HostKeyError | undefined;
  for (;;) {
    const seen: { key?: Buffer } = {};
    try {
      return await dialOnce(settings, open, { ...policy, algorithms }, seen, signal);
    } catch (error) {
      if (!(error instanceof HostKeyError) || !policy.anyType || !seen.key) {
        // A host without a key of the types that are left says that there is nothing in common; the cause is the key.
        throw error instanceof UnreachableError || error instanceof AuthenticationError ? error : (first ?? error);
      }
      first ??= error;
      algorithms = without(algorithms, keyType(seen.key));
      if (algorithms.length === 0) {
        throw first;
      }
    }
  }
};

export const directly =
  ({ host, port }: LinkSettings): OpenStream =>
  () =>
    connect({ host, port: port ?? connectionDefaults.port, noDelay: true });

const dialOnce = async (
  settings: LinkSettings,
  open: OpenStream,
  policy: HostKeyPolicy,
  seen: { key?: Buffer },
  signal: AbortSignal,
): Promise<Dialled> => {
  signal.throwIfAborted();
  const login = startLogin(settings);
  const limit = (settings.perDialTimeout ?? connectionDefaults.perDialTimeout) * 1000;
  const stream = await open(limit);
  const client = new Client();
  let refusal: HostKeyError | undefined;
  const stage: Stage = { connected: !("connecting" in stream), greeted: false, proven: false };
  const abort = () => stream.destroy();
  signal.addEventListener("abort", abort);
  try {
    await new Promise<void>((resolve, reject) => {
      client.once("ready", resolve);
      client.once("connect", () => {
        stage.connected = true;
      });
      client.once("handshake", () => {
        stage.proven = true;
      });
      client.on("error", (error: SshError) => {
        if (error.level === "agent") {
          login.note(`The ssh-agent did not help: ${error.message}.`);
        } else {
          reject(refusal ?? failureOf(settings, error, stage, login, limit));
        }
      });
      client.once("close", () => reject(failureOf(settings, closedEarly, stage, login, limit)));
      client.on("change password", () =>
        reject(new AuthenticationError(`${nameOf(settings)}: the password has expired; change it on the host first.`)),
      );
      client.connect({
        // ssh2 takes any duplex stream; its types say less.
        sock: stream as Socket,
        username: settings.user ?? connectionDefaults.user,
        readyTimeout: limit,
        algorithms: { serverHostKey: [...policy.algorithms] as never[], compress: ["none"] },
        hostVerifier: (key: Buffer) => {
          seen.key = key;
          stage.greeted = true;
          refusal = policy.refusal(key);
          return refusal === undefined;
        },
        // The types want a callback and no result; ssh2 takes both, and `false` only as a result.
        authHandler: ((allowed: readonly string[] | null) => login.next(allowed)) as never,
      });
    });
  } catch (error) {
    client.destroy();
    stream.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return { client, stream };
};

/** How far a dial came. */
interface Stage {
  connected: boolean;
  greeted: boolean;
  proven: boolean;
}

type SshError = Error & { readonly level?: string; readonly code?: string | number };

const closedEarly: SshError = new Error("the connection was closed");

/** The reason 2 of RFC 4253, with which OpenSSH says that there were too many failed logins. */
const protocolError = 2;

const failureOf = (settings: LinkSettings, error: SshError, stage: Stage, login: Login, limit: number): UserError => {
  const name = nameOf(settings);
  if (error.level === "client-authentication" || (stage.proven && error.code === protocolError)) {
    const why = error.code === protocolError ? ` It said: ${error.message}.` : "";
    return new AuthenticationError(`${login.refusal()}${why}`);
  }
  if (error.level === "client-timeout") {
    return new UnreachableError(`${name}: ${lateness(stage)} within ${seconds(limit)}.`, "timeout");
  }
  if (error.level === "handshake") {
    return new UserError(`${name}: no common way to speak SSH was found: ${error.message}.`);
  }
  return networkFailure(settings, error, stage);
};

const lateness = (stage: Stage): string => {
  if (!stage.connected) {
    return "the host did not answer (is it up, and is the port open in every firewall?)";
  }
  return stage.proven ? "the login did not end" : "the port is open but nothing speaks SSH on it";
};

const networkFailure = (settings: LinkSettings, error: SshError, stage: Stage): UserError => {
  const name = nameOf(settings);
  switch (error.code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
      return new UnreachableError(`${name}: the name \`${settings.host}\` does not resolve (${error.code}).`, "dns");
    case "ECONNREFUSED":
      return new UnreachableError(`${name}: the connection was refused (is sshd running on that port?).`, "refused");
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
      return new UnreachableError(`${name}: there is no way to the host (${error.code}).`, "unreachable");
    case "ETIMEDOUT":
      return new UnreachableError(`${name}: ${lateness(stage)}.`, "timeout");
    default: {
      const when = stage.greeted ? "during the login" : "before the host said who it is";
      const text = messageOf(error).replace(/\.$/, "");
      return new UnreachableError(`${name}: the connection ended ${when} (${text}).`, "lost");
    }
  }
};
