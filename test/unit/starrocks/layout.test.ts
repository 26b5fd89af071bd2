import assert from "node:assert/strict";
import { homePaths, incomingArchive, kindLayouts, releaseFolder } from "../../../provider/starrocks/layout.js";

describe("layout", () => {
  it("is what docs and earlier releases of this package say", () => {
    assert.equal(releaseFolder("/opt/starrocks", "3.5.7-0123456789ab"), "/opt/starrocks/releases/3.5.7-0123456789ab");
    assert.equal(incomingArchive("/opt/starrocks", "ABCD"), "/opt/starrocks/releases/.incoming/abcd.tar.gz");
    assert.deepEqual(homePaths("/opt/starrocks/be", "cn"), {
      home: "/opt/starrocks/be",
      bin: "/opt/starrocks/be/bin",
      startScript: "/opt/starrocks/be/bin/start_cn.sh",
      stopScript: "/opt/starrocks/be/bin/stop_cn.sh",
      pidFile: "/opt/starrocks/be/bin/cn.pid",
      conf: "/opt/starrocks/be/conf/cn.conf",
      log: "/opt/starrocks/be/log",
      state: "/opt/starrocks/be/state",
      views: "/opt/starrocks/be/views",
      current: "/opt/starrocks/be/current",
      previous: "/opt/starrocks/be/previous",
      marker: "/opt/starrocks/be/.pulumi-starrocks.json",
    });
  });

  it("runs a CN from the be part, and tells it from a BE by its argument", () => {
    assert.equal(kindLayouts.cn.part, "be");
    assert.equal(kindLayouts.cn.process.having, "--cn");
    assert.ok(kindLayouts.be.process.without.includes("--cn"));
  });
});
