import assert from "node:assert/strict";
import { lookForHazards } from "../../../../provider/starrocks/hazard-looks.js";
import { looks } from "../../../../provider/starrocks/looks.js";
import { connectSql, type Sql } from "../../../../provider/starrocks/sql.js";
import { loopback } from "../../starrocks/loopback.js";
import { eventually, type FrontendProcess, Lab } from "./lab.js";

describe("simulator: what hinders a change of version", function () {
  this.timeout(60_000);
  const lab = new Lab();
  let fe: FrontendProcess;
  let sql: Sql;

  before(async () => {
    fe = await lab.found({ options: { schemaChangeMs: 1500 } });
    sql = await connectSql(loopback, { address: fe.address, port: 9030, user: "root" });
    await lab.backends(fe, 1);
    await fe.sql("CREATE DATABASE shop");
    await fe.sql('CREATE TABLE shop.orders (k INT) DISTRIBUTED BY HASH(k) PROPERTIES ("replication_num" = "1")');
  });
  after(async () => {
    sql?.close();
    await lab.close();
  });

  const found = async (): Promise<Readonly<Record<string, string>>> => {
    const all = await lookForHazards(
      sql,
      looks.map((look) => ({ looks: look })),
      5000,
    );
    return Object.fromEntries(all.map(({ hazard, seen }) => [hazard.looks, seen]));
  };

  it("is only what a new cluster has by default", async () => {
    assert.deepEqual(Object.keys(await found()), ["low cardinality optimization on"]);
  });

  it("is a schema change, under way and then in history until that is cleared", async () => {
    await fe.sql("ALTER TABLE shop.orders MODIFY COLUMN k BIGINT");
    assert.match((await found())["schema changes under way"] ?? "", /^shop\.orders \(job \d+, RUNNING\)$/);
    await eventually("the end of the job", async () => !("schema changes under way" in (await found())));
    assert.match((await found())["schema changes in history"] ?? "", /^shop\.orders \(job \d+, FINISHED\)$/);
    await fe.sql('ADMIN SET FRONTEND CONFIG ("history_job_keep_max_second" = "0")');
    await eventually("a cleared history", async () => !("schema changes in history" in (await found())));
  });

  it("is a schema change that was cancelled, as history", async () => {
    await fe.sql('ADMIN SET FRONTEND CONFIG ("history_job_keep_max_second" = "600")');
    await fe.sql("ALTER TABLE shop.orders MODIFY COLUMN k BIGINT");
    await fe.sql("CANCEL ALTER TABLE COLUMN FROM shop.orders");
    assert.match((await found())["schema changes in history"] ?? "", /CANCELLED/);
    await assert.rejects(fe.sql("CANCEL ALTER TABLE COLUMN FROM shop.orders"), /not under SCHEMA_CHANGE/);
    await assert.rejects(fe.sql("SHOW PROC '/jobs/shop/schema_change'"), /Invalid db id format: shop/);
  });

  it("is a BE that is decommissioned, a global variable and a database's name", async () => {
    const [{ IP = "", HeartbeatPort = "" } = {}] = await fe.sql("SHOW BACKENDS");
    await fe.sql("SET GLOBAL batch_size = 8192");
    await fe.sql("SET GLOBAL cbo_enable_low_cardinality_optimize = false");
    await fe.sql("CREATE DATABASE starrocks");
    await fe.sql('ADMIN SET FRONTEND CONFIG ("drop_backend_after_decommission" = "false")');
    await fe.sql("DROP TABLE shop.orders FORCE");
    await fe.sql(`ALTER SYSTEM DECOMMISSION BACKEND "${IP}:${HeartbeatPort}"`);
    const seen = await found();
    assert.deepEqual(Object.keys(seen).sort(), [
      "batch size above 4096",
      "database named starrocks",
      "decommissions under way",
      "schema changes in history",
    ]);
    assert.match(seen["decommissions under way"] ?? "", /^BE 127\.[\d.]+:9050 \(\d+ tablets left\)$/);
  });
});
