import assert from "node:assert/strict";
import fs from "node:fs";
import { featuresOf } from "../../../simulator/fe/settings/version.js";
import { eventually, Lab } from "./lab.js";

const frontendTail = "ClusterId Join Alive ReplayedJournalId LastHeartbeat IsHelper ErrMsg StartTime Version";
const frontendHead = "Name IP EditLogPort HttpPort QueryPort RpcPort Role";
const backendHead =
  "IP HeartbeatPort BePort HttpPort BrpcPort LastStartTime LastHeartbeat Alive SystemDecommissioned ClusterDecommissioned TabletNum DataUsedCapacity AvailCapacity TotalCapacity UsedPct MaxDiskUsedPct ErrMsg Version Status DataTotalCapacity DataUsedPct";

const columns = {
  "2.1.8": [`${frontendHead} IsMaster ${frontendTail}`, `BackendId Cluster ${backendHead}`],
  "2.3.4": [`${frontendHead} IsMaster ${frontendTail}`, `BackendId Cluster ${backendHead} CpuCores`],
  "3.1.9": [
    `${frontendHead} ${frontendTail}`,
    `BackendId ${backendHead} CpuCores NumRunningQueries MemUsedPct CpuUsedPct`,
  ],
  "3.3.5": [
    `${frontendHead} ${frontendTail}`,
    `BackendId ${backendHead} CpuCores MemLimit NumRunningQueries MemUsedPct CpuUsedPct DataCacheMetrics Location`,
  ],
  "3.5.7": [
    `Id ${frontendHead} ${frontendTail}`,
    `BackendId ${backendHead} CpuCores MemLimit NumRunningQueries MemUsedPct CpuUsedPct DataCacheMetrics Location StatusCode`,
  ],
};

describe("simulator: what differs between versions of the frontend", function () {
  this.timeout(60_000);
  const lab = new Lab();

  after(() => lab.close());

  it("has the columns of its version", async () => {
    const check = async (version: string, [frontends, backends]: readonly string[]) => {
      const fe = await lab.found({ version });
      await fe.sql('ALTER SYSTEM ADD BACKEND "127.9.9.9:9050"');
      const [frontend] = await fe.sql("SHOW FRONTENDS");
      const [backend] = await fe.sql("SHOW BACKENDS");
      assert.equal(Object.keys(frontend ?? {}).join(" "), frontends, version);
      assert.equal(Object.keys(backend ?? {}).join(" "), backends, version);
      assert.equal(frontend?.Role, version.startsWith("2") ? "FOLLOWER" : "LEADER");
      await fe.stop();
    };
    await Promise.all(Object.entries(columns).map(([version, expected]) => check(version, expected)));
  });

  it("knows the recovery key of its version only", () => {
    const reset = "bdbje_reset_election_group";
    const failure = "metadata_failure_recovery";
    const keys = {
      "2.3.4": failure,
      "3.1.9": failure,
      "3.1.10": reset,
      "3.2.4": failure,
      "3.2.5": reset,
      "3.3.0": reset,
      "4.0.1": reset,
    };
    for (const [version, key] of Object.entries(keys)) {
      assert.equal(featuresOf(version).recoveryKey, key, version);
    }
  });

  it("rehearses a newer version on a copy of a group's metadata, alone", async () => {
    const [leader, ...followers] = await lab.group();
    await leader.sql("CREATE DATABASE production");
    const copy = (options: Record<string, string>, version = "3.5.8") => {
      const fe = lab.frontend({ version, conf: { edit_log_port: 19010, ...options } });
      fs.cpSync(leader.file("meta"), fe.file("meta"), { recursive: true });
      const file = fe.file("meta/image/VERSION");
      fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/clusterId=\d+/, "clusterId=1999999999"));
      fe.start();
      return fe;
    };
    const rehearsal = copy({ bdbje_reset_election_group: "true" });
    await rehearsal.ready();
    const rows = await rehearsal.sql("SHOW FRONTENDS");
    assert.deepEqual(
      rows.map((row) => [row.IP, row.Role, row.ClusterId]),
      [[rehearsal.address, "LEADER", "1999999999"]],
    );
    assert.ok((await rehearsal.sql("SHOW DATABASES")).some((row) => row.Database === "production"));
    assert.match(
      rehearsal.log,
      /correct the node name [\s\S]*group has been reset\.[\s\S]*LEADER[\s\S]*can write now\.[\s\S]*FE started successfully/,
    );
    await rehearsal.sql("ALTER SYSTEM CREATE IMAGE");
    await eventually("its image", async () => rehearsal.log.includes("checkpoint finished save image."));

    const forgotten = copy({ metadata_failure_recovery: "true" });
    await eventually("the wait", async () => forgotten.log.includes("is ready: false"));
    assert.ok(forgotten.isRunning);
    await assert.rejects(forgotten.get(8030, "/api/health"), { code: "ECONNREFUSED" });
    await eventually("the crime", async () =>
      followers.some((fe) => fe.crimes.some(({ crime }) => /copy of a member/.test(crime ?? ""))),
    );
  });

  it("notes it when an older version reads what a newer one wrote", async () => {
    const newer = await lab.found({ version: "3.5.7" });
    const older = await lab.follower(newer, { version: "3.4.2" });
    assert.ok(
      older.crimes.some(({ crime, writer }) => /newer version/.test(crime ?? "") && writer === "3.5.7-d2da301"),
    );
    const dying = lab.frontend({ version: "3.4.2", options: { dieOnNewerJournal: true } });
    await newer.sql(`ALTER SYSTEM ADD FOLLOWER "${dying.address}:9010"`);
    dying.start(newer);
    assert.equal(await dying.exitCode(), 255);
    assert.match(dying.log, /UNKNOWN Operation Type/);
  });
});
