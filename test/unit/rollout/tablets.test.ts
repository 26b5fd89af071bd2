import assert from "node:assert/strict";
import { describeRisks, describeUnavoidable } from "../../../provider/plan/tablets.js";
import {
  decommissioning,
  everyTabletElsewhere,
  healedSince,
  tabletsWithout,
  tabletsWithoutEach,
} from "../../../provider/rollout/tablets.js";
import { AccessDenied, connectSql, type Row, type Sql, SqlError } from "../../../provider/starrocks/sql.js";
import { showBackends } from "../../../provider/starrocks/statements.js";
import { versionOf } from "../../../provider/starrocks/versions.js";
import { type BackendProcess, eventually, type FrontendProcess, Lab } from "../simulator/fe/lab.js";
import { localHost } from "../starrocks/local-host.js";

const create = (name: string, properties: string, buckets = 1): string =>
  `CREATE TABLE d.${name} (k INT, v INT) DISTRIBUTED BY HASH(k) BUCKETS ${buckets} PROPERTIES (${properties})`;

for (const version of ["3.5.7", "2.5.3"]) {
  describe(`tablets of a cluster of ${version}`, function () {
    this.timeout(60_000);
    const lab = new Lab();
    let fe: FrontendProcess;
    let backends: BackendProcess[] = [];
    let sql: Sql;
    let ids: string[] = [];

    before(async () => {
      // Repairs wait: what a test breaks stays so.
      fe = await lab.found({ version, options: { repairTrickleMs: 3_600_000, tabletCheckerMs: 3_600_000 } });
      backends = await lab.backends(fe, 3);
      const { address } = fe;
      sql = await connectSql(localHost(), { address, port: 9030, user: "root" });
      ids = backends.map(() => "");
      for (const row of await showBackends(sql)) {
        ids[backends.findIndex((be) => be.address === row.address)] = row.id;
      }
    });

    beforeEach(async () => {
      await fe.sql("CREATE DATABASE d");
      await fe.sql(create("t", '"replication_num" = "3"', 2));
    });

    afterEach(() => fe.sql("DROP DATABASE d FORCE"));

    after(async () => {
      sql?.close();
      await lab.close();
    });

    const id = (index: number): string => ids[index] ?? "";
    const without = async (index: number, down: string[] = []) => {
      const { waiting, unavoidable } = await tabletsWithout(sql, {
        leaving: [id(index)],
        down,
        version: versionOf(version),
      });
      return { waiting: describeRisks(waiting), unavoidable: describeUnavoidable(unavoidable) };
    };
    const tabletsOf = async (table: string): Promise<string[]> => {
      const rows = await fe.sql(`ADMIN SHOW REPLICA STATUS FROM d.${table} WHERE STATUS != 'MISSING'`);
      return [...new Set(rows.map(({ TabletId }) => String(TabletId)))];
    };
    const spoil = async (table: string, on: number): Promise<void> => {
      for (const tablet of await tabletsOf(table)) {
        await fe.sql(
          `ADMIN SET REPLICA STATUS PROPERTIES("tablet_id" = "${tablet}", "backend_id" = "${id(on)}", "status" = "bad")`,
        );
      }
    };

    it("are all safe without one BE", async () => {
      assert.deepEqual(await without(0), { waiting: "", unavoidable: "" });
    });

    it("are not safe without a second one, though it counts as Alive", async () => {
      const { waiting } = await without(0, [id(1)]);
      assert.equal(waiting, `d.t: tablets ${(await tabletsOf("t")).join(", ")} (2 of 3 replicas healthy)`);
    });

    it("of one replica, of two and of quorum ALL are told and let through", async () => {
      await fe.sql(create("one", '"replication_num" = "1"', 6));
      await fe.sql(create("two", '"replication_num" = "2"', 6));
      await fe.sql(create("strict", '"replication_num" = "3", "write_quorum" = "ALL"'));
      const verdicts = await Promise.all([without(0), without(1), without(2)]);
      assert.deepEqual(
        verdicts.map(({ waiting }) => waiting),
        ["", "", ""],
      );
      const unavoidable = verdicts.map((verdict) => verdict.unavoidable).join("; ");
      assert.match(unavoidable, /d\.one: [1-6] tablets? \(replication_num 1\) loses? reads and writes/);
      assert.match(unavoidable, /d\.two: [1-6] tablets? \(replication_num 2\) loses? writes/);
      assert.match(unavoidable, /d\.strict: 1 tablet \(replication_num 3, write_quorum ALL\) loses writes/);
    });

    it("whose only sound replica lies on the BE are named, and only for that BE", async () => {
      await fe.sql(create("one", '"replication_num" = "1"', 3));
      await fe.sql(create("precious", '"replication_num" = "3"'));
      await spoil("precious", 1);
      await spoil("precious", 2);
      const [tablet] = await tabletsOf("precious");
      assert.equal((await without(0)).waiting, `d.precious: tablet ${tablet} (1 of 3 replicas healthy)`);
      assert.equal((await without(1)).waiting, "");
      const lost = await everyTabletElsewhere(sql, id(0), { version: versionOf(version) });
      assert.match(describeRisks(lost), /d\.precious/);
      assert.match(describeRisks(lost), /d\.one/);
      assert.doesNotMatch(describeRisks(lost), /d\.t:/);
    });

    it("with replicas that were never made are read in spite of their broken rows", async () => {
      await fe.sql(create("raised", '"replication_num" = "1"'));
      await fe.sql('ALTER TABLE d.raised SET ("replication_num" = "3")');
      const verdicts = await Promise.all([without(0), without(1), without(2)]);
      const waiting = verdicts.filter((verdict) => verdict.waiting.includes("d.raised"));
      assert.equal(waiting.length, 1);
    });

    it("have caught up when a restarted BE has told of them and missed no write", async () => {
      const query = { backendId: id(2), version: versionOf(version) };
      await eventually("a first report", async () => (await healedSince(sql, query)).healed);
      const reportBefore = (await showBackends(sql)).find((row) => row.id === id(2))?.tabletReport;
      const restarted = { ...query, reportBefore };
      await backends[2]?.stop("SIGKILL");
      await fe.sql("INSERT INTO d.t VALUES (1, 1), (2, 2), (3, 3), (4, 4)");
      await eventually("its death", async () => (await healedSince(sql, restarted)).seen === "not Alive");
      assert.match((await without(0)).waiting, /d\.t: tablets? .* \(2 of 3 replicas healthy\)/);
      backends[2]?.launch();
      const seen = new Set<string>();
      await eventually("the missed write to show", async () => {
        const look = await healedSince(sql, restarted);
        seen.add(look.seen);
        assert.equal(look.healed, false);
        return /tablets to catch up, such as \d+ of d\.t/.test(look.seen);
      });
      assert.deepEqual(decommissioning(await showBackends(sql)), []);
    });
  });
}

describe("tablets, asked of an FE that answers by the book", () => {
  const book = (
    answers: readonly (readonly [RegExp, readonly Row[] | Error])[],
  ): Sql & { readonly asked: string[] } => {
    const asked: string[] = [];
    return {
      name: "10.0.0.11:9030",
      asked,
      query: async (statement) => {
        asked.push(statement);
        const answer = answers.find(([pattern]) => pattern.test(statement))?.[1] ?? [];
        if (answer instanceof Error) {
          throw answer;
        }
        return answer;
      },
      table: () => assert.fail("no statement of somebody else is expected"),
      close: () => undefined,
    };
  };
  const backend = (id: number): Row => ({
    BackendId: String(id),
    IP: `10.0.0.2${id}`,
    HeartbeatPort: "9050",
    BePort: "9060",
    HttpPort: "8040",
    BrpcPort: "8060",
    Alive: "true",
  });
  const replica = (TabletId: string, BackendId: string, Status = "OK"): Row => ({
    TabletId,
    BackendId,
    Status,
    State: "NORMAL",
  });
  const backends = /^SHOW BACKENDS/;
  const version = versionOf("3.5.7");
  const unhealthy = (count: number): Row => ({
    DbId: "1",
    DbName: "d",
    TabletNum: "9",
    UnhealthyTabletNum: String(count),
  });
  const table = (fewest: string, most = fewest): Row => ({ DB_NAME: "d", TABLE_NAME: "t", fewest, most });

  it("are not looked at one by one in a database that is well", async () => {
    const sql = book([
      [backends, [backend(1), backend(2), backend(3)]],
      [/statistic/, [unhealthy(0)]],
      [/min\(REPLICATION_NUM\)/, [table("3")]],
    ]);
    await tabletsWithout(sql, { leaving: ["1"], version });
    await tabletsWithout(sql, { leaving: ["1"], version });
    assert.equal(sql.asked.filter((statement) => /REPLICA STATUS/.test(statement)).length, 0);
    assert.equal(sql.asked.length, 9, "the write quorum is asked for once");
  });

  it("are read once for all BEs that are going to be stopped, each judged alone", async () => {
    const sql = book([
      [backends, [backend(1), backend(2), backend(3)]],
      [/statistic/, [unhealthy(1)]],
      [/min\(REPLICATION_NUM\)/, [table("2")]],
      [/REPLICA STATUS/, [replica("10", "1", "BAD"), replica("10", "3"), replica("11", "1"), replica("11", "2")]],
    ]);
    const verdicts = await tabletsWithoutEach(sql, { leaving: ["1", "2", "3"], version });
    assert.deepEqual(
      verdicts.map(({ waiting }) => describeRisks(waiting)),
      ["", "", "d.t: tablet 10 (1 of 2 replicas healthy)"],
    );
    assert.deepEqual(
      verdicts.map(({ unavoidable }) => describeUnavoidable(unavoidable)),
      ["d.t: 1 tablet (replication_num 2) loses writes", "d.t: 1 tablet (replication_num 2) loses writes", ""],
    );
    assert.equal(sql.asked.filter((statement) => /REPLICA STATUS/.test(statement)).length, 1);
  });

  it("are not taken for reported by a report from before the stop, where the BE's clock is behind", async () => {
    const started = { ...backend(1), LastStartTime: "2026-11-22 20:54:00" };
    const report = { Status: '{"lastSuccessReportTabletsTime":"2026-11-22 20:55:00"}' };
    const sql = book([
      [backends, [{ ...started, ...report }]],
      [/statistic/, [unhealthy(0)]],
    ]);
    const query = { backendId: "1", version };
    assert.equal((await healedSince(sql, { ...query, reportBefore: "2026-11-22 20:55:00" })).healed, false);
    assert.equal((await healedSince(sql, { ...query, reportBefore: "2026-11-22 20:54:59" })).healed, true);
    assert.equal((await healedSince(sql, query)).healed, true, "of one that was not stopped here");
  });

  it("are judged by the replication of their own partition", async () => {
    const sql = book([
      [backends, [backend(1), backend(2)]],
      [/statistic/, [unhealthy(0)]],
      [/min\(REPLICATION_NUM\)/, [table("1", "3")]],
      [
        /PARTITION_NAME, REPLICATION_NUM/,
        [
          { PARTITION_NAME: "p1", REPLICATION_NUM: "3" },
          { PARTITION_NAME: "p2", REPLICATION_NUM: "1" },
        ],
      ],
      [/REPLICA STATUS FROM `d`.`t` PARTITION \(`p2`\)/, [replica("7", "1")]],
    ]);
    const { waiting, unavoidable } = await tabletsWithout(sql, { leaving: ["1"], version });
    assert.deepEqual(waiting, []);
    assert.equal(describeUnavoidable(unavoidable), "d.t: 1 tablet (replication_num 1) loses reads and writes");
  });

  it("of a materialized view are found through SHOW PROC", async () => {
    const refusal = "Table does not exist or is not OLAP table: t";
    const row = (BackendId: string, Version: string, LstFailedVersion = "-1"): Row => ({
      TabletId: "7",
      BackendId,
      Version,
      LstFailedVersion,
      State: "NORMAL",
    });
    const sql = book([
      [backends, [backend(1), backend(2), backend(3)]],
      [/statistic/, [unhealthy(1)]],
      [/min\(REPLICATION_NUM\)/, [table("3")]],
      [/REPLICA STATUS/, new SqlError(refusal, "ER_UNKNOWN_ERROR", refusal)],
      [/'\/dbs'$/, [{ DbId: "10", DbName: "d" }]],
      [/'\/dbs\/10'$/, [{ TableId: "20", TableName: "t" }]],
      [/'\/dbs\/10\/20\/partitions'$/, [{ PartitionId: "30", PartitionName: "p", VisibleVersion: "5" }]],
      [/'\/dbs\/10\/20\/partitions\/30'$/, [{ IndexId: "40" }]],
      [/'\/dbs\/10\/20\/partitions\/30\/40'$/, [row("1", "5"), row("2", "4"), row("3", "5", "6")]],
    ]);
    const { waiting } = await tabletsWithout(sql, { leaving: ["1"], version });
    assert.equal(describeRisks(waiting), "d.t: tablet 7 (1 of 3 replicas healthy)");
  });

  it("are found without a BE that could scan information_schema", async () => {
    const refusal = "Backend node not found. Check if any backend node is down.backend: ";
    const sql = book([
      [backends, [{ ...backend(1), Alive: "false" }]],
      [/statistic/, [unhealthy(1)]],
      [/information_schema/, new SqlError(refusal, "ER_UNKNOWN_ERROR", refusal)],
      [/'\/dbs'$/, [{ DbId: "10", DbName: "d" }]],
      [
        /'\/dbs\/10'$/,
        [
          { TableId: "20", TableName: "t", Type: "OLAP" },
          { TableName: "v", Type: "VIEW" },
        ],
      ],
      [/SHOW PARTITIONS FROM `d`.`t`/, [{ PartitionName: "t", ReplicationNum: "1" }]],
      [/REPLICA STATUS/, [replica("7", "1", "DEAD")]],
    ]);
    const risks = await everyTabletElsewhere(sql, "1", { version });
    assert.equal(describeRisks(risks), "d.t: tablet 7 (0 of 1 replicas healthy)");
  });

  it("that the user may not see are an error, not safe", async () => {
    const denied = new AccessDenied("SHOW PARTITIONS: Access denied", "ER_DBACCESS_DENIED_ERROR", "Access denied");
    const sql = book([
      [backends, [backend(1), backend(2)]],
      [/statistic/, [unhealthy(0)]],
      [/'\/dbs'$/, [{ DbId: "10", DbName: "d" }]],
      [/'\/dbs\/10'$/, [{ TableId: "20", TableName: "t", Type: "OLAP" }]],
      [/SHOW PARTITIONS/, denied],
    ]);
    await assert.rejects(tabletsWithout(sql, { leaving: ["1"], version }), denied);
  });

  it("lie in the object store in shared-data mode", async () => {
    const sql = book([[/run_mode/, [{ Key: "run_mode", Value: "shared_data" }]]]);
    assert.deepEqual(await tabletsWithout(sql, { leaving: ["1"], version }), { waiting: [], unavoidable: [] });
    assert.equal(sql.asked.length, 1);
  });

  it("are judged in seconds where there are 100,000 of them", async () => {
    const rows = Array.from({ length: 100_000 }, (_, index) => String(index)).flatMap((tablet) => [
      replica(tablet, "1"),
      replica(tablet, "2"),
      replica(tablet, "3"),
    ]);
    const sql = book([
      [backends, [backend(1), backend(2), backend(3)]],
      [/statistic/, [unhealthy(0)]],
      [/min\(REPLICATION_NUM\)/, [table("3")]],
      [/REPLICA STATUS/, rows],
    ]);
    const { waiting } = await tabletsWithout(sql, { leaving: ["1"], down: ["2"], version });
    assert.equal(waiting.length, 100_000);
  }).timeout(60_000);
});
