import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Connection } from "../../../../provider/host/connection.js";
import { until } from "../../../../provider/wait.js";
import { beforeExit } from "./cleanup.js";
import { killMarked, markVariable, signalTree } from "./processes.js";
import { type KeyPair, keyPair, temporaryFolder } from "./ssh-keys.js";

export interface Sshd {
  readonly folder: string;
  readonly port: number;
  readonly hostKey: KeyPair;
  readonly userKey: KeyPair;
  readonly connection: Connection;
  /** How often somebody logged in so far. */
  logins(): number;
  log(): string;
  /** Ends the server and every connection to it. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops its processes where they are, so that it answers nothing and closes nothing. */
  freeze(): void;
}

const binary = "/usr/sbin/sshd";

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") {
    throw new Error("Expected a port of the loopback interface.");
  }
  return address.port;
};

/** A real OpenSSH server on loopback, with keys and a log of its own; `lines` go into its sshd_config. */
export const startSshd = async (lines: readonly string[] = [], hostKeyType = "ed25519"): Promise<Sshd> => {
  if (!existsSync(binary)) {
    throw new Error(`These tests need OpenSSH's server at ${binary}: run \`npm run setup\`.`);
  }
  const folder = temporaryFolder();
  const hostKey = keyPair(folder, "host", hostKeyType);
  const userKey = keyPair(folder, "user");
  const port = await freePort();
  const logFile = join(folder, "log");
  writeFileSync(join(folder, "authorized_keys"), `${userKey.public}\n`);
  writeFileSync(join(folder, "known_hosts"), `[127.0.0.1]:${port} ${hostKey.public}\n`);
  const config = [
    // First come first served: what a test sets wins.
    ...lines,
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${hostKey.path}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    "StrictModes no",
    "PidFile none",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "LogLevel VERBOSE",
    // A bash that seems to be nested does not read `.bashrc`, which on a developer's machine may take half a second.
    `SetEnv SHLVL=2 ${markVariable}=${folder}`,
  ];
  writeFileSync(join(folder, "sshd_config"), `${config.join("\n")}\n`);
  if (process.getuid?.() === 0) {
    mkdirSync("/run/sshd", { recursive: true });
  }
  let child: ChildProcess | undefined;
  const killAll = () => {
    signalTree(child?.pid, "SIGKILL");
    killMarked(folder);
  };
  beforeExit(killAll);

  const sshd: Sshd = {
    folder,
    port,
    hostKey,
    userKey,
    connection: {
      host: "127.0.0.1",
      port,
      user: userInfo().username,
      privateKey: userKey.private,
      knownHosts: join(folder, "known_hosts"),
      dialErrorLimit: 1,
    },
    log: () => readFileSync(logFile, "utf8"),
    logins: () => readFileSync(logFile, "utf8").match(/^Accepted \w+ for /gm)?.length ?? 0,
    async start() {
      child = spawn(binary, ["-D", "-f", join(folder, "sshd_config"), "-E", logFile], { detached: true });
      await until(() => answers(port), { what: "sshd to answer", limit: 10_000, every: 20 });
    },
    freeze() {
      signalTree(child?.pid, "SIGSTOP");
    },
    async stop() {
      await end(child);
      killMarked(folder);
    },
  };
  await sshd.start();
  return sshd;
};

const answers = async (port: number) => {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "data");
    return { done: true, value: undefined } as const;
  } catch (error) {
    return { done: false, seen: String(error) } as const;
  } finally {
    socket.destroy();
  }
};

const end = async (child: ChildProcess | undefined): Promise<void> => {
  if (child && child.exitCode === null && child.signalCode === null) {
    const gone = once(child, "exit");
    signalTree(child.pid, "SIGKILL");
    await gone;
  }
};
