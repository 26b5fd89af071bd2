import { type NodeRow, replicasOn } from "../catalog/state.js";
import { type Frontend, isJoined } from "../frontend.js";
import { formatTime } from "../log.js";
import type { Context, Result } from "./statement.js";

type Cells = readonly (readonly [column: string, value: string])[];

const time = (ms: number | null): string => (ms === null ? "NULL" : formatTime(ms));

const table = (columns: readonly string[], rows: readonly Cells[]): Result => ({
  columns,
  rows: rows.map((cells) => columns.map((column) => cells.find(([name]) => name === column)?.[1] ?? "")),
});

const when = (condition: boolean, ...columns: string[]): string[] => (condition ? columns : []);

/** As unordered as the hash map it comes from. */
const shuffle = <T>(items: readonly T[]): T[] => {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    const [a, b] = [copy[last], copy[other]];
    if (a !== undefined && b !== undefined) {
      [copy[last], copy[other]] = [b, a];
    }
  }
  return copy;
};

export const showFrontends = ({ fe }: Pick<Context, "fe">): Result => {
  const { features, catalog } = fe;
  const columns = [
    ...when(features.frontendIdColumn, "Id"),
    ..."Name IP EditLogPort HttpPort QueryPort RpcPort Role".split(" "),
    ...when(features.isMasterColumn, "IsMaster"),
    ..."ClusterId Join Alive ReplayedJournalId LastHeartbeat IsHelper ErrMsg StartTime Version".split(" "),
  ];
  const rows = shuffle(catalog.state.frontends).map((row): Cells => {
    const self = row.name === fe.group.self.name;
    const leads = row.name === fe.group.leader?.name;
    return [
      ["Id", String(row.id)],
      ["Name", row.name],
      ["IP", row.host],
      ["EditLogPort", String(row.editLogPort)],
      ["HttpPort", String(fe.ports.http)],
      ["QueryPort", String(self ? fe.ports.query : row.queryPort)],
      ["RpcPort", String(self ? fe.ports.rpc : row.rpcPort)],
      ["Role", leads && !features.isMasterColumn ? features.leaderWord : row.role],
      ["IsMaster", String(leads)],
      ["ClusterId", String(catalog.state.clusterId)],
      ["Join", String(isJoined(fe, row))],
      ["Alive", String(self || row.alive)],
      ["ReplayedJournalId", String(row.replayedJournalId)],
      ["LastHeartbeat", time(row.lastHeartbeat)],
      ["IsHelper", String(row.role === "FOLLOWER" && isJoined(fe, row))],
      ["ErrMsg", row.errMsg],
      ["StartTime", time(row.startTime)],
      ["Version", row.version ?? "NULL"],
    ];
  });
  return table(columns, rows);
};

const units = ["B", "KB", "MB", "GB", "TB", "PB"];

const bytes = (value: number): string => {
  const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${(value / 1024 ** step).toFixed(3)} ${value < 1 ? "" : units[step]}`;
};

const percent = (part: number, whole: number): string => `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(2)} %`;

const common = (row: NodeRow): Cells => [
  ["IP", row.host],
  ["HeartbeatPort", String(row.heartbeatPort)],
  ["BePort", String(row.bePort)],
  ["HttpPort", String(row.httpPort)],
  ["BrpcPort", String(row.brpcPort)],
  ["LastStartTime", time(row.lastStartTime)],
  ["LastHeartbeat", time(row.lastHeartbeat)],
  ["Alive", String(row.alive)],
  ["SystemDecommissioned", String(row.decommissioned)],
  ["ClusterDecommissioned", "false"],
  ["ErrMsg", row.errMsg],
  ["Version", row.version],
  ["CpuCores", String(row.cores)],
  ["MemLimit", bytes(row.memLimit).replace(" ", "")],
  ["NumRunningQueries", "0"],
  ["MemUsedPct", "0.00 %"],
  ["CpuUsedPct", "0.0 %"],
  ["DataCacheMetrics", "N/A"],
  ["StatusCode", row.statusCode],
];

export const showBackends = ({ fe, disks }: Pick<Context, "fe" | "disks">): Result => {
  const { features, catalog } = fe;
  const columns = [
    "BackendId",
    ...when(features.backendClusterColumn, "Cluster"),
    ..."IP HeartbeatPort BePort HttpPort BrpcPort LastStartTime LastHeartbeat Alive SystemDecommissioned ClusterDecommissioned".split(
      " ",
    ),
    ..."TabletNum DataUsedCapacity AvailCapacity TotalCapacity UsedPct MaxDiskUsedPct ErrMsg Version Status DataTotalCapacity DataUsedPct".split(
      " ",
    ),
    ...when(features.cpuCoresColumn, "CpuCores"),
    ...when(features.memLimitColumns, "MemLimit"),
    ...when(features.loadColumns, "NumRunningQueries", "MemUsedPct", "CpuUsedPct"),
    ...when(features.memLimitColumns, "DataCacheMetrics", "Location"),
    ...when(features.statusCode, "StatusCode"),
  ];
  const rows = catalog.state.nodes
    .filter(({ kind }) => kind === "backend")
    .map((row): Cells => {
      const report = disks.of(row);
      const told = disks.tabletsToldAt(row);
      const { total, used, available } = report ?? { total: 0, used: 0, available: 1 };
      return [
        ["BackendId", String(row.id)],
        ["Cluster", "default_cluster"],
        ...common(row),
        ["TabletNum", String(replicasOn(catalog.state, row.id))],
        ["DataUsedCapacity", bytes(used)],
        ["AvailCapacity", bytes(available)],
        ["TotalCapacity", bytes(total)],
        ["UsedPct", percent(total - available, total)],
        ["MaxDiskUsedPct", percent(total - available, total)],
        ["Status", `{"lastSuccessReportTabletsTime":"${told === undefined ? "N/A" : formatTime(told)}"}`],
        ["DataTotalCapacity", bytes(used + available)],
        ["DataUsedPct", percent(used, used + available)],
        ["Location", row.location],
      ];
    });
  return table(columns, rows);
};

export const showComputeNodes = ({ fe }: Pick<Context, "fe">): Result => {
  const { features, catalog } = fe;
  const columns = [
    ..."ComputeNodeId IP HeartbeatPort BePort HttpPort BrpcPort LastStartTime LastHeartbeat Alive SystemDecommissioned ClusterDecommissioned ErrMsg Version CpuCores".split(
      " ",
    ),
    ...when(features.memLimitColumns, "MemLimit"),
    ..."NumRunningQueries MemUsedPct CpuUsedPct".split(" "),
    ...when(features.memLimitColumns, "DataCacheMetrics"),
    "HasStoragePath",
    ...when(features.statusCode, "StatusCode"),
  ];
  const rows = catalog.state.nodes
    .filter(({ kind }) => kind === "compute")
    .map(
      (row): Cells => [
        ["ComputeNodeId", String(row.id)],
        ...common(row),
        ["HasStoragePath", String(row.isSetStoragePath)],
      ],
    );
  return table(columns, rows);
};

/** The leader's rows as objects, for `/api/show_proc`. */
export const asObjects = (result: Result): Record<string, string>[] =>
  "columns" in result
    ? result.rows.map((row) => Object.fromEntries(result.columns.map((column, index) => [column, String(row[index])])))
    : [];

export const countBackends = (fe: Frontend): { readonly online: number; readonly total: number } => {
  const backends = fe.catalog.state.nodes.filter(({ kind }) => kind === "backend");
  return { online: backends.filter(({ alive }) => alive).length, total: backends.length };
};
