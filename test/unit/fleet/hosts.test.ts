import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Client } from "ssh2";
import { until } from "../../../provider/wait.js";
import { createFleet, type Fleet, type FleetKind, type Host, namespacesPossible } from "../../fleet/fleet.js";
import { login, run, sftpOf, ssh } from "./client.js";

const kinds: readonly { readonly kind: FleetKind; readonly reason: string | undefined }[] = [
  { kind: "loopback", reason: undefined },
  { kind: "namespaces", reason: namespacesPossible() },
];

for (const { kind, reason } of kinds) {
  describe(`A host of a ${kind} fleet${reason ? ` (not here: ${reason})` : ""}`, function () {
    this.timeout(30_000);
    let fleet: Fleet;
    let host: Host;
    let other: Host;
    let client: Client | undefined;

    before(async function () {
      if (reason) {
        this.skip();
      }
      fleet = await createFleet({ kind, hosts: ["alpha", "beta"], password: "secret", sudo: "password" });
      host = fleet.host("alpha");
      other = fleet.host("beta");
    });
    after(async () => fleet?.close());
    afterEach(() => {
      client?.destroy();
      client = undefined;
    });

    for (const auth of ["key", "encryptedKey", "agent", "password"] as const) {
      it(`lets in by ${auth}`, async () => {
        await fleet.startAgent();
        client = await login(fleet, host, auth);
        assert.equal((await run(client, "echo in")).stdout, "in\n");
      });
    }

    it("lets the ssh command in", async () => {
      const { code, stdout, stderr } = await ssh(fleet, host, "hostname; echo problem >&2; exit 7");
      assert.deepEqual({ code, stdout, stderr }, { code: 7, stdout: "alpha\n", stderr: "problem\n" });
    });

    it("runs commands with input, output, exit codes and signals", async () => {
      client = await login(fleet, host);
      const answer = await run(client, "read line; echo got $line; echo bad >&2; exit 3", "words\n");
      assert.deepEqual(answer, { code: 3, signal: undefined, stdout: "got words\n", stderr: "bad\n" });
      assert.equal((await run(client, "kill -TERM $$")).signal, "SIGTERM");
      assert.equal((await run(client, "cd; pwd")).stdout, `${host.path(`/home/${fleet.user}`)}\n`);
    });

    it("passes signals of the client on", async () => {
      const connected = await login(fleet, host);
      client = connected;
      const signal = await new Promise((resolve, reject) => {
        connected.exec(
          "trap 'echo stopped; exit 5' TERM; echo started; while :; do sleep 0.05; done",
          (error, channel) => {
            if (error) {
              reject(error);
              return;
            }
            channel.once("data", () => channel.signal("TERM"));
            channel.on("exit", resolve);
          },
        );
      });
      assert.equal(signal, 5);
    });

    it("allows ten sessions on a connection, like OpenSSH", async () => {
      const connected = await login(fleet, host);
      client = connected;
      const all = Array.from({ length: 11 }, async () => run(connected, "sleep 0.3; echo done").catch(() => "refused"));
      assert.equal((await Promise.all(all)).filter((answer) => answer === "refused").length, 1);
      assert.equal((await run(connected, "echo again")).stdout, "again\n");
    });

    it("asks for sudo's password", async () => {
      client = await login(fleet, host);
      assert.notEqual((await run(client, "sudo -n true")).code, 0);
      const { code, stdout } = await run(client, "sudo -S -p '' echo root", "secret\n");
      assert.deepEqual({ code, stdout }, { code: 0, stdout: "root\n" });
      assert.notEqual((await run(client, "sudo -S -p '' true", "wrong\n")).code, 0);
    });

    it("takes files by SFTP, many chunks at a time", async () => {
      client = await login(fleet, host);
      const sftp = await sftpOf(client);
      const path = host.path("/data/upload");
      const content = Buffer.alloc(5 << 20, "0123456789abcdef");
      const handle = await new Promise<Buffer>((resolve, reject) => {
        sftp.open(`${path}.part`, "w", (error, opened) => (error ? reject(error) : resolve(opened)));
      });
      const chunk = 255 << 10;
      const offsets = Array.from({ length: Math.ceil(content.length / chunk) }, (_, i) => i * chunk);
      await Promise.all(
        offsets.map(
          (offset) =>
            new Promise<void>((resolve, reject) => {
              const length = Math.min(chunk, content.length - offset);
              sftp.write(handle, content, offset, length, offset, (error) => (error ? reject(error) : resolve()));
            }),
        ),
      );
      await new Promise((resolve) => sftp.close(handle, resolve));
      await new Promise((resolve) => sftp.rename(`${path}.part`, path, resolve));
      const size = await new Promise((resolve) => sftp.stat(path, (_error, stats) => resolve(stats?.size)));
      assert.equal(size, content.length);
      assert.equal(await host.readFile("/data/upload"), content.toString());
      const names = await new Promise<string[]>((resolve, reject) => {
        sftp.readdir(host.path("/data"), (error, list) =>
          error ? reject(error) : resolve(list.map(({ filename }) => filename)),
        );
      });
      assert.ok(names.includes("upload") && !names.includes("upload.part"));
      const missing = await new Promise((resolve) => sftp.stat(`${path}.none`, (error) => resolve(error)));
      assert.ok(missing instanceof Error && "code" in missing && missing.code === 2);
    });

    it("forwards connections to other hosts, and says when these refuse", async () => {
      const connected = await login(fleet, host);
      client = connected;
      const server = `require('net').createServer((s) => s.end(s.remoteAddress)).listen(7001, '${other.address}', () => console.log('up'))`;
      await other.exec(
        `node -e ${JSON.stringify(server)} > ${other.path("/tmp/log")} 2>&1 & until grep -q up ${other.path("/tmp/log")}; do sleep 0.05; done`,
      );
      const answer = await new Promise<string>((resolve, reject) => {
        connected.forwardOut("", 0, other.address, 7001, (error, stream) => {
          error ? reject(error) : stream.setEncoding("utf8").once("data", resolve);
        });
      });
      assert.equal(answer, host.address);
      const refused = await new Promise((resolve) => connected.forwardOut("", 0, other.address, 7002, resolve));
      assert.ok(refused instanceof Error);
      assert.equal(await other.kill("listen(7001"), 1);
    });

    it("keeps what a session leaves running until it is killed or rebooted, and keeps files for good", async () => {
      client = await login(fleet, host);
      await run(
        client,
        `echo kept > ${host.path("/data/kept")}; nohup sleep 1111 > /dev/null 2>&1 & nohup sleep 2222 > /dev/null 2>&1 &`,
      );
      client.destroy();
      const running = async () =>
        (await host.processes()).map(({ command }) => command).filter((name) => name.startsWith("sleep"));
      // The shell ends before what it left has become `sleep`.
      await until(async () => ({ done: (await running()).length === 2, value: true, seen: "" }), {
        what: "both to run",
        limit: 5000,
      });
      assert.equal(await host.kill(/^sleep 11/), 1);
      assert.deepEqual(await running(), ["sleep 2222"]);
      await host.reboot();
      assert.deepEqual(await running(), []);
      assert.equal(await host.readFile("/data/kept"), "kept\n");
      client = await login(fleet, host);
      assert.equal((await run(client, `cat ${host.path("/data/kept")}`)).stdout, "kept\n");
    });

    it("loses connections at a power failure without a word, until it is back", async () => {
      client = await login(fleet, host);
      let ended = false;
      const closed = new Promise<void>((resolve) => client?.on("close", resolve)).then(() => {
        ended = true;
      });
      await host.powerOff();
      assert.equal(await answers(host, 300), "silence");
      assert.equal(ended, false);
      await host.powerOn();
      // One that has heard of it by now throws; another one hears by asking.
      await run(client, "true").catch(() => undefined);
      await closed;
      client = await login(fleet, host);
    });

    it("is silent while its network is cut, and continues after that", async () => {
      client = await login(fleet, host);
      await host.cutNetwork();
      const late = run(client, "echo late");
      assert.equal(await Promise.race([late, pause(300)]), undefined);
      assert.equal(await answers(host, 300), "silence");
      assert.equal(await answers(other, 2000), "banner");
      await host.restoreNetwork();
      assert.equal((await late).stdout, "late\n");
    });

    it("refuses connections while SSH is stopped; open ones go on", async () => {
      client = await login(fleet, host);
      await host.refuseSsh();
      assert.equal(await answers(host, 2000), "ECONNREFUSED");
      assert.equal((await run(client, "echo still")).stdout, "still\n");
      await host.acceptSsh();
      assert.equal(await answers(host, 2000), "banner");
    });

    it("lets nobody in while it refuses logins", async () => {
      await host.refuseAuth();
      await assert.rejects(login(fleet, host));
      await host.acceptAuth();
      client = await login(fleet, host);
    });

    it("can show a wrong host key", async () => {
      await host.wrongHostKey();
      const { code, stderr } = await ssh(fleet, host, "true");
      assert.equal(code, 255);
      assert.match(stderr, /IDENTIFICATION HAS CHANGED/);
      await host.restoreHostKey();
      assert.equal((await ssh(fleet, host, "true")).code, 0);
    });

    it("can be slow", async () => {
      await host.slow({ delayMs: 60 });
      client = await login(fleet, host);
      assert.ok((await duration(run(client, "true"))) > 120);
      client.destroy();
      await host.slow({ rate: 1 << 20 });
      client = await login(fleet, host);
      const megabyte = await duration(run(client, "head -c 1000000 /dev/zero"));
      assert.ok(megabyte > 700, `took ${megabyte} ms`);
      await host.slow({});
      client.destroy();
      client = await login(fleet, host);
      assert.ok((await duration(run(client, "head -c 1000000 /dev/zero"))) < 700);
    });

    it("can have a wrong clock", async () => {
      client = await login(fleet, host);
      const seconds = async () => {
        const { stdout } = await ssh(fleet, host, "date +%s");
        return Number(stdout) - Date.now() / 1000;
      };
      await host.clockOffset(-90_000);
      assert.ok(Math.abs((await seconds()) + 90) < 5);
      await host.clockOffset(0);
      assert.ok(Math.abs(await seconds()) < 5);
    });

    it("has the limit of open files that it is given", async () => {
      await host.limits({ nofile: 1234 });
      assert.equal((await ssh(fleet, host, "ulimit -Sn; ulimit -Hn")).stdout, "1234\n1234\n");
    });

    it("has and loses programs", async () => {
      await host.addProgram("greet", "#!/bin/sh\necho hello\n");
      assert.equal((await ssh(fleet, host, "greet")).stdout, "hello\n");
      await host.removeProgram("greet");
      await host.removeProgram("gzip");
      assert.equal((await ssh(fleet, host, "gzip --version")).code, 127);
      assert.equal((await ssh(fleet, host, "greet")).code, 127);
      const remove = await host.addProgram("tar", "#!/bin/sh\necho none >&2\nexit 9\n");
      assert.equal((await ssh(fleet, host, "tar --version")).code, 9);
      await remove();
      assert.equal((await ssh(fleet, host, "tar --version")).code, 0);
    });

    it("counts logins", async () => {
      fleet.resetHandshakes();
      client = await login(fleet, host);
      await run(client, "true");
      await run(client, "true");
      assert.equal(fleet.handshakes(host), 1);
      assert.equal(fleet.handshakes(other), 0);
      await ssh(fleet, other, "true");
      assert.equal(fleet.handshakes(), 2);
    });

    it("gives files and commands to the test", async () => {
      await host.writeFile("/data/a/b", "text");
      assert.equal(await host.readFile("/data/a/b"), "text");
      assert.equal(await host.readFile("/data/a/c"), undefined);
      assert.deepEqual(await host.exec("cat; exit 4", { stdin: "in" }), { code: 4, stdout: "in", stderr: "" });
    });
  });
}

/** What a new connection meets: the server's greeting, an error code, or nothing within `ms`. */
const answers = async (host: Host, ms: number): Promise<string> => {
  const socket = connect(host.port, host.address);
  const greeted = once(socket, "data").then(
    () => "banner",
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
  );
  const answer = await Promise.race([greeted, pause(ms)]);
  socket.destroy();
  return answer ?? "silence";
};

const pause = async (ms: number): Promise<undefined> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(undefined), ms);
  });

const duration = async (work: Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work;
  return performance.now() - start;
};
