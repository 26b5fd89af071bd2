import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { AuthContext } from "ssh2";
import { TransientError } from "../../../provider/error.js";
import type { Connection } from "../../../provider/host/connection.js";
import { AuthenticationError, HostKeyError, UnreachableError } from "../../../provider/host/errors.js";
import { closeAll, hostFor } from "../../../provider/host/pool.js";
import { until } from "../../../provider/wait.js";
import { Cleanup } from "./equipment/cleanup.js";
import { startServer } from "./equipment/server.js";
import { keyPair, temporaryFolder } from "./equipment/ssh-keys.js";
import { freePort, type Sshd, startSshd } from "./equipment/sshd.js";

const login = (connection: Connection) => hostFor(connection).run(["true"]);

const failure = async <T extends Error>(connection: Connection, kind: new (...args: never[]) => T): Promise<T> => {
  const error = await login(connection).then(
    () => new Error("logged in"),
    (caught) => caught,
  );
  assert.ok(error instanceof kind, `expected ${kind.name}, got ${error}`);
  return error;
};

describe("dial", function () {
  this.timeout(60_000);
  const cleanup = new Cleanup();
  afterEach(cleanup.run);

  const listen = async (
    answer: (socket: Socket) => void,
  ): Promise<{ readonly port: number; readonly tries: () => number }> => {
    let tries = 0;
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      tries += 1;
      sockets.add(socket);
      socket.on("error", () => undefined);
      answer(socket);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanup.add(() => {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
    });
    const address = server.address();
    return { port: address && typeof address !== "string" ? address.port : 0, tries: () => tries };
  };

  const server = async (authenticate: (context: AuthContext) => void) => {
    const started = await startServer({ authenticate });
    cleanup.add(started.stop);
    cleanup.add(closeAll);
    return started;
  };

  describe("a host that cannot be reached", () => {
    const base = { user: "tester", password: "secret", dialPause: 0.01, dialErrorLimit: 3 };

    it("refused: tries as often as allowed, then says so", async () => {
      const error = await failure({ ...base, host: "127.0.0.1", port: await freePort() }, UnreachableError);
      assert.equal(error.reason, "refused");
      assert.ok(error instanceof TransientError);
      assert.match(error.message, /^127\.0\.0\.1:\d+: the connection was refused .* Tried 3 times\.$/);
    });

    it("a name that does not resolve", async () => {
      const error = await failure({ ...base, host: "no-such-host.invalid", dialErrorLimit: 1 }, UnreachableError);
      assert.equal(error.reason, "dns");
      assert.match(error.message, /`no-such-host\.invalid` does not resolve/);
    });

    it("a port on which nothing speaks SSH", async () => {
      const { port } = await listen(() => undefined);
      const error = await failure(
        { ...base, host: "127.0.0.1", port, perDialTimeout: 0.2, dialErrorLimit: 1 },
        UnreachableError,
      );
      assert.equal(error.reason, "timeout");
      assert.match(error.message, /nothing speaks SSH on it within 0\.2 s/);
    });

    it("a port that hangs up is tried again", async () => {
      const { port, tries } = await listen((socket) => socket.end());
      const error = await failure({ ...base, host: "127.0.0.1", port }, UnreachableError);
      assert.equal(error.reason, "lost");
      assert.equal(tries(), 3);
    });

    it("waits for a host that is starting", async () => {
      const port = await freePort();
      const waiting = login({ ...base, host: "127.0.0.1", port, dialErrorLimit: -1, hostKey: "SHA256:x" });
      const outcome = assert.rejects(waiting, HostKeyError);
      const sshd = await startSshd([`Port ${port}`]);
      cleanup.add(sshd.stop);
      await outcome;
    });

    it("stops trying when all connections are closed", async () => {
      const waiting = login({ ...base, host: "127.0.0.1", port: await freePort(), dialErrorLimit: -1, dialPause: 60 });
      const outcome = assert.rejects(waiting);
      await closeAll();
      await outcome;
    });
  });

  describe("a host that is not the one it should be", () => {
    let sshd: Sshd;

    beforeEach(async () => {
      sshd = await startSshd();
      cleanup.add(sshd.stop);
      cleanup.add(closeAll);
    });

    it("is refused at once, with both fingerprints", async () => {
      const other = keyPair(sshd.folder, "other");
      writeFileSync(join(sshd.folder, "known_hosts"), `[127.0.0.1]:${sshd.port} ${other.public}\n`);
      const error = await failure({ ...sshd.connection, dialErrorLimit: -1 }, HostKeyError);
      assert.ok(error.message.includes(sshd.hostKey.fingerprint));
      assert.ok(error.message.includes(other.fingerprint));
      assert.ok(error.message.includes("known_hosts line 1"));
    });

    it("is refused when nobody vouches for it", async () => {
      writeFileSync(join(sshd.folder, "known_hosts"), "");
      const error = await failure(sshd.connection, HostKeyError);
      assert.match(error.message, /no line of .* is about this host/);
    });

    it("is known by its hashed line", async () => {
      execFileSync("ssh-keygen", ["-q", "-H", "-f", join(sshd.folder, "known_hosts")], { stdio: "ignore" });
      await login(sshd.connection);
    });
  });

  describe("a host with several keys", () => {
    it("shows the one that is known, whatever type it has", async () => {
      const folder = temporaryFolder();
      const rsa = keyPair(folder, "rsa", "rsa");
      const ecdsa = keyPair(folder, "ecdsa", "ecdsa");
      const sshd = await startSshd([`HostKey ${rsa.path}`, `HostKey ${ecdsa.path}`]);
      cleanup.add(sshd.stop);
      for (const key of [rsa, ecdsa, sshd.hostKey]) {
        writeFileSync(join(sshd.folder, "known_hosts"), `[127.0.0.1]:${sshd.port} ${key.public}\n`);
        await login(sshd.connection);
        await closeAll();
        for (const hostKey of [key.public, key.fingerprint]) {
          await login({ ...sshd.connection, hostKey, knownHosts: "/dev/null" });
          await closeAll();
        }
      }
      const error = await failure({ ...sshd.connection, hostKey: "SHA256:none" }, HostKeyError);
      assert.match(error.message, /shows the ssh-ed25519 key/);
      await closeAll();
    });
  });

  describe("a login", () => {
    it("by password", async () => {
      const { connection } = await server((context) =>
        context.method === "password" && context.password === "secret"
          ? context.accept()
          : context.reject(["password"]),
      );
      await login(connection);
    });

    it("by password, when the host asks for it interactively", async () => {
      const { connection } = await server((context) => {
        if (context.method !== "keyboard-interactive") {
          return context.reject(["keyboard-interactive"]);
        }
        context.prompt([{ prompt: "Password: ", echo: false }], ([answer]) =>
          answer === "secret" ? context.accept() : context.reject(["keyboard-interactive"]),
        );
      });
      await login(connection);
    });

    it("by key and then password, when the host wants both", async () => {
      const key = keyPair(temporaryFolder(), "user");
      let keyProven = false;
      const { connection } = await server((context) => {
        if (context.method === "publickey") {
          keyProven ||= context.signature !== undefined;
          return context.signature ? context.reject(["password"], true) : context.accept();
        }
        return context.method === "password" && keyProven ? context.accept() : context.reject(["publickey"]);
      });
      await login({ ...connection, privateKey: key.private });
    });

    it("by a key with a passphrase", async () => {
      const sshd = await startSshd();
      cleanup.add(sshd.stop);
      cleanup.add(closeAll);
      const key = keyPair(sshd.folder, "locked", "ed25519", "open sesame");
      writeFileSync(join(sshd.folder, "authorized_keys"), key.public);
      const connection = { ...sshd.connection, privateKey: key.private };
      await login({ ...connection, privateKeyPassword: "open sesame" });
      await assert.rejects(login({ ...connection, privateKeyPassword: "wrong" }), /`privateKeyPassword` does not open/);
      await assert.rejects(login(connection), /is encrypted: set `privateKeyPassword`/);
      await assert.rejects(login({ ...connection, privateKey: "-----BEGIN NONSENSE-----" }), /cannot be read/);
    });

    it("by an agent, given or from the environment", async () => {
      const sshd = await startSshd();
      cleanup.add(sshd.stop);
      cleanup.add(closeAll);
      const socket = join(sshd.folder, "agent");
      const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
      cleanup.add(() => void agent.kill("SIGKILL"));
      const add = async () => {
        try {
          execFileSync("ssh-add", ["-q", sshd.userKey.path], { env: { SSH_AUTH_SOCK: socket }, stdio: "pipe" });
          return { done: true, value: undefined } as const;
        } catch (error) {
          return { done: false, seen: String(error) } as const;
        }
      };
      await until(add, { what: "the agent", limit: 10_000, every: 20 });
      const { privateKey: _, ...connection } = sshd.connection;
      await login({ ...connection, agentSocketPath: socket });
      await closeAll();
      const before = process.env.SSH_AUTH_SOCK;
      cleanup.add(() => {
        if (before === undefined) {
          delete process.env.SSH_AUTH_SOCK;
        } else {
          process.env.SSH_AUTH_SOCK = before;
        }
      });
      process.env.SSH_AUTH_SOCK = socket;
      await login(connection);
      await closeAll();
      await login({ ...connection, agentSocketPath: "/of/an/earlier/session" });
      delete process.env.SSH_AUTH_SOCK;
      await assert.rejects(login({ ...connection, dialPause: 1 }), /nothing to log in with.*SSH_AUTH_SOCK is not set/);
    });

    it("refused: says what was tried and what the host allows, and is not tried again", async () => {
      let tries = 0;
      const { connection } = await server((context) => {
        tries += context.method === "none" ? 1 : 0;
        context.reject(["publickey", "password"]);
      });
      const error = await failure({ ...connection, dialErrorLimit: -1 }, AuthenticationError);
      assert.match(
        error.message,
        /refused the login of user `tester`: tried password\. The host allows: publickey, password\.$/,
      );
      assert.doesNotMatch(error.message, /secret/);
      assert.equal(tries, 1);
    });

    it("refused: says what was not even tried", async () => {
      const { connection } = await server((context) => context.reject(["publickey"]));
      const error = await failure(connection, AuthenticationError);
      assert.match(error.message, /nothing could be tried; not tried: password\. The host allows: publickey\./);
    });

    it("refused by OpenSSH", async () => {
      const sshd = await startSshd();
      cleanup.add(sshd.stop);
      const stranger = keyPair(sshd.folder, "stranger");
      const error = await failure({ ...sshd.connection, privateKey: stranger.private }, AuthenticationError);
      assert.match(error.message, /tried privateKey\. The host allows: publickey/);
    });

    it("with an agent that is not there: says so", async () => {
      const { connection } = await server((context) => context.reject(["publickey"]));
      const { password: _, ...rest } = connection;
      const error = await failure({ ...rest, agentSocketPath: "/no/agent" }, AuthenticationError);
      assert.match(error.message, /The ssh-agent did not help: Failed to connect to agent/);
    });

    it("asked something unknown: says what", async () => {
      const { connection } = await server((context) => {
        if (context.method !== "keyboard-interactive") {
          return context.reject(["keyboard-interactive"]);
        }
        context.prompt([{ prompt: "Code: ", echo: true }], () => context.reject(["keyboard-interactive"]));
      });
      const error = await failure(connection, AuthenticationError);
      assert.match(error.message, /The host asked "Code: ", which cannot be answered/);
    });

    it("ended by OpenSSH after too many failures: counts as refused", async () => {
      const sshd = await startSshd(["MaxAuthTries 1"]);
      cleanup.add(sshd.stop);
      const stranger = keyPair(sshd.folder, "stranger");
      const error = await failure(
        { ...sshd.connection, privateKey: stranger.private, password: "x" },
        AuthenticationError,
      );
      assert.match(error.message, /Too many authentication failures/);
    });
  });
});
