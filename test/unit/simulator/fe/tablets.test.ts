import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type BackendProcess, eventually, type FrontendProcess, Lab, rowOf } from "./lab.js";

const unhealthy = async (fe: FrontendProcess): Promise<number> =>
  Number((await fe.sql("SHOW PROC '/statistic'")).at(-1)?.UnhealthyTabletNum);

const aliveOf = async (fe: FrontendProcess, be: BackendProcess): Promise<string | undefined> =>
  rowOf(await fe.sql("SHOW BACKENDS"), be).Alive;

describe("simulator: tablets on three backends", function () {
  this.timeout(60_000);
  const lab = new Lab();
  let fe: FrontendProcess;
  let backends: BackendProcess[] = [];

  before(async () => {
    fe = await lab.found();
    backends = await lab.backends(fe, 3);
    await fe.sql("CREATE DATABASE d");
    await fe.sql(
      'CREATE TABLE d.t (k INT, v VARCHAR(20)) DISTRIBUTED BY HASH(k) BUCKETS 3 PROPERTIES ("replication_num" = "3")',
    );
    await fe.sql(
      'CREATE TABLE d.strict (k INT, v INT) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES ("replication_num" = "3", "write_quorum" = "ALL")',
    );
  });

  after(() => lab.close());

  const third = (): BackendProcess => backends[2] as BackendProcess;

  it("stores rows on all of them and reads them back", async () => {
    await fe.sql("INSERT INTO d.t VALUES (1, 'a'), (2, 'b'), (3, 'it''s')");
    assert.deepEqual(await fe.sql("SELECT count(*) AS n FROM d.t"), [{ n: 3 }]);
    assert.deepEqual(await fe.sql("SELECT k, v FROM d.t WHERE k = 3"), [{ k: 3, v: "it's" }]);
    assert.deepEqual(await fe.sql("SELECT v FROM d.t ORDER BY k DESC LIMIT 1"), [{ v: "it's" }]);
    const row = rowOf(await fe.sql("SHOW BACKENDS"), third());
    assert.deepEqual([row.TabletNum, row.StatusCode, row.Version, row.ErrMsg], ["4", "OK", "3.5.7-d2da301", ""]);
    assert.deepEqual(await fe.sql("SELECT current_version() AS v"), [{ v: "3.5.7-d2da301" }]);
    const [meta] = await fe.sql(
      "SELECT REPLICATION_NUM FROM information_schema.partitions_meta WHERE TABLE_NAME = 't'",
    );
    assert.equal(Number(meta?.REPLICATION_NUM), 3);
  });

  it("writes with a majority while one is dead, which /statistic does not show", async () => {
    await third().stop("SIGKILL");
    await fe.sql("INSERT INTO d.t VALUES (4, 'd')");
    await assert.rejects(fe.sql("INSERT INTO d.strict VALUES (1, 1)"), /Commit failed|Tablet lost replicas/);
    assert.equal(await aliveOf(fe, third()), "true", "four heartbeats must be missed");
    await eventually("its death", async () => (await aliveOf(fe, third())) === "false");
    const row = rowOf(await fe.sql("SHOW BACKENDS"), third());
    assert.deepEqual([row.ErrMsg, row.StatusCode], ["java.net.ConnectException: Connection refused", "DISCONNECTED"]);
    await fe.sql("INSERT INTO d.t VALUES (5, 'e')");
    await assert.rejects(
      fe.sql("INSERT INTO d.strict VALUES (1, 1)"),
      /Tablet lost replicas\. .*BeReplicaSize:2, quorum:3/,
    );
    assert.deepEqual(await fe.sql("SELECT count(*) AS n FROM d.t"), [{ n: 5 }]);
    const bad = await fe.sql("ADMIN SHOW REPLICA STATUS FROM d.t WHERE STATUS != 'OK'");
    assert.deepEqual(new Set(bad.map((replica) => replica.Status)), new Set(["DEAD"]));
  });

  it("counts only the version that was missed, and repairs it when it may", async () => {
    await fe.sql('ADMIN SET FRONTEND CONFIG ("tablet_sched_max_scheduling_tablets" = "0")');
    third().launch();
    await eventually("its return", async () => (await aliveOf(fe, third())) === "true");
    assert.ok((await unhealthy(fe)) > 0);
    await fe.sql('ADMIN SET FRONTEND CONFIG ("max_scheduling_tablets" = "10000")');
    await eventually("the repair", async () => (await unhealthy(fe)) === 0);
    await fe.sql("INSERT INTO d.strict VALUES (1, 1)");
    assert.deepEqual(await fe.sql("ADMIN SHOW REPLICA STATUS FROM d.t WHERE STATUS != 'OK'"), []);
  });

  it("reads what was acknowledged from any single backend that is left", async () => {
    await eventually("the repair", async () => (await unhealthy(fe)) === 0);
    await Promise.all(backends.slice(0, 2).map((be) => be.stop("SIGKILL")));
    assert.deepEqual(await fe.sql("SELECT count(*) AS n FROM d.t"), [{ n: 5 }]);
    await assert.rejects(fe.sql("INSERT INTO d.t VALUES (6, 'f')"), /Commit failed\. txn/);
    await third().stop("SIGKILL");
    await assert.rejects(fe.sql("SELECT count(*) FROM d.t"), /rpc failed|Backend node not found/);
    for (const be of backends) {
      be.launch();
    }
    await eventually("their return", async () => {
      const [row] = await fe.sql("SELECT count(*) AS n FROM d.t");
      return Number(row?.n) === 5;
    });
    await eventually("writes", async () => fe.sql("INSERT INTO d.t VALUES (6, 'f')"));
  });

  it("moves tablets off a decommissioned backend and drops it", async () => {
    await eventually("the repair", async () => (await unhealthy(fe)) === 0);
    await assert.rejects(
      fe.sql(`ALTER SYSTEM DECOMMISSION BACKEND "${third().address}:9050"`),
      /insufficient BE number/,
    );
    await lab.backends(fe, 1);
    await fe.sql(`ALTER SYSTEM DECOMMISSION BACKEND "${third().address}:9050"`);
    await eventually("its row to go", async () => rowOf(await fe.sql("SHOW BACKENDS"), third()).IP === undefined);
    assert.match(fe.log, /no tablet on decommission backend \d+, drop it/);
    assert.equal(await unhealthy(fe), 0);
    assert.ok(third().isRunning);
  });

  it("refuses to drop the only replica, and nothing else", async () => {
    await fe.sql('CREATE TABLE d.single (k INT) DISTRIBUTED BY HASH(k) BUCKETS 3 PROPERTIES ("replication_num" = "1")');
    const [be] = backends as [BackendProcess];
    const all = (await fe.sql("SHOW BACKENDS")).map((row) => `"${row.IP}:9050"`);
    await assert.rejects(
      fe.sql(`ALTER SYSTEM DROP BACKEND ${all.join(", ")}`),
      /Tables such as \[d\.single\] on the backend/,
    );
    await fe.sql(`ALTER SYSTEM DROP BACKEND "${be.address}:9050" FORCE`);
    assert.equal(rowOf(await fe.sql("SHOW BACKENDS"), be).IP, undefined);
  });
});

describe("simulator: a backend that is restarted too quickly for an old frontend to see it", function () {
  this.timeout(60_000);
  const lab = new Lab();
  after(() => lab.close());

  it("tells of its tablets at once", async () => {
    const fe = await lab.found({ version: "2.3.18" });
    const [be] = (await lab.backends(fe, 1)) as [BackendProcess];
    const shown = async () => {
      const { LastStartTime, Status } = rowOf(await fe.sql("SHOW BACKENDS"), be);
      return { started: LastStartTime, told: /"(\d{4}-[^"]*)"/.exec(Status ?? "")?.[1] };
    };
    const before = await eventually("its report", async () => {
      const row = await shown();
      return row.told !== undefined && row;
    });
    await sleep(1100);
    await be.stop("SIGKILL");
    be.launch();
    const after = await eventually("its next report", async () => {
      const row = await shown();
      return row.told !== before.told && row;
    });
    assert.equal(after.started, before.started);
  });
});
