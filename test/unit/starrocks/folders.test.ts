import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type DataFolder,
  describeFolder,
  ensureFolders,
  inspectData,
  ownershipOf,
} from "../../../provider/starrocks/folders.js";
import { localHost } from "./local-host.js";
import { type Bench, isRoot, nobody, openBench } from "./toy.js";

describe("folders", () => {
  let bench: Bench;
  beforeEach(() => {
    bench = openBench();
  });
  afterEach(() => bench.clear());

  describe("ensureFolders", () => {
    it("creates what is missing, and leaves what is there, in one round trip", async () => {
      const there = join(bench.folder, "there");
      mkdirSync(there);
      writeFileSync(join(there, "file"), "");
      const path = join(bench.folder, "a/b c");
      const wanted = [there, path].map((one) => ({ path: one, purpose: "storage of BE be-1" }));
      assert.deepEqual(await ensureFolders(bench.host, wanted), { created: [path] });
      assert.deepEqual(await ensureFolders(bench.host, wanted), { created: [] });
      assert.equal(bench.host.trips, 2);
      assert.deepEqual([...readdirSync(there), ...readdirSync(path)], ["file"]);
    });

    it("marks folders once all of them are proven writable", async () => {
      const marker = { schema: 1, cluster: "analytics", node: "be-1", kind: "be" } as const;
      const [disk, file] = [join(bench.folder, "disk"), join(bench.folder, "file")];
      writeFileSync(file, "");
      const wanted = [disk, file].map((path) => ({ path, purpose: "storage of BE be-1", marker }));
      await assert.rejects(ensureFolders(bench.host, wanted), /it is not a folder/);
      assert.deepEqual(readdirSync(disk), []);
      await ensureFolders(bench.host, wanted.slice(0, 1));
      assert.deepEqual(JSON.parse(readFileSync(join(disk, ".pulumi-starrocks.json"), "utf8")), marker);
    });

    it("names every folder that the user may not write in, its owner, and the command that helps", async function () {
      if (!isRoot) {
        this.skip();
      }
      const sealed = join(bench.folder, "data");
      mkdirSync(sealed, { mode: 0o755 });
      writeFileSync(join(bench.folder, "file"), "");
      const paths = [sealed, join(sealed, "fe/meta"), join(bench.folder, "file")];
      const attempt = ensureFolders(
        localHost(nobody),
        paths.map((path) => ({ path, purpose: "metadata of FE fe-1" })),
      );
      await assert.rejects(attempt, (error: Error) => {
        const [existing = "", missing = "", file = ""] = error.message.split("\n");
        assert.match(
          existing,
          /data \(metadata of FE fe-1\) on local .* by nobody, but Permission denied \(.*data: root:root, mode 755\)/,
        );
        assert.match(
          missing,
          /cannot create directory .*\(.*data: root:root, mode 755\)\. Run: sudo mkdir -p '.*fe\/meta' && sudo chown nobody: /,
        );
        assert.match(file, /it is not a folder\. Move it away/);
        return true;
      });
    });
  });

  describe("inspectData", () => {
    const only = async (path: string, host = bench.host): Promise<DataFolder> => {
      const [folder] = await inspectData(host, [path]);
      assert.ok(folder);
      return folder;
    };

    it("knows missing, empty, and foreign data of an FE and a BE", async () => {
      const [meta, storage, empty] = ["meta", "disk", "empty"].map((name) => join(bench.folder, name));
      assert.ok(meta && storage && empty);
      mkdirSync(join(meta, "image"), { recursive: true });
      mkdirSync(join(meta, "bdb"));
      mkdirSync(storage);
      mkdirSync(join(empty, "lost+found"), { recursive: true });
      writeFileSync(join(meta, "image/VERSION"), "#Sun\nclusterId=1316123523\ntoken=secret\n");
      writeFileSync(join(meta, "image/ROLE"), "role=FOLLOWER\nname=10.0.0.1_9010_1");
      writeFileSync(join(storage, "cluster_id"), "77-3");
      const trips = bench.host.trips;
      const seen = await inspectData(bench.host, [meta, storage, empty, join(bench.folder, "none")]);
      assert.equal(bench.host.trips, trips + 1);
      assert.deepEqual(seen, [
        {
          path: meta,
          state: "data",
          content: {
            clusterId: 1_316_123_523,
            role: "role=FOLLOWER\nname=10.0.0.1_9010_1",
            hasVersion: true,
            count: 2,
            names: ["bdb", "image"],
          },
        },
        {
          path: storage,
          state: "data",
          content: { clusterId: 77, hasVersion: false, count: 1, names: ["cluster_id"] },
        },
        { path: empty, state: "empty" },
        { path: join(bench.folder, "none"), state: "missing" },
      ]);
      assert.equal(describeFolder(await only(storage)), "data without a marker, cluster id 77, 1 entries (cluster_id)");
    });

    it("knows whose data it is by our marker", async () => {
      const owner = { cluster: "analytics", node: "be-1", kind: "be" } as const;
      const path = join(bench.folder, "disk");
      mkdirSync(path);
      await ensureFolders(bench.host, [{ path, purpose: "storage of BE be-1", marker: { schema: 1, ...owner } }]);
      assert.equal(ownershipOf(await only(path), owner), "empty");
      writeFileSync(join(path, "data"), "");
      assert.equal(ownershipOf(await only(path), owner), "ours");
      assert.equal(ownershipOf(await only(path), { ...owner, node: "be-2" }), "foreign");
      assert.equal(ownershipOf(await only(path), { ...owner, cluster: "other" }), "foreign");
      assert.equal(describeFolder(await only(path)), 'data of BE "be-1" of cluster "analytics", 1 entries (data)');
      assert.deepEqual(readdirSync(path).toSorted(), [".pulumi-starrocks.json", "data"]);
    });

    it("calls a folder unreadable that it may not look into", async function () {
      if (!isRoot) {
        this.skip();
      }
      const path = join(bench.folder, "disk");
      mkdirSync(path);
      chownSync(path, 1, 1);
      chmodSync(path, 0o700);
      const folder = await only(path, localHost(nobody));
      assert.match(describeFolder(folder), /^unreadable: it belongs to \w+:\w+, mode 700$/);
      assert.equal(ownershipOf(folder, { cluster: "c", node: "n", kind: "be" }), "foreign");
      assert.equal(existsSync(join(path, ".pulumi-starrocks.json")), false);
    });
  });
});
