import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pruneReleases, removeRelease } from "../../../provider/starrocks/prune.js";
import { type Bench, buildToy, openBench, type ToyArchive } from "./toy.js";

describe("prune", function () {
  this.timeout(30_000);
  let bench: Bench;
  let toys: readonly [ToyArchive, ToyArchive, ToyArchive];
  beforeEach(async () => {
    bench = openBench();
    toys = [
      buildToy(bench.folder, { version: "3.5.7" }),
      buildToy(bench.folder, { version: "3.5.8" }),
      buildToy(bench.folder, { version: "3.5.9" }),
    ];
    for (const toy of toys) {
      await bench.stage(toy);
    }
  });
  afterEach(() => bench.clear());

  const left = (): readonly string[] => readdirSync(join(bench.deployDir, "releases")).toSorted();

  it("removes a release that no home has a view of", async () => {
    const [{ releaseId }] = toys;
    const trips = bench.host.trips;
    assert.deepEqual(await removeRelease(bench.host, { deployDir: bench.deployDir, releaseId }), {
      releaseId,
      removed: true,
      usedBy: [],
    });
    assert.equal(bench.host.trips, trips + 1);
    assert.equal(left().includes(releaseId), false);
    assert.deepEqual(
      readdirSync(join(bench.deployDir, "releases"), { recursive: true }).filter((name) =>
        String(name).includes("work"),
      ),
      [],
    );
    assert.equal(await removeRelease(bench.host, { deployDir: bench.deployDir, releaseId }), undefined);
  });

  it("keeps the current and the previous release of a home, and names the home", async () => {
    const [first, second, third] = toys;
    const home = await bench.makeHome("be", "be 1", first);
    await bench.makeHome("be", "be 1", second);
    const { deployDir } = bench;
    assert.deepEqual(await removeRelease(bench.host, { deployDir, releaseId: first.releaseId }), {
      releaseId: first.releaseId,
      removed: false,
      usedBy: [home],
    });
    assert.deepEqual(
      (await pruneReleases(bench.host, { deployDir, keep: [] })).map(({ removed }) => removed),
      [false, false, true],
    );
    assert.equal(existsSync(join(deployDir, "releases", third.releaseId)), false);
  });

  it("keeps what it is told to", async () => {
    const [first, second, third] = toys;
    await pruneReleases(bench.host, { deployDir: bench.deployDir, keep: [second.releaseId, third.releaseId] });
    assert.deepEqual(
      left().filter((name) => !name.startsWith(".")),
      [second.releaseId, third.releaseId],
    );
    assert.equal(left().includes(first.releaseId), false);
  });

  it("finds nothing where nothing was ever staged", async () => {
    assert.deepEqual(await pruneReleases(bench.host, { deployDir: join(bench.folder, "none"), keep: [] }), []);
  });
});
