// biome-ignore-all lint/suspicious/noTemplateCurlyInString: be.conf has them.
import assert from "node:assert/strict";
import { request } from "node:http";
import { type Finished, finishTask, submitTasks } from "../../../simulator/be/service/agent.js";
import { callThrift, createThriftServer } from "../../../simulator/thrift/rpc.js";
import { heartbeat, report } from "../../../simulator/thrift/services.js";
import type { HeartbeatResult, MasterInfo, ReportRequest } from "../../../simulator/thrift/structs.js";
import { eventually, gone, type Home, openWorkshop, ready, type Workshop } from "../scripts/workshop.js";

const http = (be: Home, path: string, body?: object): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { host: be.address, port: 8040, path, method: body === undefined ? "GET" : "POST" };
    const call = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    call.on("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });

const beat = (be: Home, change: Partial<MasterInfo> = {}): Promise<HeartbeatResult> =>
  callThrift({ host: be.address, port: 9050, timeoutMs: 3000 }, heartbeat, {
    networkAddress: { hostname: be.address, port: 9020 },
    clusterId: 7,
    epoch: 1,
    token: "token",
    backendIp: be.address,
    httpPort: 8030,
    backendId: 10_001,
    nodeType: 0,
    ...change,
  });

describe("simulator: a running BE", () => {
  let shop: Workshop;
  const start = async (be: Home): Promise<number> => {
    await be.run(": > log/be.INFO 2>/dev/null; rm -f bin/be.pid; bin/start_be.sh --daemon");
    await ready(be);
    return be.pid();
  };
  const kill = async (pid: number, signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    process.kill(pid, signal);
    await gone(pid);
  };
  /** Starts a BE that is to fail and returns its last words. */
  const fail = async (be: Home): Promise<string> => {
    await be.run("rm -f bin/be.pid; bin/start_be.sh --daemon");
    await gone(await be.pid());
    return (await be.read("log/be.out")) + (await be.read("log/be.WARNING"));
  };

  before(async () => {
    shop = await openWorkshop();
  });
  after(() => shop.close());

  it("answers an FE's heartbeats, remembers the cluster on disk and refuses another one", async () => {
    const be = await shop.home("be", { version: "3.5.7" });
    const pid = await start(be);
    const before = Math.floor(Date.now() / 1000);
    const { status, backendInfo } = await beat(be);
    assert.equal(status.statusCode, 0);
    assert.equal(backendInfo.version, "3.5.7-d2da301");
    assert.deepEqual(
      [backendInfo.bePort, backendInfo.httpPort, backendInfo.brpcPort, backendInfo.starletPort],
      [9060, 8040, 8060, 9070],
    );
    assert.ok((backendInfo.rebootTime ?? 0) >= before);
    assert.equal(await be.read("storage/cluster_id"), "7-3.5.7");
    await kill(pid);
    await start(be);
    const refused = await beat(be, { clusterId: 8, token: "other" });
    assert.deepEqual(refused.status.errorMsgs, ["Unmatched cluster id"]);
    assert.match(await be.read("log/be.WARNING"), /Fail to handle heartbeat: Unmatched cluster id/);
    assert.match(
      await be.read("log/sim-crimes.log"),
      /killed before this start.*\n.*heartbeat of another cluster's FE/,
    );
    const wrong = await beat(be, { backendIp: "10.9.9.9" });
    assert.deepEqual(wrong.status.errorMsgs, ["FE saved address not match backend address"]);
  });

  it("serves HTTP as a real one, and ends at once when asked by anyone", async () => {
    const be = await shop.home("be", { version: "3.5.7" });
    const pid = await start(be);
    assert.equal(await http(be, "/api/health"), '{"status": "OK","msg": "To Be Added"}');
    assert.match(await http(be, "/"), /3\.5\.7-d2da301/);
    assert.match(await http(be, "/varz"), /^be_http_port=8040$/m);
    assert.match(await http(be, "/metrics"), /^starrocks_be_process_mem_bytes \d+$/m);
    assert.equal(JSON.parse(await http(be, "/api/update_config?compact_threads=8", {})).status, "OK");
    assert.equal(JSON.parse(await http(be, "/api/update_config?be_port=1", {})).status, "BAD");
    assert.equal(await http(be, "/api/_stop_be"), '{"status": "OK"}');
    await gone(pid);
  });

  it("keeps over kill -9 what it acknowledged, and hands it to another BE", async () => {
    const [one, two] = await Promise.all([
      shop.home("be", { version: "3.5.7" }),
      shop.home("be", { version: "3.5.7" }),
    ]);
    const [pid] = await Promise.all([start(one), start(two)]);
    const row = ["k", 1];
    assert.equal(await http(one, "/api/sim/tablet/5/create", {}), '{"status":"OK"}');
    const written = await http(one, "/api/sim/tablet/5/write", { version: 2, prevVersion: 1, rows: [row] });
    await kill(pid);
    assert.equal(written, '{"status":"OK"}');
    await start(one);
    const expected = JSON.stringify({ status: "OK", version: 2, rows: [row] });
    assert.equal(await http(one, "/api/sim/tablet/5?version=2"), expected);
    const source = { fromHost: one.address, fromHttpPort: 8040, version: 2 };
    assert.equal(await http(two, "/api/sim/tablet/5/clone", source), '{"status":"OK"}');
    assert.equal(await http(two, "/api/sim/tablet/5"), expected);
    assert.deepEqual(JSON.parse(await http(two, "/api/sim/tablets")).tablets[0].id, 5);
  });

  it("says SHUTDOWN while it waits for queries, from 3.4 on", async () => {
    const be = await shop.home("be", { version: "3.5.7" });
    const pid = await start(be);
    await beat(be);
    await be.write("sim/busy.json", '{"fault":"runningFragments"}');
    process.kill(pid, "SIGTERM");
    const answer = await eventually("SHUTDOWN", async () => {
      const { status } = await beat(be);
      return status.statusCode === 0 ? undefined : status;
    });
    assert.deepEqual(answer, { statusCode: 59, errorMsgs: ["BE is shutting down"] });
    await be.run("rm sim/busy.json");
    await gone(pid);
    assert.match(await be.read("log/be.INFO"), /BE exit step 1: .*\n(?:.*\n)*.*BE exited successfully\n$/);
  });

  it("reports its disks to the leader, and runs the tasks of whoever sends them", async () => {
    const be = await shop.home("be", { version: "3.5.7" });
    await start(be);
    const reports: ReportRequest[] = [];
    const finished: Finished[] = [];
    const noteIn =
      <T>(list: T[]) =>
      (sent: T) => {
        list.push(sent);
        return { status: { statusCode: 0 } };
      };
    const leader = createThriftServer([
      { ...report, handle: noteIn(reports) },
      { ...finishTask, handle: noteIn(finished) },
    ]).listen(9020, be.address);
    try {
      await beat(be);
      const { disks } = await eventually("a report", () => reports[0]);
      assert.deepEqual([...(disks?.keys() ?? [])], [`${be.path}/storage`]);
      const create = { taskType: 0, signature: 77, create: { tabletId: 77, version: 1 } };
      const answer = await callThrift({ host: be.address, port: 9060, timeoutMs: 3000 }, submitTasks, [create]);
      assert.equal(answer.status.statusCode, 0);
      const { signature, tablets } = await eventually("a finished task", () => finished[0]);
      assert.deepEqual([signature, tablets?.length], [77, 1]);
      assert.deepEqual(JSON.parse(await http(be, "/api/sim/tablets")).tablets[0].id, 77);
    } finally {
      leader.close();
    }
  });

  it("aborts on a storage path whose name ends like a medium that is none", async () => {
    const be = await shop.home("be", { version: "3.5.7" });
    await be.append("conf/be.conf", "storage_root_path = ${STARROCKS_HOME}/sr-3.5\n");
    const words = await fail(be);
    assert.match(words, /invalid storage medium\. medium=5/);
    assert.match(words, /parse config storage path failed, path=\S+\/sr-3\.5/);
  });

  it("refuses data that another BE holds, data of two clusters, a port in use, a bad value", async () => {
    const one = await shop.home("be", { version: "3.5.7" });
    const others = await Promise.all([1, 2, 3].map(() => shop.home("be", { version: "3.5.7" })));
    const [same, mixed, busy] = others;
    assert.ok(same !== undefined && mixed !== undefined && busy !== undefined);
    await start(one);
    await same.append("conf/be.conf", `storage_root_path = ${one.path}/storage\n`);
    await mixed.append("conf/be.conf", `storage_root_path = ${mixed.path}/a;${mixed.path}/b\n`);
    await mixed.run("mkdir a b; printf 7-3.5.7 > a/cluster_id; printf 8-3.5.7 > b/cluster_id");
    await busy.append("conf/be.conf", `priority_networks = ${one.address}/32\n`);
    const [locked, unequal, taken] = await Promise.all([fail(same), fail(mixed), fail(busy)]);
    assert.match(locked, /failed to flock cluster id file \S+\/storage\/cluster_id/);
    assert.match(unequal, /multiple cluster ids is not equal/);
    assert.match(taken, /Fail to start (starlet|BackendService thrift server) on port \d+: Address already in use/);
    await busy.append("conf/be.conf", "brpc_port = abc\n");
    assert.match(await fail(busy), /Invalid value of config.*\nerror read config file\./);
  });

  it("a build that writes a new data format leaves none for the old one", async () => {
    const be = await shop.home("be", { version: "3.5.7" });
    await be.write("sim/format.json", '{"fault":"newDataFormat"}');
    await kill(await start(be));
    await be.run("rm sim/format.json");
    assert.match(await fail(be), /unsupported data format 2/);
  });

  it("misbehaves while running when told: silent heartbeat, other version, sudden end", async () => {
    const be = await shop.home("be", {
      version: "3.5.7",
      be: { faults: [{ fault: "wrongVersion", version: "3.5.0" }] },
    });
    const pid = await start(be);
    assert.equal((await beat(be)).backendInfo.version, "3.5.0-d2da301");
    await be.write("sim/fault.json", '{"fault":"staleHeartbeat"}');
    const silent = callThrift({ host: be.address, port: 9050, timeoutMs: 200 }, heartbeat, {
      networkAddress: { hostname: be.address, port: 9020 },
      epoch: 1,
    });
    await assert.rejects(silent, { code: "ETIMEDOUT" });
    assert.match(await http(be, "/api/health"), /OK/);
    await be.write("sim/fault.json", '{"fault":"crashLoop","afterMs":0}');
    await gone(pid);
  });
});
