import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { prepareHome, switchTo } from "../../../provider/starrocks/home.js";
import { releaseFolder } from "../../../provider/starrocks/layout.js";
import { expectReleases, pruneReleases, removeRelease } from "../../../provider/starrocks/prune.js";
import { stageRelease } from "../../../provider/starrocks/release.js";
import { startProcess } from "../../../provider/starrocks/start.js";
import { onlyDeclaredPrograms } from "./declared-programs.js";
import { type Bench, buildToy, openBench, type ToyArchive } from "./toy.js";

describe("prune", function () {
  onlyDeclaredPrograms();
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

  /** A home that is no child of the deployDir. */
  const homeElsewhere = async (toy: ToyArchive): Promise<string> => {
    const home = join(bench.folder, "data disk/be");
    const { releaseId } = toy;
    await prepareHome(bench.host, { home, kind: "be" });
    await switchTo(bench.host, {
      home,
      kind: "be",
      releaseId,
      releaseFolder: releaseFolder(bench.deployDir, releaseId),
    });
    return home;
  };

  it("keeps the releases of homes that are elsewhere, also for a process that still runs", async () => {
    const [first, second, third] = toys;
    const { deployDir } = bench;
    const home = await homeElsewhere(first);
    await homeElsewhere(second);
    const keep = [third.releaseId];
    const kept = [first, second].map(({ releaseId }) => ({ releaseId, removed: false, usedBy: [home] }));
    assert.deepEqual(await pruneReleases(bench.host, { deployDir, keep }), kept);
    assert.deepEqual(await removeRelease(bench.host, { deployDir, releaseId: first.releaseId }), kept[0]);
  });

  it("keeps the release of a process whose home an earlier package made elsewhere", async () => {
    const [first, second, third] = toys;
    const { deployDir } = bench;
    const home = await homeElsewhere(first);
    rmSync(join(deployDir, "releases/.homes"), { recursive: true });
    await startProcess(bench.host, "be", home);
    const pruned = await pruneReleases(bench.host, { deployDir, keep: [third.releaseId] });
    assert.deepEqual(pruned, [
      { releaseId: first.releaseId, removed: false, usedBy: [home] },
      { releaseId: second.releaseId, removed: true, usedBy: [] },
    ]);
  });

  it("is not kept from it by a home of another deployDir with the same release", async () => {
    const [first] = toys;
    const { deployDir } = bench;
    const other = join(bench.folder, "other");
    await stageRelease(bench.host, {
      ...{ deployDir: other, javaHome: bench.javaHome, parts: ["be"], source: { archive: first.archive } },
      ...first,
    });
    const home = join(deployDir, "be of other");
    const options = { home, kind: "be", releaseId: first.releaseId } as const;
    await prepareHome(bench.host, options);
    await switchTo(bench.host, { ...options, releaseFolder: releaseFolder(other, first.releaseId) });
    assert.equal((await removeRelease(bench.host, { deployDir, releaseId: first.releaseId }))?.removed, true);
    assert.equal((await removeRelease(bench.host, { deployDir: other, releaseId: first.releaseId }))?.removed, false);
  });

  it("leaves nothing where nothing is used any more", async () => {
    const { deployDir } = bench;
    rmSync(await homeElsewhere(toys[0]), { recursive: true });
    await pruneReleases(bench.host, { deployDir, keep: [] });
    assert.equal(existsSync(join(deployDir, "releases")), false);
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

  it("keeps what another operation has staged and waits to switch to, until a day has passed", async () => {
    const [first, second, third] = toys;
    const { deployDir } = bench;
    const idsOf = (seen: Awaited<ReturnType<typeof pruneReleases>>) =>
      seen.filter(({ removed }) => removed).map(({ releaseId }) => releaseId);
    await expectReleases(bench.host, { deployDir, releaseIds: [second.releaseId] });
    const keep = [third.releaseId];
    assert.deepEqual(idsOf(await pruneReleases(bench.host, { deployDir, keep })), [first.releaseId]);
    const dayAgo = Date.now() / 1000 - 86_400;
    utimesSync(join(deployDir, "releases/.expected", second.releaseId), dayAgo, dayAgo);
    assert.deepEqual(idsOf(await pruneReleases(bench.host, { deployDir, keep })), [second.releaseId]);
    assert.deepEqual(left(), [third.releaseId]);
  });

  it("is through with what it keeps: the next one that is needed no more goes as well", async () => {
    const [first, second, third] = toys;
    const { deployDir } = bench;
    await expectReleases(bench.host, { deployDir, releaseIds: [first.releaseId, second.releaseId] });
    await pruneReleases(bench.host, { deployDir, keep: toys.map(({ releaseId }) => releaseId) });
    await pruneReleases(bench.host, { deployDir, keep: [third.releaseId] });
    assert.deepEqual(left(), [third.releaseId]);
  });

  it("removes the release of a host that is given up, whoever expected it", async () => {
    const { deployDir } = bench;
    for (const { releaseId } of toys) {
      await expectReleases(bench.host, { deployDir, releaseIds: [releaseId] });
      assert.equal((await removeRelease(bench.host, { deployDir, releaseId }))?.removed, true);
    }
    assert.equal(existsSync(join(deployDir, "releases")), false);
  });

  it("finds nothing where nothing was ever staged", async () => {
    assert.deepEqual(await pruneReleases(bench.host, { deployDir: join(bench.folder, "none"), keep: [] }), []);
  });
});
