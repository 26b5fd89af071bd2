import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AuthContext, Server, type ServerChannel, type Connection as ServerConnection } from "ssh2";
import type { Connection } from "../../../../provider/host/connection.js";
import { beforeExit } from "./cleanup.js";
import { killMarked, markVariable } from "./processes.js";
import { type KeyPair, keyPair, temporaryFolder } from "./ssh-keys.js";

export interface ServerOptions {
  readonly authenticate?: (context: AuthContext) => void;
  /** Environment of the commands, e.g. a PATH with a fake program. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called for each command, before it runs. */
  readonly onCommand?: (command: string, client: ServerConnection) => void;
}

export interface TestServer {
  readonly port: number;
  readonly hostKey: KeyPair;
  readonly connection: Connection;
  readonly clients: Set<ServerConnection>;
  stop(): Promise<void>;
}

/** An SSH server in this process, for faults that OpenSSH does not have: it runs commands and knows no SFTP. */
export const startServer = async (options: ServerOptions = {}): Promise<TestServer> => {
  const folder = temporaryFolder();
  const hostKey = keyPair(folder, "host");
  const clients = new Set<ServerConnection>();
  const server = new Server({ hostKeys: [hostKey.private] }, (client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    client.on("error", () => undefined);
    client.on("authentication", options.authenticate ?? ((context) => context.accept()));
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        options.onCommand?.(command, client);
        runFor(command, acceptExec(), { ...options.env, [markVariable]: folder });
      });
    });
  });
  beforeExit(() => killMarked(folder));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("Expected a port of the loopback interface.");
  }
  const { port } = address;
  return {
    port,
    hostKey,
    clients,
    connection: {
      host: "127.0.0.1",
      port,
      user: "tester",
      password: "secret",
      hostKey: hostKey.public,
      dialErrorLimit: 1,
    },
    async stop() {
      killMarked(folder);
      for (const client of clients) {
        client.end();
      }
      server.close();
      await once(server, "close");
    },
  };
};

const runFor = (command: string, channel: ServerChannel, env: Readonly<Record<string, string>>): void => {
  const child = spawn("/bin/sh", ["-c", command], { env: { ...process.env, ...env } });
  channel.pipe(child.stdin).on("error", () => undefined);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.on("error", () => undefined);
  child.on("close", (code, signal) => {
    if (signal) {
      channel.exit(signal.replace("SIG", ""));
    } else {
      channel.exit(code ?? 0);
    }
    channel.end();
  });
};
