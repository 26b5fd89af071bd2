import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  isSameProcess,
  type ObservedProcess,
  observeProcess,
  processFunctions,
} from "../../../provider/starrocks/process.js";
import { observeStart, startProcess } from "../../../provider/starrocks/start.js";
import { until } from "../../../provider/wait.js";
import { onlyDeclaredPrograms } from "./declared-programs.js";
import { type Bench, buildToy, openBench, type ToyArchive } from "./toy.js";

describe("observeProcess", function () {
  onlyDeclaredPrograms();
  this.timeout(30_000);
  let bench: Bench;
  let toy: ToyArchive;
  beforeEach(() => {
    bench = openBench();
    toy = buildToy(bench.folder, { version: "3.5.7" });
  });
  afterEach(() => bench.clear());

  const started = async (kind: "fe" | "be", home: string): Promise<ObservedProcess> => {
    await startProcess(bench.host, kind, home, { javaHome: bench.javaHome });
    return until(
      async () => {
        const value = await observeProcess(bench.host, kind, home);
        return value?.pidFile === "names it" ? { done: true, value } : { done: false, seen: value?.pidFile ?? "none" };
      },
      { what: "the toy to write its pid file", limit: 10_000, every: 20 },
    );
  };

  for (const kind of ["fe", "be"] as const) {
    it(`sees the ${kind} of a home, its start and its user, in one round trip`, async () => {
      const home = await bench.makeHome(kind, kind, toy);
      assert.equal(await observeProcess(bench.host, kind, home), undefined);
      const before = Date.now() / 1000;
      const seen = await started(kind, home);
      assert.ok(Math.abs(seen.startedAt - before) < 3, `${seen.startedAt} is not near ${before}`);
      assert.match(seen.cmdline, kind === "fe" ? /com\.starrocks\.StarRocksFE/ : /\/lib\/starrocks_be/);
      assert.notEqual(seen.user, "");
      const trips = bench.host.trips;
      assert.ok(isSameProcess(await observeProcess(bench.host, kind, home), seen));
      assert.equal(bench.host.trips, trips + 1);
    });

    it(`finds the ${kind} without its pid file, and with one that names another process`, async () => {
      const home = await bench.makeHome(kind, kind, toy);
      const seen = await started(kind, home);
      const pidFile = join(home, "bin", `${kind}.pid`);
      rmSync(pidFile);
      assert.deepEqual(await observeProcess(bench.host, kind, home), { ...seen, pidFile: "missing" });
      for (const stale of [String(process.pid), "4194305", "not a pid"]) {
        writeFileSync(pidFile, stale);
        assert.deepEqual(await observeProcess(bench.host, kind, home), { ...seen, pidFile: "stale" });
      }
    });

    it(`does not take the ${kind} of a home with a longer or shorter name for this one's`, async () => {
      const longer = await bench.makeHome(kind, `${kind}-2`, toy);
      const shorter = await bench.makeHome(kind, kind, toy);
      const seen = await started(kind, longer);
      assert.equal(await observeProcess(bench.host, kind, shorter), undefined);
      // Its pid, in the other home's pid file, is a recycled one.
      writeFileSync(join(shorter, "bin", `${kind}.pid`), String(seen.pid));
      assert.equal(await observeProcess(bench.host, kind, shorter), undefined);
    });

    it(`finds the ${kind} under any name of its home`, async () => {
      const home = await bench.makeHome(kind, kind, toy);
      const alias = join(bench.folder, "alias");
      symlinkSync(home, alias);
      const seen = await started(kind, alias);
      assert.ok(isSameProcess(await observeProcess(bench.host, kind, home), seen));
    });
  }

  it("tells BE and CN of one home apart", async () => {
    const home = await bench.makeHome("be", "be", toy);
    const seen = await started("be", home);
    assert.equal(await observeProcess(bench.host, "cn", home), undefined);
    assert.ok(seen.pid > 0);
  });

  it("finds one it has seen before while nothing can be read of it, as between two programs that it executes, until it is gone", async () => {
    const home = await bench.makeHome("be", "be", toy);
    const shy = spawn(
      process.execPath,
      [
        "-e",
        "process.stdin.once('data', () => { process.title = ''; console.log('hidden'); })",
        join(home, "lib/starrocks_be"),
      ],
      { env: { STARROCKS_HOME: home }, argv0: join(home, "lib/starrocks_be") },
    );
    const seen = await until(
      async () => {
        const value = await observeProcess(bench.host, "be", home);
        return value ? { done: true, value } : { done: false, seen: "nothing" };
      },
      { what: "the process to be seen", limit: 10_000, every: 20 },
    );
    const hidden = once(shy.stdout, "data");
    shy.stdin.write("hide");
    await hidden;
    assert.equal(await observeProcess(bench.host, "be", home), undefined);
    assert.ok(isSameProcess(await observeProcess(bench.host, "be", home, seen), seen));
    const later = await observeStart(bench.host, "be", home, [], [], seen);
    assert.ok(isSameProcess(later.process, seen));
    const { pid, startTicks } = seen;
    assert.equal(await observeProcess(bench.host, "be", home, { pid, startTicks: startTicks + 1 }), undefined);
    const gone = once(shy, "exit");
    shy.kill("SIGKILL");
    await gone;
    assert.equal(await observeProcess(bench.host, "be", home, seen), undefined);
  });

  it("tells of one that has ended since it was found what it was found by", async () => {
    const child = spawn("true");
    await once(child, "exit");
    const script = `${processFunctions}\nFOUND=${child.pid} FOUND_TICKS=7\nemit_process\n`;
    const { stdout } = await bench.host.script(script, []);
    assert.deepEqual(stdout.split("\0").slice(0, 4), ["process.pid", String(child.pid), "process.ticks", "7"]);
  });

  it("is not misled by other processes that name the program", async () => {
    const home = await bench.makeHome("be", "be", toy);
    const program = join(home, "lib/starrocks_be");
    const tails = [
      spawn("tail", ["-f", program], { stdio: "ignore" }),
      spawn("bash", ["-c", "read -r", program], { stdio: ["pipe", "ignore", "ignore"] }),
      // As of `grep StarRocksFE <home>/log/fe.log`.
      spawn("tail", ["-f", "/dev/null", "StarRocksFE", join(home, "log/fe.log")], { stdio: "ignore" }),
    ];
    assert.equal(await observeProcess(bench.host, "be", home), undefined);
    assert.equal(await observeProcess(bench.host, "fe", home), undefined);
    for (const tail of tails) {
      tail.kill("SIGKILL");
    }
  });

  it("has a start that agrees with /proc", async () => {
    const home = await bench.makeHome("be", "be", toy);
    const { pid, startTicks } = await started("be", home);
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    assert.equal(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19], String(startTicks));
  });
});
