import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../provider/error.js";
import { CommandError, LimitError, UnreachableError } from "../../../provider/host/errors.js";
import { closeAll, hostFor } from "../../../provider/host/pool.js";
import type { Host } from "../../../provider/host/types.js";
import { until } from "../../../provider/wait.js";
import { Cleanup } from "./equipment/cleanup.js";
import { startServer } from "./equipment/server.js";
import { type Sshd, startSshd } from "./equipment/sshd.js";

const alive = (pid: number): boolean => existsSync(`/proc/${pid}`);

describe("run", function () {
  this.timeout(60_000);
  const cleanup = new Cleanup();
  let sshd: Sshd;
  let host: Host;

  before(async () => {
    sshd = await startSshd();
    cleanup.add(sshd.stop);
    cleanup.add(closeAll);
    host = hostFor(sshd.connection);
  });
  after(cleanup.run);

  const gone = (pid: number) =>
    until(async () => (alive(pid) ? { done: false, seen: "running" } : { done: true, value: undefined }), {
      what: `process ${pid} to end`,
      limit: 15_000,
      every: 50,
    });

  it("gives both outputs and the code", async () => {
    const result = await host.run(["bash", "-c", "echo out; echo err >&2; exit 3"], { accept: [3] });
    assert.deepEqual(result, { code: 3, stdout: "out\n", stderr: "err\n" });
  });

  it("evaluates nothing in an argument", async () => {
    const words = ["", "$HOME", "`id`", "it's", "a\nb", "*", "~", "東京"];
    const { stdout } = await host.run(["printf", "%s\\0", ...words]);
    assert.deepEqual(stdout.split("\0").slice(0, -1), words);
  });

  it("throws what failed, with the end of its output", async () => {
    const error = await host.script("seq 100; echo 'no such thing' >&2; exit 7", []).catch((caught) => caught);
    assert.ok(error instanceof CommandError);
    assert.equal(error.code, 7);
    assert.equal(error.host, `127.0.0.1:${sshd.port}`);
    assert.equal(error.stderr, "no such thing");
    assert.equal(error.stdout.split("\n").length, 20);
    assert.match(
      error.message,
      /^127\.0\.0\.1:\d+: `bash -c .*` failed with exit code 7\.\nstderr:\n {2}no such thing\n/,
    );
  });

  it("accepts any code when told to", async () => {
    assert.equal((await host.run(["false"], { accept: "any" })).code, 1);
  });

  it("names the signal that killed a command", async () => {
    const error = await host.script("kill -KILL $$", [], { limit: 60_000 }).catch((caught) => caught);
    assert.ok(error instanceof CommandError);
    assert.ok(error.signal === "SIGKILL" || error.code === 137, error.message);
  });

  it("runs in a folder, with variables", async () => {
    const folder = join(sshd.folder, "a b'c");
    mkdirSync(folder);
    const { stdout } = await host.script('pwd; echo "$GREETING"', [], { cwd: folder, env: { GREETING: "it's $HOME" } });
    assert.equal(stdout, `${folder}\nit's $HOME\n`);
  });

  it("says so when there is no such folder", async () => {
    await assert.rejects(
      host.run(["true"], { cwd: "/no/such" }),
      /cannot enter the working folder `\/no\/such`: .*No such file/,
    );
  });

  it("says so when there is no such command", async () => {
    await assert.rejects(host.run(["no-such-command"]), (error: CommandError) => {
      return error.code === 127 && /no-such-command/.test(error.stderr);
    });
  });

  it("gives stdin, whole", async () => {
    const data = Buffer.alloc(3_000_000, "0123456789\n");
    const { stdout } = await host.run(["md5sum"], { stdin: data });
    const { stdout: same } = await host.run(["md5sum"], { stdin: data.toString() });
    assert.equal(stdout, same);
    assert.equal((await host.run(["wc", "-c"], { stdin: data })).stdout.trim(), "3000000");
    assert.equal((await host.run(["wc", "-c"], { stdin: "" })).stdout.trim(), "0");
  });

  it("closes stdin when there is none, so that nothing waits for it", async () => {
    assert.equal((await host.run(["cat"])).stdout, "");
  });

  it("ends well when a command does not read its stdin", async () => {
    assert.equal((await host.run(["true"], { stdin: Buffer.alloc(8_000_000) })).code, 0);
  });

  it("runs scripts with arguments", async () => {
    const { stdout } = await host.script('echo "$1|$2|$#"', ["a b", "it's"]);
    assert.equal(stdout, "a b|it's|2\n");
  });

  it("runs scripts longer than an argument may be", async () => {
    const text = `${"# a comment that is here for its length, with 'quotes' and \"more\" $of them\n".repeat(4000)}echo "$1"; cat; exit 5`;
    assert.ok(text.length > 250_000);
    const { code, stdout } = await host.script(text, ["argument"], { accept: [5] });
    assert.deepEqual([code, stdout], [5, "argument\n"]);
  });

  it("refuses a command that is too long, and says what to do", async () => {
    await assert.rejects(host.run(["true", "x".repeat(150_000)]), /too long to be run.*as a file/);
  });

  it("refuses more output than it takes", async () => {
    await assert.rejects(host.run(["head", "-c", "9000000", "/dev/zero"]), /more output than can be taken/);
  });

  it("ends a command at its limit, on the host too", async () => {
    const started = performance.now();
    const error = await host
      .script('echo $$ > "$1"; echo started; sleep 100; echo never', [join(sshd.folder, "pid")], { limit: 700 })
      .catch((caught) => caught);
    assert.ok(error instanceof LimitError);
    assert.match(error.message, /was ended after \d+(\.\d)? s: its limit is 0\.7 s\.\nstdout:\n {2}started/);
    assert.ok(performance.now() - started < 15_000);
    await gone(Number(readFileSync(join(sshd.folder, "pid"), "utf8")));
  });

  it("does not wait for a daemon that keeps the output open", async () => {
    const { stdout } = await host.script("sleep 100 & echo $!", []);
    process.kill(Number(stdout), "SIGKILL");
  });

  it("keeps commands apart from what a login prints", async () => {
    const server = await startServer({ env: { BASH_ENV: join(sshd.folder, "rc") } });
    writeFileSync(join(sshd.folder, "rc"), "echo Welcome; echo 'to this host' >&2\n");
    cleanup.add(server.stop);
    cleanup.add(closeAll);
    const noisy = hostFor(server.connection);
    assert.deepEqual(await noisy.run(["echo", "x"]), { code: 0, stdout: "x\n", stderr: "" });
  });

  it("says what a host without bash said", async () => {
    const server = await startServer({ env: { PATH: "/nowhere" } });
    cleanup.add(server.stop);
    cleanup.add(closeAll);
    await assert.rejects(
      hostFor(server.connection).run(["true"]),
      /login shell did not get as far as running bash: .*not found/,
    );
  });

  it("hides the connection's secrets in messages, even when a program repeats them", async () => {
    const server = await startServer();
    cleanup.add(server.stop);
    cleanup.add(closeAll);
    const error = await hostFor({ ...server.connection, password: "hunter22" })
      .run(["bash", "-c", "echo the password is hunter22; exit 1"])
      .catch((caught) => caught);
    assert.doesNotMatch(`${error.message} ${error.stdout} ${error.command}`, /hunter22/);
    assert.match(error.message, /the password is \[secret\]/);
  });

  it("throws a transient error when the connection is lost under a command, and dials again for the next", async () => {
    const server = await startServer({
      onCommand: (command, client) => {
        if (command.includes("drop me")) {
          setImmediate(() => client.end());
        }
      },
    });
    cleanup.add(server.stop);
    cleanup.add(closeAll);
    const fragile = hostFor(server.connection);
    const lost = fragile.run(["sleep", "30", "drop me"]);
    const together = fragile.run(["sleep", "30"]);
    await Promise.all([lost, together].map((command) => assert.rejects(command, UnreachableError)));
    assert.equal((await fragile.run(["echo", "again"])).stdout, "again\n");
  });

  it("refuses to become another user without saying whom", async () => {
    await assert.rejects(host.run(["id"], { become: true }), UserError);
  });
});
