import type { Database, Table, Tablet } from "../catalog/state.js";
import { tabletStatus } from "../leader/placement.js";
import { SqlError } from "./error.js";
import { showBackends, showComputeNodes, showFrontends } from "./nodes.js";
import { schemaChangesOf } from "./schema-changes.js";
import type { Context, Engine, Result, Statement } from "./statement.js";
import type { Tokens } from "./tokens.js";

/** Always asked of the leader, whatever `forward_to_leader` says. */
const leaderPaths = ["/cluster_balance", "/routine_loads", "/transactions", "/compactions", "/replications"];

type Found = { readonly table: Table; readonly tablet: Tablet };

const tabletsOf = ({ tables }: Database): Found[] =>
  tables.flatMap((table) => table.tablets.map((tablet) => ({ table, tablet })));

const unhealthy = ({ fe }: Pick<Engine, "fe">, database: Database): Found[] =>
  tabletsOf(database).filter(({ table, tablet }) => tabletStatus(fe, table, tablet) !== "HEALTHY");

const statistic = (engine: Pick<Engine, "fe" | "repairs">): Result => {
  const { databases } = engine.fe.catalog.state;
  const errorState = engine.fe.features.errorStateColumn;
  const counts = databases.map((database) => {
    const tablets = tabletsOf(database);
    const { tables } = database;
    return [
      tables.length,
      tables.length,
      tables.length,
      tablets.length,
      tablets.reduce((sum, { tablet }) => sum + tablet.replicas.length, 0),
      unhealthy(engine, database).length,
      0,
      tablets.filter(({ tablet }) => engine.repairs.running.has(tablet.id)).length,
      ...(errorState ? [0] : []),
    ];
  });
  const width = errorState ? 9 : 8;
  const total = Array.from({ length: width }, (_, column) => counts.reduce((sum, row) => sum + (row[column] ?? 0), 0));
  const names =
    "DbId DbName TableNum PartitionNum IndexNum TabletNum ReplicaNum UnhealthyTabletNum InconsistentTabletNum CloningTabletNum";
  return {
    columns: [...names.split(" "), ...(errorState ? ["ErrorStateTabletNum"] : [])],
    rows: [
      ...databases.map(({ id, name }, index) => [String(id), name, ...(counts[index] ?? []).map(String)]),
      ["Total", String(databases.length), ...total.map(String)],
    ],
  };
};

const statisticOf = (engine: Pick<Engine, "fe" | "repairs">, id: string): Result => {
  const database = engine.fe.catalog.state.databases.find((other) => String(other.id) === id);
  if (database === undefined) {
    throw new SqlError(`Invalid db id format: ${id}`);
  }
  const list = (tablets: readonly Found[]) => `[${tablets.map(({ tablet }) => tablet.id).join(", ")}]`;
  const cloning = tabletsOf(database).filter(({ tablet }) => engine.repairs.running.has(tablet.id));
  const errorState = engine.fe.features.errorStateColumn;
  return {
    columns: [
      "UnhealthyTablets",
      "InconsistentTablets",
      "CloningTablets",
      ...(errorState ? ["ErrorStateTablets"] : []),
    ],
    rows: [[list(unhealthy(engine, database)), "[]", list(cloning), ...(errorState ? ["[]"] : [])]],
  };
};

const clusterBalance = (engine: Pick<Engine, "fe" | "repairs">): Result => {
  const pending = engine.fe.catalog.state.databases.flatMap((database) => unhealthy(engine, database)).length;
  const running = engine.repairs.running.size;
  const items = {
    cluster_load_stat: 1,
    working_slots: engine.fe.catalog.state.nodes.length,
    sched_stat: 1,
    priority_repair: 0,
  };
  const rows = {
    ...items,
    pending_tablets: Math.max(0, pending - running),
    running_tablets: running,
    history_tablets: 0,
  };
  return { columns: ["Item", "Number"], rows: Object.entries(rows).map(([item, count]) => [item, String(count)]) };
};

const tablesOf = ({ fe }: Pick<Engine, "fe">, id: string, path: string): Result => {
  const database = fe.catalog.state.databases.find((other) => String(other.id) === id);
  if (database === undefined || path.replace(/\/+$/, "").split("/").length > 3) {
    throw new SqlError(`Proc path '${path}' doesn't exist`);
  }
  const columns =
    "TableId TableName IndexNum PartitionColumnName PartitionNum State Type LastConsistencyCheckTime ReplicaCount";
  const rows = database.tables.map(({ id: tableId, name, tablets }) => {
    const replicas = tablets.reduce((sum, tablet) => sum + tablet.replicas.length, 0);
    return [String(tableId), name, "1", "", "1", "NORMAL", "OLAP", "NULL", String(replicas)];
  });
  return { columns: columns.split(" "), rows };
};

export const procResult = (engine: Pick<Engine, "fe" | "repairs" | "disks">, path: string): Result => {
  const clean = path.replace(/\/+$/, "") || "/";
  const [, first, second, third] = clean.split("/");
  if (clean === "/frontends") {
    return showFrontends(engine);
  }
  if (clean === "/backends") {
    return showBackends(engine);
  }
  if (clean === "/compute_nodes") {
    return showComputeNodes(engine);
  }
  if (clean === "/brokers") {
    return { columns: ["Name", "IP", "Port", "Alive", "LastStartTime", "LastUpdateTime", "ErrMsg"], rows: [] };
  }
  if (clean === "/statistic") {
    return statistic(engine);
  }
  if (first === "statistic" && second !== undefined) {
    return statisticOf(engine, second);
  }
  if (clean === "/cluster_balance") {
    return clusterBalance(engine);
  }
  if (first === "cluster_balance") {
    return { columns: ["TabletId", "Type", "Status", "State"], rows: [] };
  }
  if (clean === "/dbs") {
    const rows = engine.fe.catalog.state.databases.map(({ id, name, tables }) => [
      String(id),
      name,
      String(tables.length),
    ]);
    return { columns: ["DbId", "DbName", "TableNum"], rows };
  }
  if (first === "dbs") {
    return tablesOf(engine, second ?? "", path);
  }
  if (clean === "/jobs") {
    const rows = engine.fe.catalog.state.databases.map(({ id, name }) => [String(id), name]);
    return { columns: ["DbId", "DbName"], rows };
  }
  if (first === "jobs" && second !== undefined && third === "schema_change") {
    return schemaChangesOf(engine, second);
  }
  if (first === "jobs") {
    return { columns: ["JobId", "TableName", "CreateTime", "FinishTime", "State", "Msg"], rows: [] };
  }
  if (clean === "/") {
    const names = ["backends", "brokers", "cluster_balance", "compute_nodes", "dbs", "frontends", "jobs", "statistic"];
    return { columns: ["name"], rows: names.map((name) => [name]) };
  }
  throw new SqlError(`Proc path '${path}' doesn't exist`);
};

/** Where SHOW PROC runs: locally, unless the session or the path says otherwise. */
export const procRunsOnLeader = (sql: string, variables: ReadonlyMap<string, string>): boolean => {
  const path = /^\s*show\s+proc\s+['"]([^'"]*)/i.exec(sql)?.[1];
  if (path === undefined) {
    return false;
  }
  const forward = variables.get("forward_to_leader") ?? variables.get("forward_to_master") ?? "false";
  return ["true", "1", "on"].includes(forward) || leaderPaths.some((prefix) => path.startsWith(prefix));
};

const showProc = (context: Context, tokens: Tokens): Result => {
  const path = tokens.string();
  tokens.end();
  return procResult(context, path);
};

export const procStatements: readonly Statement[] = [
  { words: "SHOW PROC", runsOn: "here", admin: true, run: showProc },
];
