import assert from "node:assert/strict";
import { beVerdict, feVerdict } from "../../../provider/starrocks/verdicts.js";
import { versionOf } from "../../../provider/starrocks/versions.js";

const v3 = versionOf("3.5.7");

const start =
  "2026-11-22 20:53:21.000+08:00 INFO (main|1) [StarRocksFE.start():123] StarRocks FE starting, version: 3.5.7-d2da301";
const notAdded =
  "2026-11-22 20:53:23.000+08:00 WARN (main|1) [NodeMgr.getClusterIdAndRoleOnStartup():381] current node is not added to the group. please add it first. sleep 5 seconds and retry, current helper nodes: [10.77.0.11:9010]";
const added = "get fe node type FOLLOWER, name 10.77.0.12_9010_1 from 10.77.0.11:8030";
const waiting = (type: string) =>
  `2026-11-22 20:53:25.000+08:00 INFO (main|1) [GlobalStateMgr.waitForReady():1] wait globalStateMgr to be ready. FE type: ${type}. is ready: false`;
const ready = "2026-11-22 20:53:31.000+08:00 INFO (main|1) [StarRocksFE.start():207] FE started successfully";

describe("verdicts", () => {
  describe("feVerdict", () => {
    const states: [string, string[], string][] = [
      ["no line", [], "starting"],
      ["the first line", [start], "starting"],
      ["a node that is not added", [start, notAdded], "waiting-to-be-added"],
      [
        "a helper that does not answer",
        [start, "failed to get fe node type from helper node: 10.77.0.11:9010. response code: 400"],
        "waiting-to-be-added",
      ],
      ["a node that was added after all", [start, notAdded, added], "starting"],
      ["no leader", [start, waiting("INIT")], "waiting-for-majority"],
      ["a lost leader", [start, waiting("UNKNOWN")], "waiting-for-majority"],
      ["a replay", [start, waiting("INIT"), waiting("LEADER")], "starting"],
      ["readiness", [start, notAdded, waiting("INIT"), ready], "ready"],
      ["a warning that is repeated in another file", [start, ready, notAdded], "ready"],
      ["a death after readiness", [start, ready, "transfer FE type from LEADER to UNKNOWN. exit"], "failed"],
      ["an early part of the end, not the end", [start, "QE service start"], "starting"],
    ];
    for (const [name, lines, state] of states) {
      it(`reads ${name} as ${state}`, () => assert.equal(feVerdict(lines, v3).state, state));
    }

    it("knows the last line of 2.x", () =>
      assert.equal(feVerdict(["QE service start"], versionOf("2.3.0")).state, "ready"));

    const failures: [string, RegExp][] = [
      [
        "[NodeMgr.getCheckedSelfHostPort():667] edit_log_port 9010 is already in use. will exit.",
        /metadata log is taken/,
      ],
      ["Fail to start FE query http server[port: 8030]", /HTTP port/],
      ["Fail to start FE query http(s) server[port: 8030]", /HTTP port/],
      ["thrift server start failed with port 9020 , will exit", /RPC port/],
      ["mysql server start failed", /query port/],
      ["Clock delta: 6123 ms. between x exceeds max permissible delta: 5000 ms.", /clocks/],
      ["current node is not added to the cluster, will exit", /dropped this FE/],
      ["this node is DETACHED", /dropped this FE/],
      ["cluster id is not equal with helper node 10.0.0.1. will exit.", /another cluster/],
      ["token is not equal with helper node", /another cluster/],
      ["image exists, but bdb dir is empty, set start_with_incomplete_meta", /incomplete copy/],
      ["Unmatched run mode between config file and version file", /run_mode/],
      ["catch exception when replaying", /could not read its metadata/],
      ["got interrupt exception or inconsistent exception when replay journal 5, will exit", /could not read/],
      ["UNKNOWN Operation Type 13519", /newer StarRocks/],
      ["Error: JDK 11 is not supported, please use JDK version 17 or higher", /Java/],
      ["Error: JAVA_HOME is not set.", /Java/],
      ["com.sleepycat.je.DatabaseNotFoundException: (JE 18.3.16) _jeRepGroupDB", /empty metadata log/],
      ["pid file is already locked.", /pid file/],
      ["java.io.IOException: UNKNOWN Operation Type 13519", /newer StarRocks/],
      ["Terminating due to java.lang.OutOfMemoryError: Java heap space", /out of memory/],
      ["StarRocksFE start failed", /could not start/],
    ];
    for (const [line, meaning] of failures) {
      it(`explains "${line}"`, () => {
        const verdict = feVerdict([start, line], v3);
        assert.equal(verdict.state, "failed");
        assert.equal(verdict.line, line);
        assert.match(verdict.meaning ?? "", meaning);
        assert.ok(verdict.advice);
      });
    }

    const harmless = [
      "-Xmx8g -XX:+UseG1GC -XX:+HeapDumpOnOutOfMemoryError -XX:OnOutOfMemoryError=/bin/true -XX:+ExitOnOutOfMemoryError",
      "2026-11-26 20:22:53.120Z WARN (replayer|93) [EditLog.loadJournal():1066] UNKNOWN Operation Type 13519",
    ];
    for (const line of harmless) {
      it(`takes "${line}" for no failure`, () => {
        assert.equal(feVerdict([start, line], v3).state, "starting");
        assert.equal(feVerdict([start, line, "FE started successfully"], v3).state, "ready");
      });
    }

    it("prefers the cause to the general line before it", () => {
      const lines = ["StarRocksFE start failed", "DatabaseNotFoundException: (JE 18.3.16) _jeRepGroupDB"];
      assert.match(feVerdict(lines, v3).meaning ?? "", /empty metadata log/);
    });
  });

  describe("beVerdict", () => {
    const states: [string, string[], string][] = [
      ["nothing", [], "starting"],
      ["steps", ["I1122 20:53:21.1 1 starrocks_be.cpp:1] BE start step 3: storage engine"], "starting"],
      ["readiness", ["I1122 20:53:21.1 1 starrocks_be.cpp:1] BE started successfully"], "ready"],
      ["a CN's readiness", ["I1122 20:53:21.1 1 x.cpp:1] CN started successfully"], "ready"],
      [
        "the wait of 2.x",
        ["I1122 20:53:21.1 1 x.cpp:1] Waiting to receive first heartbeat from frontend"],
        "waiting-to-be-added",
      ],
    ];
    for (const [name, lines, state] of states) {
      it(`reads ${name} as ${state}`, () => assert.equal(beVerdict(lines, v3).state, state));
    }
    it("knows the last line of 2.x", () =>
      assert.equal(
        beVerdict(["StarRocks BE HeartBeat Service started correctly."], versionOf("2.3.0")).state,
        "ready",
      ));

    const failures: [string, RegExp][] = [
      ["StarRocks Be http service did not start correctly, exiting", /HTTP port/],
      [
        "E1122 20:53:21.1 1 x.cpp:1] BE http server did not start correctly, exiting: Failed to listen port. port: 8040",
        /HTTP port/,
      ],
      ["Fail to start BackendService thrift server on port 9060", /thrift port/],
      ["BRPC service did not start correctly, exiting errcoe: 1", /bRPC/],
      ["BE heartbeat server did not start correctly, exiting", /heartbeat port/],
      ["BE heartbeat server dint not start correctlr, exiting", /heartbeat port/],
      ["Please use (ulimit -n): File descriptor number is less than 60000.", /too few files/],
      ["F1122 20:53:21.123456 1 x.cpp:1] CPU flags check failed! The following instruction sets", /CPU instructions/],
      ["starrocks_be: error while loading shared libraries: libjvm.so: cannot open", /Java library/],
      ["starrocks_be: error while loading shared libraries: libfoo.so: cannot open", /does not fit this host/],
      ["parse config storage path failed, path=/d1", /storage folder/],
      ["W1122 20:53:21.1 1 x.cpp:1] failed to flock cluster id file /d1/cluster_id", /another BE/],
      ["F20261122 20:53:21.123456 1 x.cpp:1] something unheard of", /crashed/],
      ["*** Aborted at 1795380225 (unix time) try", /crashed/],
    ];
    for (const [line, meaning] of failures) {
      it(`explains "${line}"`, () => {
        const verdict = beVerdict(["I1122 20:53:20.1 1 x.cpp:1] BE start step 1: daemon", line], v3);
        assert.equal(verdict.state, "failed");
        assert.match(verdict.meaning ?? "", meaning);
      });
    }
  });
});
