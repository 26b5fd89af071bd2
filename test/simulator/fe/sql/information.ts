import { allTables, allTablets, isComplete } from "../catalog/state.js";
import { listTablets } from "../data/backends.js";
import type { Frontend } from "../frontend.js";
import { tabletStatus } from "../leader/placement.js";
import { formatTime } from "../log.js";
import { SqlError } from "./error.js";
import type { Relation } from "./rows.js";
import type { Context } from "./statement.js";

const tables = ({ catalog }: Frontend): Relation => ({
  columns: ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "ENGINE", "TABLE_ROWS", "CREATE_TIME"],
  rows: allTables(catalog.state).map(({ database, table }) => [
    "def",
    database.name,
    table.name,
    "BASE TABLE",
    "StarRocks",
    0,
    formatTime(table.createdAt),
  ]),
});

const schemata = ({ catalog }: Frontend): Relation => ({
  columns: ["CATALOG_NAME", "SCHEMA_NAME", "DEFAULT_CHARACTER_SET_NAME", "DEFAULT_COLLATION_NAME", "SQL_PATH"],
  rows: catalog.state.databases.map(({ name }) => ["def", name, "utf8", "utf8_general_ci", null]),
});

const tablesConfig = ({ catalog }: Frontend): Relation => ({
  columns:
    "TABLE_SCHEMA TABLE_NAME TABLE_ENGINE TABLE_MODEL PRIMARY_KEY PARTITION_KEY DISTRIBUTE_KEY DISTRIBUTE_TYPE DISTRIBUTE_BUCKET SORT_KEY PROPERTIES TABLE_ID".split(
      " ",
    ),
  rows: allTables(catalog.state).map(({ database, table }) => {
    const key = `\`${table.columns[0]?.name ?? ""}\``;
    const model = table.keysType === "PRIMARY" ? "PRIMARY_KEYS" : "DUP_KEYS";
    const properties = JSON.stringify({ ...table.properties, replication_num: String(table.replicationNum) });
    return [
      database.name,
      table.name,
      "OLAP",
      model,
      key,
      "",
      key,
      "HASH",
      table.tablets.length,
      "",
      properties,
      table.id,
    ];
  }),
});

const partitionsMeta = ({ catalog }: Frontend): Relation => ({
  columns:
    "DB_NAME TABLE_NAME PARTITION_NAME PARTITION_ID COMPACT_VERSION VISIBLE_VERSION VISIBLE_VERSION_TIME NEXT_VERSION PARTITION_KEY PARTITION_VALUE DISTRIBUTION_KEY BUCKETS REPLICATION_NUM STORAGE_MEDIUM COOLDOWN_TIME LAST_CONSISTENCY_CHECK_TIME IS_IN_MEMORY IS_TEMP DATA_SIZE ROW_COUNT ENABLE_DATACACHE".split(
      " ",
    ),
  rows: allTables(catalog.state).map(({ database, table }) => {
    const version = Math.max(1, ...table.tablets.map((tablet) => tablet.version));
    const at = formatTime(table.createdAt);
    const place = ["HDD", "9999-12-31 23:59:59", null, 0, 0, "0B", 0, 0];
    const keys = ["", "", table.columns[0]?.name ?? "", table.tablets.length, table.replicationNum];
    return [database.name, table.name, table.name, table.partitionId, 0, version, at, version + 1, ...keys, ...place];
  }),
});

const beTablets = async (fe: Frontend): Promise<Relation> => {
  const columns = "BE_ID TABLE_ID PARTITION_ID TABLET_ID NUM_VERSION MAX_VERSION MIN_VERSION NUM_ROWSET STATE".split(
    " ",
  );
  const live = fe.catalog.state.nodes.filter(({ kind, alive }) => kind === "backend" && alive);
  const found = await Promise.all(
    live.map(async (node) => {
      const tablets = await listTablets(fe, node);
      return [...tablets].map(([id, version]) => {
        const known = allTablets(fe.catalog.state).find(({ tablet }) => tablet.id === id);
        return [node.id, known?.table.id ?? 0, known?.table.partitionId ?? 0, id, 1, version, 0, 1, "RUNNING"];
      });
    }),
  );
  return { columns, rows: found.flat() };
};

const schedules = (context: Context): Relation => ({
  columns:
    "TABLET_ID TABLE_ID PARTITION_ID TYPE STATE SCHEDULE_REASON MEDIUM PRIORITY ORIG_PRIORITY LAST_PRIORITY_ADJUST_TIME VISIBLE_VERSION COMMITTED_VERSION SRC_BE_ID SRC_PATH DEST_BE_ID DEST_PATH TIMEOUT CREATE_TIME SCHEDULE_TIME FINISH_TIME CLONE_BYTES CLONE_DURATION CLONE_RATE FAILED_SCHEDULE_COUNT FAILED_RUNNING_COUNT MSG".split(
      " ",
    ),
  rows: allTablets(context.fe.catalog.state)
    .filter(({ table, tablet }) => tabletStatus(context.fe, table, tablet) !== "HEALTHY")
    .map(({ table, tablet }) => {
      const running = context.repairs.running.has(tablet.id);
      const source = tablet.replicas.find((replica) => isComplete(replica, tablet))?.backendId ?? -1;
      const head = [tablet.id, table.id, table.partitionId, "REPAIR", running ? "RUNNING" : "PENDING"];
      const priorities = [tabletStatus(context.fe, table, tablet), "HDD", "NORMAL", "NORMAL", null];
      return [
        ...head,
        ...priorities,
        tablet.version,
        tablet.version,
        source,
        -1,
        -1,
        -1,
        0,
        null,
        null,
        null,
        0,
        0,
        0,
        0,
        0,
        "",
      ];
    }),
});

/** information_schema is scanned on a BE: without one alive there is no answer. */
export const informationRelation = async (context: Context, name: string): Promise<Relation> => {
  const { fe } = context;
  if (!fe.catalog.state.nodes.some(({ alive }) => alive)) {
    throw new SqlError("Backend node not found. Check if any backend node is down.backend: ");
  }
  switch (name.toLowerCase()) {
    case "tables":
      return tables(fe);
    case "schemata":
      return schemata(fe);
    case "tables_config":
      return tablesConfig(fe);
    case "partitions_meta":
      if (fe.features.featureEndpoint) {
        return partitionsMeta(fe);
      }
      break;
    case "be_tablets":
      if (fe.features.aliasNames) {
        return beTablets(fe);
      }
      break;
    case "fe_tablet_schedules":
      if (fe.features.aliasNames) {
        return schedules(context);
      }
      break;
    case "be_configs":
      if (fe.features.aliasNames) {
        return { columns: ["BE_ID", "NAME", "VALUE", "TYPE", "DEFAULT", "MUTABLE"], rows: [] };
      }
      break;
    default:
      break;
  }
  throw new SqlError(`Unknown table 'information_schema.${name}'`, 5502, "42S02");
};
