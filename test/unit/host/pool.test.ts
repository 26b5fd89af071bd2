import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { TransientError, UserError } from "../../../provider/error.js";
import { UnreachableError } from "../../../provider/host/errors.js";
import { closeAll, hostFor } from "../../../provider/host/pool.js";
import { Cleanup } from "./equipment/cleanup.js";
import { startServer } from "./equipment/server.js";
import { freePort, type Sshd, startSshd } from "./equipment/sshd.js";

describe("pool", function () {
  this.timeout(60_000);
  const cleanup = new Cleanup();
  let sshd: Sshd;

  const started = async (lines: readonly string[] = []): Promise<Sshd> => {
    const server = await startSshd(lines);
    cleanup.add(server.stop);
    cleanup.add(closeAll);
    return server;
  };

  const listen = async (server: Server): Promise<number> => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanup.add(() => void server.close());
    const address = server.address();
    return address && typeof address !== "string" ? address.port : 0;
  };

  const echo = () => listen(createServer((socket) => socket.on("error", () => undefined).pipe(socket)));

  beforeEach(async () => {
    sshd = await started();
  });
  afterEach(cleanup.run);

  it("dials once for many callers, whatever else they want of the host", async () => {
    const hosts = [
      hostFor(sshd.connection),
      hostFor({ ...sshd.connection }),
      hostFor({ ...sshd.connection, commandLimit: 10 }),
    ];
    const jobs = Array.from({ length: 60 }, (_, index) => hosts[index % 3]?.run(["echo", String(index)]));
    const results = await Promise.all(jobs);
    assert.deepEqual(
      results.map((result) => Number(result?.stdout)),
      Array.from({ length: 60 }, (_, index) => index),
    );
    assert.equal(sshd.logins(), 1);
  });

  it("misses no command's end, however short the command", async () => {
    const host = hostFor(sshd.connection);
    await Promise.all(Array.from({ length: 200 }, () => host.run(["true"])));
  });

  it("dials again when used after closeAll", async () => {
    const host = hostFor(sshd.connection);
    await host.run(["true"]);
    await closeAll();
    await host.run(["true"]);
    assert.equal(sshd.logins(), 2);
  });

  it("keeps connections with other credentials apart", async () => {
    await hostFor(sshd.connection).run(["true"]);
    await hostFor({ ...sshd.connection, keepaliveInterval: 1 }).run(["true"]);
    assert.equal(sshd.logins(), 2);
  });

  it("dials once for callers of other patience", async () => {
    await hostFor(sshd.connection).run(["true"]);
    await hostFor({ ...sshd.connection, dialErrorLimit: 7, perDialTimeout: 60, dialPause: 1 }).run(["true"]);
    assert.equal(sshd.logins(), 1);
  });

  it("dials when needed, not before", async () => {
    hostFor({ ...sshd.connection, port: await freePort() });
    hostFor(sshd.connection);
    assert.equal(sshd.logins(), 0);
  });

  it("dials again after the host came back", async () => {
    const host = hostFor({ ...sshd.connection, dialErrorLimit: 3, dialPause: 0.05 });
    await host.run(["true"]);
    await sshd.stop();
    await assert.rejects(host.run(["true"]), UnreachableError);
    await sshd.start();
    await Promise.all([host.run(["true"]), host.run(["true"])]);
    assert.equal(sshd.logins(), 2);
  });

  it("tries again after a dial that failed", async () => {
    const host = hostFor(sshd.connection);
    await sshd.stop();
    await assert.rejects(Promise.all([host.run(["true"]), host.run(["true"])]), UnreachableError);
    await sshd.start();
    await host.run(["true"]);
  });

  it("notices a host that gives no sign of life any more", async () => {
    const host = hostFor({ ...sshd.connection, keepaliveInterval: 0.1 });
    await host.run(["true"]);
    const sleeping = host.run(["sleep", "50"]);
    sshd.freeze();
    await assert.rejects(sleeping, /the connection was lost \(no sign of life for 0\.3 s\)/);
  });

  it("stays up when idle for longer than three signs of life", async () => {
    const host = hostFor({ ...sshd.connection, keepaliveInterval: 0.05 });
    await host.run(["sleep", "0.6"]);
    await host.run(["true"]);
    assert.equal(sshd.logins(), 1);
  });

  for (const limit of [1, 3]) {
    it(`queues its commands when the host allows only ${limit} sessions`, async () => {
      const narrow = await started([`MaxSessions ${limit}`]);
      const host = hostFor(narrow.connection);
      const results = await Promise.all(Array.from({ length: 30 }, (_, index) => host.run(["echo", String(index)])));
      assert.equal(results.length, 30);
      assert.equal(narrow.logins(), 1);
    });
  }

  it("says so when the host allows no session at all", async () => {
    const closed = await started(["MaxSessions 0"]);
    await assert.rejects(hostFor(closed.connection).run(["true"]), /refuses to open a session/);
  });

  describe("tunnels", () => {
    it("carry bytes both ways, many at once, beside commands", async () => {
      const port = await echo();
      const host = hostFor(sshd.connection);
      const talk = async (text: string) => {
        const stream = await host.connect("127.0.0.1", port);
        stream.write(text);
        const [answer] = await once(stream, "data");
        stream.end();
        await once(stream, "close");
        return String(answer);
      };
      const words = Array.from({ length: 40 }, (_, index) => `word ${index}`);
      assert.deepEqual(await Promise.all([...words.map(talk), host.run(["echo", "x"]).then((r) => r.stdout)]), [
        ...words,
        "x\n",
      ]);
      assert.equal(sshd.logins(), 1);
    });

    it("serve as sockets of HTTP requests", async () => {
      const { createServer: createHttp } = await import("node:http");
      const port = await listen(createHttp((_request, response) => response.end("alive")));
      const stream = await hostFor(sshd.connection).connect("127.0.0.1", port);
      const [response] = await once(get({ createConnection: () => stream as never, timeout: 1000 }), "response");
      const [body] = await once(response, "data");
      assert.equal(String(body), "alive");
    });

    it("end when the other side ends", async () => {
      const port = await listen(createServer((socket) => socket.end("bye")));
      const stream = await hostFor(sshd.connection).connect("127.0.0.1", port);
      stream.resume();
      await once(stream, "close");
    });

    it("reject with a transient error when nothing listens", async () => {
      const port = await freePort();
      await assert.rejects(hostFor(sshd.connection).connect("127.0.0.1", port), (error) => {
        assert.ok(error instanceof TransientError);
        assert.match(error.message, new RegExp(`the connection to 127\\.0\\.0\\.1:${port} was refused`));
        return true;
      });
    });

    it("say when sshd forbids them, which no waiting heals", async () => {
      const strict = await started(["AllowTcpForwarding no"]);
      await assert.rejects(hostFor(strict.connection).connect("127.0.0.1", 1), (error) => {
        assert.ok(error instanceof UserError && !(error instanceof TransientError));
        assert.match(error.message, /forbids the tunnel to 127\.0\.0\.1:1\. Set `AllowTcpForwarding yes`/);
        return true;
      });
    });

    it("close when the connection is lost", async () => {
      const server = await startServer();
      cleanup.add(server.stop);
      const stream = await hostFor(sshd.connection).connect("127.0.0.1", await echo());
      stream.resume();
      const closed = once(stream, "close");
      await sshd.stop();
      await closed;
    });
  });

  describe("proxies", () => {
    it("are gone through, however many, and shared", async () => {
      const [outer, inner] = [await started(), await started()];
      const proxy = { ...inner.connection, proxy: outer.connection };
      const host = hostFor({ ...sshd.connection, proxy });
      const results = await Promise.all([
        host.run(["echo", "1"]),
        host.run(["echo", "2"]),
        hostFor(proxy).run(["echo", "3"]),
      ]);
      assert.deepEqual(
        results.map(({ stdout }) => stdout),
        ["1\n", "2\n", "3\n"],
      );
      assert.deepEqual([outer.logins(), inner.logins(), sshd.logins()], [1, 1, 1]);
      assert.match(inner.log(), /Accepted publickey for .* from 127\.0\.0\.1/);
    });

    it("that are down are named, and tried no more often than they say", async () => {
      const port = await freePort();
      const proxy = { ...sshd.connection, port, dialErrorLimit: 2, dialPause: 0.01 };
      const host = hostFor({ ...sshd.connection, proxy, dialErrorLimit: 10, dialPause: 60 });
      await assert.rejects(
        host.run(["true"]),
        new RegExp(`127\\.0\\.0\\.1:${port}: the connection was refused .* Tried 2 times`),
      );
    });

    it("whose target is down: the target is tried again", async () => {
      const outer = await started();
      const port = await freePort();
      const host = hostFor({ ...sshd.connection, port, proxy: outer.connection, dialErrorLimit: 3, dialPause: 0.01 });
      await assert.rejects(host.run(["true"]), (error) => {
        assert.ok(error instanceof UnreachableError);
        assert.match(error.message, /the connection to 127\.0\.0\.1:\d+ was refused\. Tried 3 times\./);
        return true;
      });
      assert.equal(outer.logins(), 1);
    });

    it("that are lost take the connection within along, and both come back", async () => {
      const outer = await started();
      const host = hostFor({ ...sshd.connection, proxy: outer.connection });
      const running = assert.rejects(host.run(["sleep", "50"]), UnreachableError);
      await hostFor(outer.connection).run(["true"]);
      await outer.stop();
      await running;
      await outer.start();
      assert.equal((await host.run(["echo", "back"])).stdout, "back\n");
    });
  });

  describe("the process", () => {
    const runChild = async (connection: object, body: string) => {
      const pool = join(__dirname, "../../../provider/host/pool.js");
      const text = `const { hostFor, closeAll } = require(${JSON.stringify(pool)});
        (async () => { const host = hostFor(${JSON.stringify(connection)}); ${body} })();`;
      const child = spawn(process.execPath, ["-e", text], { stdio: ["ignore", "pipe", "inherit"], timeout: 20_000 });
      let output = "";
      child.stdout.on("data", (chunk) => {
        output += chunk;
      });
      const [code, signal] = await once(child, "close");
      return { code, signal, output };
    };

    it("ends by itself while connections are idle, with and without proxy", async () => {
      const outer = await started();
      for (const connection of [sshd.connection, { ...sshd.connection, proxy: outer.connection }]) {
        const result = await runChild(connection, 'console.log((await host.run(["echo", "done"])).stdout);');
        assert.deepEqual(result, { code: 0, signal: null, output: "done\n\n" });
      }
    });

    it("stays for as long as something runs", async () => {
      const outer = await started();
      for (const connection of [sshd.connection, { ...sshd.connection, proxy: outer.connection }]) {
        const result = await runChild(
          connection,
          'await host.run(["true"]); setTimeout(() => undefined, 50); console.log((await host.run(["bash", "-c", "sleep 0.5; echo done"])).stdout);',
        );
        assert.deepEqual(result, { code: 0, signal: null, output: "done\n\n" });
      }
    });

    it("ends connections in order on closeAll", async () => {
      await hostFor(sshd.connection).run(["true"]);
      await closeAll();
      assert.match(sshd.log(), /Received disconnect from|Disconnected from/);
    });
  });
});
