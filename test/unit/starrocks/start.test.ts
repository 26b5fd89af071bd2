import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { observeProcess } from "../../../provider/starrocks/process.js";
import { observeStart, startProcess } from "../../../provider/starrocks/start.js";
import { until } from "../../../provider/wait.js";
import { onlyDeclaredPrograms } from "./declared-programs.js";
import { type Bench, buildToy, openBench, type ToyArchive } from "./toy.js";

describe("startProcess", function () {
  onlyDeclaredPrograms();
  this.timeout(30_000);
  let bench: Bench;
  let toy: ToyArchive;
  beforeEach(() => {
    bench = openBench();
    toy = buildToy(bench.folder, { version: "3.5.7" });
  });
  afterEach(() => bench.clear());

  it("runs the start script once, in one round trip, and lets go of the daemon", async () => {
    const home = await bench.makeHome("be", "be", toy);
    const trips = bench.host.trips;
    const result = await startProcess(bench.host, "be", home);
    assert.equal(bench.host.trips, trips + 1);
    assert.deepEqual([result.did, result.code, result.output], ["ran", 0, "terminal says hello"]);
    assert.ok(Math.abs(result.at - Date.now()) < 5000);
    const again = await startProcess(bench.host, "be", home);
    assert.equal(again.did, "already running");
    assert.equal(again.process?.pid, (await observeProcess(bench.host, "be", home))?.pid);
    assert.deepEqual(
      readdirSync(join(home, "log")).filter((name) => name.startsWith(".")),
      [],
    );
  });

  it("passes environment and arguments of an FE, as they are", async () => {
    const home = await bench.makeHome("fe", "fe", toy);
    await startProcess(bench.host, "fe", home, {
      javaHome: bench.javaHome,
      helper: "10.0.0.11:9010",
      hostType: "FQDN",
      environment: { NOTE: `it's "$HOME"` },
    });
    const seen = await observeProcess(bench.host, "fe", home);
    assert.match(seen?.cmdline ?? "", /StarRocksFE --helper 10\.0\.0\.11:9010 --host_type FQDN$/);
    const { stdout } = await bench.host.run(["tr", "\\0", "\\n"], { stdin: await environOf(seen?.pid) });
    assert.match(stdout, /^NOTE=it's "\$HOME"$/m);
  });

  const environOf = async (pid: number | undefined): Promise<string> =>
    (await bench.host.run(["cat", `/proc/${pid}/environ`])).stdout;

  it("marks the ends of the logs before the start", async () => {
    const home = await bench.makeHome("be", "be", toy);
    writeFileSync(join(home, "log/be.INFO"), "old line\n");
    const { marks } = await startProcess(bench.host, "be", home);
    assert.deepEqual(
      marks.map(({ path, size, inode }) => [path.slice(home.length), size, inode !== undefined]),
      [
        ["/log/be.INFO", 9, true],
        ["/log/be.WARNING", 0, false],
        ["/log/be.out", 0, false],
      ],
    );
  });

  it("waits a moment for what was forked to become the node, as on a host under load", async () => {
    const script =
      '#!/bin/bash\nexport STARROCKS_HOME=$(cd "$(dirname "$0")/.."; pwd)\n' +
      '(sleep 0.4; exec "$STARROCKS_HOME/lib/starrocks_be") </dev/null >/dev/null 2>&1 &\n';
    const slow = buildToy(bench.folder, { version: "3.5.8", more: { "be/bin/start_be.sh": script } });
    const home = await bench.makeHome("be", "be", slow);
    const { process } = await startProcess(bench.host, "be", home);
    assert.ok(process);
    assert.equal(process.pid, (await observeProcess(bench.host, "be", home))?.pid);
  });

  it("says that the script ran even when nothing lives: exit code 0 proves nothing", async () => {
    const home = await bench.makeHome("be", "be", toy);
    bench.fault(home, "die");
    assert.equal((await startProcess(bench.host, "be", home)).code, 0);
    await until(
      async () =>
        (await observeProcess(bench.host, "be", home))
          ? { done: false, seen: "a process" }
          : { done: true, value: undefined },
      { what: "the toy to die", limit: 10_000, every: 20 },
    );
  });

  it("starts in spite of a pid file that names a foreign process of the same program", async () => {
    const other = await bench.makeHome("be", "other", toy);
    await startProcess(bench.host, "be", other);
    const foreign = await observeProcess(bench.host, "be", other);
    const home = await bench.makeHome("be", "be", toy);
    writeFileSync(join(home, "bin/be.pid"), String(foreign?.pid));
    assert.equal((await startProcess(bench.host, "be", home)).code, 0);
    assert.notEqual((await observeProcess(bench.host, "be", home))?.pid, foreign?.pid);
  });

  it("ends a start script that hangs", async () => {
    const home = await bench.makeHome("be", "be", toy);
    bench.fault(home, "hang-start");
    assert.equal((await startProcess(bench.host, "be", home, { limit: 500 })).code, 124);
    assert.equal(existsSync(join(home, "bin/be.pid")), false);
  });
});

describe("observeStart", function () {
  onlyDeclaredPrograms();
  this.timeout(30_000);
  let bench: Bench;
  beforeEach(() => {
    bench = openBench();
  });
  afterEach(() => bench.clear());

  it("tells in one round trip of the process and of what its logs say since the marks", async () => {
    const home = await bench.makeHome("be", "be", buildToy(bench.folder, { version: "3.5.7" }));
    const [info, none] = [join(home, "log/be.INFO"), join(home, "log/be.out.1")];
    writeFileSync(info, "old line\n");
    const { marks } = await startProcess(bench.host, "be", home);
    writeFileSync(info, "old line\nlogs\0\0 a line\nhalf a li");
    const trips = bench.host.trips;
    const seen = await observeStart(bench.host, "be", home, [info, none], marks);
    assert.equal(bench.host.trips, trips + 1);
    assert.equal(seen.process?.pid, (await observeProcess(bench.host, "be", home))?.pid);
    assert.deepEqual(seen.texts, { [info]: "logs\0\0 a line\n", [none]: "" });
    assert.deepEqual((await observeStart(bench.host, "be", home, [info], seen.marks)).texts, { [info]: "" });
  });

  it("still reads the last words of a process that is gone", async () => {
    const home = join(bench.folder, "be");
    const log = join(bench.folder, "be.INFO");
    writeFileSync(log, "goodbye\n");
    const seen = await observeStart(bench.host, "be", home, [log], []);
    assert.deepEqual([seen.process, seen.texts], [undefined, { [log]: "goodbye\n" }]);
  });
});
