import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { observeProcess } from "../../../../provider/starrocks/process.js";
import {
  hostTypeOf,
  makeFolder,
  removeEarlier,
  stopRehearsal,
} from "../../../../provider/starrocks/rehearsal/folder.js";
import { livingFor } from "../../../../provider/starrocks/rehearsal/life.js";
import { startProcess } from "../../../../provider/starrocks/start.js";
import { versionOf } from "../../../../provider/starrocks/versions.js";
import { until } from "../../../../provider/wait.js";
import { type Bench, buildToy, openBench, type ToyArchive } from "../toy.js";

describe("the folder of a rehearsal", function () {
  this.timeout(30_000);
  let bench: Bench;
  let toy: ToyArchive;
  beforeEach(() => {
    bench = openBench();
    toy = buildToy(bench.folder, { version: "3.5.7" });
  });
  afterEach(() => bench.clear());

  const options = { cluster: "sr", stopSeconds: 5 };

  it("is left where its FE runs, unless the one who removes it has the cluster", async () => {
    const running = await bench.makeHome("fe", "rehearsal-3.5.7-1", toy);
    writeFileSync(join(running, ".rehearsal"), "sr\n");
    const kept = join(bench.deployDir, "rehearsal-3.5.7-2");
    await makeFolder(bench.host, kept, "sr");
    const foreign = join(bench.deployDir, "rehearsal-3.5.7-3");
    await makeFolder(bench.host, foreign, "another");
    mkdirSync(join(bench.deployDir, "rehearsal-notes"));
    await startProcess(bench.host, "fe", running, { javaHome: bench.javaHome });

    assert.deepEqual(await removeEarlier(bench.host, bench.deployDir, { ...options, running: "left" }), [running]);
    assert.ok(await observeProcess(bench.host, "fe", running));
    assert.deepEqual([running, kept, foreign].map(existsSync), [true, false, true]);

    assert.deepEqual(await removeEarlier(bench.host, bench.deployDir, { ...options, running: "stopped" }), []);
    assert.equal(await observeProcess(bench.host, "fe", running), undefined);
    assert.deepEqual([running, foreign].map(existsSync), [false, true]);
    assert.ok(existsSync(join(bench.deployDir, "rehearsal-notes")));
  });

  it("has an FE that ends by itself where nobody stops it, and nothing beside it that outlives it", async () => {
    const home = await bench.makeHome("fe", "rehearsal", toy);
    const mine = (): readonly string[] =>
      execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
        .split("\n")
        .filter((line) => line.includes(home));
    const start = (milliseconds: number) =>
      startProcess(bench.host, "fe", home, { javaHome: bench.javaHome, wrapper: livingFor(milliseconds) });
    const untilGone = (limit: number) =>
      until<void>(
        async () => {
          const process = await observeProcess(bench.host, "fe", home);
          return process || mine().length > 0
            ? { done: false, seen: [process?.cmdline, ...mine()].join("\n") }
            : { done: true, value: undefined };
        },
        { what: "nothing of it to run", limit, every: 20 },
      );

    await start(60_000);
    assert.ok(await observeProcess(bench.host, "fe", home));
    assert.ok(mine().some((line) => line.includes("life 60")));
    await stopRehearsal(bench.host, home, 5);
    await untilGone(2000);

    await start(1000);
    assert.ok(await observeProcess(bench.host, "fe", home));
    await untilGone(10_000);
  });

  const starts = [
    { byName: true, version: "3.5.7", starts: /StarRocksFE --host_type IP$/ },
    { byName: false, version: "3.5.7", starts: /StarRocksFE$/ },
    // Its script knows no such argument, and its FEs no names.
    { byName: true, version: "2.3.18", starts: /StarRocksFE$/ },
  ];
  for (const { byName, version, starts: command } of starts) {
    it(`starts its FE of ${version} as ${command.source} where the copied FE is known by ${byName ? "name" : "IP"}`, async () => {
      const home = await bench.makeHome("fe", "rehearsal", toy);
      const hostType = hostTypeOf({ byName }, versionOf(version));
      await startProcess(bench.host, "fe", home, { javaHome: bench.javaHome, ...hostType });
      assert.match((await observeProcess(bench.host, "fe", home))?.cmdline ?? "", command);
    });
  }
});
