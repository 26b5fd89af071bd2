import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { buildRelease } from "../../../simulator/release.js";

describe("simulator: release archive", () => {
  const folder = mkdtempSync(join(tmpdir(), "starrocks-release-"));
  const fe = join(__dirname, "../scripts/stub-fe.js");
  const build = (version: string, more: object = {}) =>
    buildRelease({ version, directory: folder, programs: { fe }, ...more });
  const list = (archive: string): readonly string[] =>
    execFileSync("tar", ["tzf", archive], { encoding: "utf8" }).trim().split("\n");

  after(() => rmSync(folder, { recursive: true, force: true }));

  it("has the same bytes each time, and is small", async () => {
    const first = await build("3.5.7");
    const second = await build("3.5.7");
    assert.equal(first.sha256, second.sha256);
    assert.equal(first.commit, "d2da301");
    assert.equal(execFileSync("sha256sum", [first.archive], { encoding: "utf8" }).split(" ")[0], first.sha256);
    assert.ok(statSync(first.archive).size < 3_000_000);
  });

  it("has other bytes with a fault inside", async () => {
    const good = await build("3.5.8");
    const bad = await build("3.5.8", { be: { faults: [{ fault: "dieAtStart" }] } });
    assert.notEqual(good.sha256, bad.sha256);
  });

  for (const [version, name, present, absent] of [
    [
      "2.3.0",
      "StarRocks-2.3.0",
      ["fe/lib/je-7.3.7.jar", "be/bin/start_backend.sh", "be/lib/jvm/amd64/server/libjvm.so"],
      ["fe/hive-udf/", "be/lib/libjemalloc.so.2"],
    ],
    [
      "2.1.0",
      "StarRocks-2.1.0",
      ["be/bin/stop_be.sh"],
      ["be/bin/start_backend.sh", "be/bin/stop_cn.sh", "be/conf/cn.conf"],
    ],
    ["3.1.9", "StarRocks-3.1.9", ["fe/lib/starrocks-bdb-je-18.3.16.jar"], ["fe/conf/cluster_snapshot.yaml"]],
    [
      "3.3.5",
      "StarRocks-3.3.5-ubuntu-amd64",
      ["fe/lib/starrocks-bdb-je-18.3.19.jar", "fe/hive-udf/"],
      ["be/lib/libjemalloc.so.2"],
    ],
    [
      "3.5.7",
      "StarRocks-3.5.7-ubuntu-amd64",
      [
        "fe/lib/starrocks-bdb-je-18.3.20.jar",
        "be/lib/libjemalloc.so.2",
        "fe/conf/cluster_snapshot.yaml",
        "apache_hdfs_broker/",
        "LICENSE.txt",
        "NOTICE.txt",
      ],
      ["be/lib/jemalloc/"],
    ],
    [
      "4.1.0",
      "StarRocks-4.1.0-ubuntu-amd64",
      ["fe/lib/fe-core-main.jar", "be/lib/jemalloc/libjemalloc.so.2"],
      ["be/lib/libjemalloc.so.2"],
    ],
  ] as const) {
    it(`has the layout of ${version}`, async () => {
      const { archive } = await build(version);
      const files = list(archive);
      assert.equal(basename(archive), `${name}.tar.gz`);
      for (const path of ["fe/lib/starrocks-fe.jar", "be/lib/starrocks_be", "fe/spark-dpp/", "be/www/", ...present]) {
        assert.ok(files.includes(`${name}/${path}`), path);
      }
      for (const path of absent) {
        assert.ok(!files.includes(`${name}/${path}`), path);
      }
    });
  }

  it("can lie in its name, leave out a part and the top folder, and be as big as wanted", async () => {
    const { archive, version } = await build("3.5.7", {
      archiveVersion: "3.5.9",
      topLevel: "",
      parts: ["be"],
      padBytes: 5_000_000,
    });
    const files = list(archive);
    assert.equal(version, "3.5.7");
    assert.equal(basename(archive), "StarRocks-3.5.9-ubuntu-amd64.tar.gz");
    assert.ok(files.includes("be/lib/starrocks_be"));
    assert.ok(!files.some((path) => path.startsWith("fe/")));
    assert.ok(statSync(archive).size > 5_000_000);
  });
});
