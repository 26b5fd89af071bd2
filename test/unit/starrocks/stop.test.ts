import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ObservedProcess, observeProcess } from "../../../provider/starrocks/process.js";
import { startProcess } from "../../../provider/starrocks/start.js";
import { describeStop, type StopOptions, stopProcess } from "../../../provider/starrocks/stop.js";
import { until } from "../../../provider/wait.js";
import { onlyDeclaredPrograms } from "./declared-programs.js";
import { type Bench, buildToy, isRoot, nobody, openBench, type ToyArchive } from "./toy.js";

describe("stopProcess", function () {
  onlyDeclaredPrograms();
  this.timeout(30_000);
  let bench: Bench;
  let toy: ToyArchive;
  let home: string;
  beforeEach(async () => {
    bench = openBench();
    toy = buildToy(bench.folder, { version: "3.5.7" });
    home = await bench.makeHome("be", "be", toy);
  });
  afterEach(() => bench.clear());

  const graceful: StopOptions = { graceful: true, timeoutSeconds: 20, version: "3.5.7" };
  const pidFile = (): string => join(home, "bin/be.pid");

  const start = async (at = home): Promise<ObservedProcess> => {
    await startProcess(bench.host, "be", at);
    return until(
      async () => {
        const value = await observeProcess(bench.host, "be", at);
        return value?.pidFile === "names it" ? { done: true, value } : { done: false, seen: value?.pidFile ?? "none" };
      },
      { what: "the toy to write its pid file", limit: 10_000, every: 20 },
    );
  };
  const assertGone = async (): Promise<void> => {
    assert.equal(await observeProcess(bench.host, "be", home), undefined);
    assert.equal(existsSync(pidFile()), false);
  };

  it("stops by the home's script, gracefully, in one round trip", async () => {
    const process = await start();
    const trips = bench.host.trips;
    const result = await stopProcess(bench.host, "be", home, graceful);
    assert.equal(bench.host.trips, trips + 1);
    assert.equal(result.did, "stopped");
    assert.deepEqual(result.process, process);
    assert.equal(result.output, "flags: --graceful");
    assert.match(describeStop(result), /^stopped after [\d.]+ s$/);
    await assertGone();
  });

  it("does not wait for a script that only sleeps before it looks again, and lets it do what it does then", async () => {
    bench.fault(home, "lazy-stop");
    await start();
    const begun = performance.now();
    const { did, output } = await stopProcess(bench.host, "be", home, graceful);
    const took = performance.now() - begun;
    assert.deepEqual([did, output], ["stopped", "flags: --graceful\nstopped the workers, too"]);
    assert.ok(took < 1500, `${took} ms`);
    await assertGone();
  });

  it("passes no flag when the version is unknown or has none, or grace is not wanted", async () => {
    for (const options of [{ version: "2.5.0" }, { graceful: false }, { version: "no version" }]) {
      await start();
      const result = await stopProcess(bench.host, "be", home, { ...graceful, ...options });
      assert.deepEqual([result.did, result.output], ["stopped", "flags:"]);
      await assertGone();
    }
  });

  it("says that nothing ran, and removes a pid file that names nobody of this home", async () => {
    assert.equal((await stopProcess(bench.host, "be", home, graceful)).did, "was not running");
    writeFileSync(pidFile(), String(process.pid));
    assert.equal((await stopProcess(bench.host, "be", home, graceful)).did, "was not running");
    await assertGone();
  });

  it("stops a process whose pid file is lost, where the script says 0 and does nothing", async () => {
    await start();
    rmSync(pidFile());
    assert.deepEqual(await stopProcess(bench.host, "be", home, graceful).then(({ did, output }) => [did, output]), [
      "stopped",
      "",
    ]);
    await assertGone();
  });

  it("stops the right process when the pid file names another home's", async () => {
    const other = await bench.makeHome("be", "be-2", toy);
    const foreign = await start(other);
    await start();
    writeFileSync(pidFile(), String(foreign.pid));
    assert.equal((await stopProcess(bench.host, "be", home, graceful)).did, "stopped");
    await assertGone();
    assert.deepEqual(await observeProcess(bench.host, "be", other), foreign);
  });

  it("kills what ignores SIGTERM, at the limit", async () => {
    bench.fault(home, "immortal");
    await start();
    const result = await stopProcess(bench.host, "be", home, { ...graceful, timeoutSeconds: 1 });
    assert.equal(result.did, "killed");
    assert.ok(result.seconds >= 1 && result.seconds < 6, String(result.seconds));
    await assertGone();
  });

  it("does not wait for a stop script that hangs longer than the limit, nor leave it behind", async () => {
    bench.fault(home, "hang-stop");
    await start();
    assert.equal((await stopProcess(bench.host, "be", home, { ...graceful, timeoutSeconds: 1 })).did, "killed");
    await assertGone();
    const { stdout } = await bench.host.run(["ps", "-e", "-ww", "-o", "args="]);
    assert.equal(
      stdout.split("\n").find((line) => line.startsWith(`bash ${home}/bin/stop_be.sh`)),
      undefined,
    );
  });

  it("signals the process itself when the script claims success and did nothing", async () => {
    bench.fault(home, "deaf-script");
    await start();
    assert.equal((await stopProcess(bench.host, "be", home, { ...graceful, timeoutSeconds: 2 })).did, "stopped");
    await assertGone();
  });

  it("stops every process of the home, a second one that was started by hand too", async () => {
    await start();
    rmSync(pidFile());
    await bench.host.script('cd "$1" && bash bin/start_be.sh --daemon', [home]);
    assert.equal((await stopProcess(bench.host, "be", home, graceful)).did, "stopped");
    await assertGone();
  });

  it("names the owner of a process that it may not signal, and leaves it alone", async function () {
    if (!isRoot) {
      this.skip();
    }
    const process = await start();
    const other = openBench(nobody);
    await bench.host.run(["chmod", "-R", "a+rwX", bench.folder]);
    await assert.rejects(stopProcess(other.host, "be", home, graceful), /runs as root and may not be signalled/);
    await other.clear();
    assert.equal(readFileSync(`/proc/${process.pid}/comm`, "utf8"), "starrocks_be\n");
  });
});
