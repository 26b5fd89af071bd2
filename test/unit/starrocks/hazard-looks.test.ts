import assert from "node:assert/strict";
import { lookForHazards } from "../../../provider/starrocks/hazard-looks.js";
import { type Look, looks } from "../../../provider/starrocks/looks.js";
import type { Row, Sql } from "../../../provider/starrocks/sql.js";

/** A cluster that answers what is written here, and nothing to anything else. */
const cluster = (answers: Readonly<Record<string, readonly Row[]>>): Sql & { readonly asked: string[] } => {
  const asked: string[] = [];
  return {
    name: "10.0.0.11:9030",
    asked,
    query: async (statement, values = []) => {
      const rest = [...values];
      const text = statement.replace(/\?/g, () => `'${rest.shift()}'`);
      asked.push(text);
      return answers[text] ?? [];
    },
    table: () => assert.fail("no statement of somebody else is expected"),
    close: () => undefined,
  };
};

const job = (JobId: string, TableName: string, State: string): Row => ({ JobId, TableName, State, Msg: "" });

const found = async (sql: Sql, ...wanted: Look[]): Promise<readonly string[]> => {
  const hazards = await lookForHazards(
    sql,
    wanted.map((looks) => ({ looks })),
  );
  return hazards.map(({ hazard, seen }) => `${hazard.looks}: ${seen}`);
};

describe("a look at the cluster for what hinders a change of version", () => {
  it("finds schema changes of every database by the database's id, and asks for them once", async () => {
    const sql = cluster({
      "SHOW PROC '/dbs'": [
        { DbId: "10001", DbName: "shop" },
        { DbId: "10002", DbName: "default_cluster:old" },
      ],
      "SHOW PROC '/jobs/10001/schema_change'": [job("1", "orders", "RUNNING"), job("2", "items", "FINISHED")],
      "SHOW PROC '/jobs/10002/schema_change'": [job("3", "orders", "CANCELLED"), job("4", "t", "WAITING_TXN")],
    });
    assert.deepEqual(await found(sql, "schema changes under way", "schema changes in history"), [
      "schema changes under way: shop.orders (job 1, RUNNING), old.t (job 4, WAITING_TXN)",
      "schema changes in history: shop.items (job 2, FINISHED), old.orders (job 3, CANCELLED)",
    ]);
    assert.deepEqual(sql.asked, [
      "SET forward_to_master = true",
      "SHOW PROC '/dbs'",
      "SHOW PROC '/jobs/10001/schema_change'",
      "SHOW PROC '/jobs/10002/schema_change'",
      "SET forward_to_master = false",
    ]);
  });

  it("names five of a kind", async () => {
    const sql = cluster({
      "SHOW PROC '/dbs'": [{ DbId: "1", DbName: "d" }],
      "SHOW PROC '/jobs/1/schema_change'": Array.from({ length: 7 }, (_, n) => job(String(n), `t${n}`, "PENDING")),
    });
    const [text] = await found(sql, "schema changes under way");
    assert.match(text ?? "", /d\.t0 .*, d\.t4 \(job 4, PENDING\) and 2 more$/);
  });

  const globals: readonly [Look, string, found: string, not: string][] = [
    ["low cardinality optimization on", "cbo_enable_low_cardinality_optimize", "true", "false"],
    ["batch size above 4096", "batch_size", "8192", "4096"],
    ["pipeline engine off", "enable_pipeline_engine", "false", "true"],
    ["meta scan rewrite on", "enable_rewrite_simple_agg_to_meta_scan", "1", "0"],
  ];
  for (const [look, name, bad, good] of globals) {
    it(`finds ${name} = ${bad}, and nothing where it is ${good} or not known`, async () => {
      const having = (Value: string) =>
        cluster({ [`SHOW GLOBAL VARIABLES LIKE '${name}'`]: [{ Variable_name: name, Value }] });
      assert.deepEqual(await found(having(bad), look), [`${look}: ${name} = ${bad}`]);
      assert.deepEqual(await found(having(good), look), []);
      assert.deepEqual(await found(cluster({}), look), []);
    });
  }

  it("finds a database called starrocks", async () => {
    const databases = (...names: string[]) => cluster({ "SHOW DATABASES": names.map((Database) => ({ Database })) });
    assert.deepEqual(await found(databases("shop", "starrocks"), "database named starrocks"), [
      "database named starrocks: `starrocks` in SHOW DATABASES",
    ]);
    assert.deepEqual(await found(databases("shop", "starrocks_2"), "database named starrocks"), []);
  });

  it("asks nothing for rows that need no look, and finds nothing on an empty cluster", async () => {
    const sql = cluster({});
    assert.deepEqual(await lookForHazards(sql, [{}]), []);
    assert.deepEqual(sql.asked, []);
    assert.deepEqual(await found(sql, ...looks), []);
  });
});
