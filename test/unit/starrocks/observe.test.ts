import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureFolders } from "../../../provider/starrocks/folders.js";
import { type HomeMarker, writeHomeMarker } from "../../../provider/starrocks/marker.js";
import { observeHome } from "../../../provider/starrocks/observe.js";
import { startProcess } from "../../../provider/starrocks/start.js";
import { onlyDeclaredPrograms } from "./declared-programs.js";
import { type Bench, buildToy, openBench } from "./toy.js";

describe("observeHome", function () {
  onlyDeclaredPrograms();
  this.timeout(30_000);
  let bench: Bench;
  beforeEach(() => {
    bench = openBench();
  });
  afterEach(() => bench.clear());

  it("tells of a home that does not exist", async () => {
    const seen = await observeHome(bench.host, { home: join(bench.folder, "none"), kind: "fe" });
    assert.deepEqual({ ...seen, at: 0 }, { exists: false, viewComplete: false, data: [], at: 0 });
  });

  it("tells all of a running node in one round trip", async () => {
    const toy = buildToy(bench.folder, { version: "3.5.7" });
    const home = await bench.makeHome("be", "be", toy);
    const storage = join(bench.folder, "disk 1");
    const marker: HomeMarker = { schema: 1, cluster: "c", node: "be-1", kind: "be", releases: [] };
    const text = "# a comment\nbe_port = 9060\n\n";
    const owner = { schema: 1, cluster: "c", node: "be-1", kind: "be" } as const;
    await ensureFolders(bench.host, [{ path: storage, purpose: "storage of BE be-1", marker: owner }]);
    writeFileSync(join(storage, "cluster_id"), "1316123523-1");
    await writeHomeMarker(bench.host, home, marker);
    writeFileSync(join(home, "conf/be.conf"), text);
    await startProcess(bench.host, "be", home);

    const trips = bench.host.trips;
    const seen = await observeHome(bench.host, { home, kind: "be", dataFolders: [storage, join(storage, "none")] });
    assert.equal(bench.host.trips, trips + 1);
    assert.equal(seen.exists, true);
    assert.deepEqual(seen.marker, marker);
    assert.deepEqual(
      [seen.current, seen.binRelease, seen.previous, seen.viewComplete],
      [toy.releaseId, toy.releaseId, undefined, true],
    );
    assert.deepEqual([seen.conf?.text, seen.conf?.sha256], [text, createHash("sha256").update(text).digest("hex")]);
    assert.ok(seen.process);
    assert.deepEqual(
      seen.data.map((folder) => [folder.state, folder.state === "data" && folder.content.clusterId]),
      [
        ["data", 1_316_123_523],
        ["missing", false],
      ],
    );
  });

  it("shows a release's conf file where the home has none", async () => {
    const home = await bench.makeHome("be", "be", buildToy(bench.folder, { version: "3.5.7" }));
    const template = join(bench.folder, "released.conf");
    writeFileSync(template, "be_port = 9060\n");
    const seen = async () => {
      const { conf, template: released } = await observeHome(bench.host, { home, kind: "be", template });
      return [conf?.text, released];
    };
    assert.deepEqual(await seen(), [undefined, "be_port = 9060\n"]);
    writeFileSync(join(home, "conf/be.conf"), "be_port = 1\n");
    assert.deepEqual(await seen(), ["be_port = 1\n", undefined]);
  });

  it("does not call a view complete that lost a link's target, or its release", async () => {
    const toy = buildToy(bench.folder, { version: "3.5.7" });
    const home = await bench.makeHome("be", "be", toy);
    const complete = async (): Promise<boolean> => (await observeHome(bench.host, { home, kind: "be" })).viewComplete;
    assert.equal(await complete(), true);
    rmSync(join(home, "state/udf"), { recursive: true });
    assert.equal(await complete(), false);
    mkdirSync(join(home, "state/udf"));
    assert.equal(await complete(), true);
    const release = join(bench.deployDir, "releases", toy.releaseId);
    await bench.host.run(["chmod", "-R", "u+w", release]);
    rmSync(release, { recursive: true });
    assert.equal(await complete(), false);
  });
});
