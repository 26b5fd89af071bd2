import { UserError } from "../error.js";
import type { Row, Sql } from "./sql.js";

export interface Frontend {
  /** `<address>_<editLogPort>_<milliseconds>`: new each time the node joins. */
  readonly name: string;
  readonly address: string;
  readonly editLogPort: number;
  /** The answering FE's own setting, not that of the row. */
  readonly httpPort: number;
  /** 0 until the node was first heard. */
  readonly queryPort: number;
  readonly rpcPort: number;
  /** `unknown` while an election runs. */
  readonly role: "leader" | "follower" | "observer" | "unknown";
  readonly join: boolean;
  /** Old news: stays true for 13 to 20 s after a death, and through a restart that is quicker than that. */
  readonly alive: boolean;
  readonly replayedJournalId: number;
  readonly lastHeartbeat?: string;
  readonly errMsg: string;
  /** Absent when not alive, and for seconds after a leader's start. */
  readonly startTime?: string;
  /** `3.5.7-d2da301`. Keeps the old value while the node is down. */
  readonly version?: string;
  readonly clusterId: string;
}

/** A BE or a CN. */
export interface Backend {
  /** New each time the node is added. */
  readonly id: string;
  readonly address: string;
  readonly heartbeatPort: number;
  readonly bePort: number;
  readonly httpPort: number;
  readonly brpcPort: number;
  readonly alive: boolean;
  readonly decommissioned: boolean;
  /** 0 for a CN. */
  readonly tabletNum: number;
  readonly lastStartTime?: string;
  readonly lastHeartbeat?: string;
  readonly version?: string;
  readonly errMsg: string;
  /** `CONNECTING`, `OK`, `SHUTDOWN` or `DISCONNECTED`; 3.4 and newer. */
  readonly statusCode?: string;
  /** `rack:r1`, from the `labels.location` property; 3.3 and newer. */
  readonly location?: string;
  /** When the leader last compared this BE's tablets with its metadata, by the leader's clock; absent when it did not yet. */
  readonly tabletReport?: string;
}

export const showFrontends = async (sql: Sql, limit?: number): Promise<readonly Frontend[]> =>
  (await sql.query("SHOW FRONTENDS", [], limit)).map(frontendOf);

export const showBackends = async (sql: Sql, limit?: number): Promise<readonly Backend[]> =>
  (await sql.query("SHOW BACKENDS", [], limit)).map((row) => backendOf(row, "BackendId"));

export const showComputeNodes = async (sql: Sql, limit?: number): Promise<readonly Backend[]> =>
  (await sql.query("SHOW COMPUTE NODES", [], limit)).map((row) => backendOf(row, "ComputeNodeId"));

const frontendOf = (row: Row): Frontend => ({
  name: needed(row, "Name"),
  address: needed(row, "IP"),
  editLogPort: Number(needed(row, "EditLogPort")),
  httpPort: Number(needed(row, "HttpPort")),
  queryPort: Number(needed(row, "QueryPort")),
  rpcPort: Number(needed(row, "RpcPort")),
  role: roleOf(row),
  join: isTrue(row, "Join"),
  alive: isTrue(row, "Alive"),
  replayedJournalId: Number(needed(row, "ReplayedJournalId")),
  errMsg: textOf(row, "ErrMsg") ?? "",
  clusterId: needed(row, "ClusterId"),
  ...optional("lastHeartbeat", textOf(row, "LastHeartbeat")),
  ...optional("startTime", textOf(row, "StartTime")),
  ...optional("version", textOf(row, "Version")),
});

const backendOf = (row: Row, idColumn: string): Backend => ({
  id: needed(row, idColumn),
  address: needed(row, "IP"),
  heartbeatPort: Number(needed(row, "HeartbeatPort")),
  bePort: Number(needed(row, "BePort")),
  httpPort: Number(needed(row, "HttpPort")),
  brpcPort: Number(needed(row, "BrpcPort")),
  alive: isTrue(row, "Alive"),
  decommissioned: isTrue(row, "SystemDecommissioned") || isTrue(row, "ClusterDecommissioned"),
  tabletNum: Number(textOf(row, "TabletNum") ?? 0),
  errMsg: textOf(row, "ErrMsg") ?? "",
  ...optional("lastStartTime", textOf(row, "LastStartTime")),
  ...optional("lastHeartbeat", textOf(row, "LastHeartbeat")),
  ...optional("version", textOf(row, "Version")),
  ...optional("statusCode", textOf(row, "StatusCode")),
  ...optional("location", textOf(row, "Location")),
  ...optional("tabletReport", tabletReportOf(row)),
});

/** `Status` is `{"lastSuccessReportTabletsTime":"2026-11-22 20:55:00"}`, or says N/A. */
const tabletReportOf = (row: Row): string | undefined =>
  /"lastSuccessReportTabletsTime"\s*:\s*"(\d[^"]*)"/.exec(textOf(row, "Status") ?? "")?.[1];

/** Up to 2.3 the leader is a FOLLOWER with IsMaster; from 3.1 on Role says LEADER. */
const roleOf = (row: Row): Frontend["role"] => {
  const role = needed(row, "Role").toUpperCase();
  if (role === "LEADER" || role === "MASTER" || isTrue(row, "IsMaster")) {
    return "leader";
  }
  if (role === "OBSERVER") {
    return "observer";
  }
  return role === "FOLLOWER" ? "follower" : "unknown";
};

/** A value; absent for a column that this version lacks, for NULL, for the text `NULL` that StarRocks sends, and for "". */
const textOf = (row: Row, column: string): string | undefined => {
  const value = row[column];
  return value === undefined || value === null || value === "NULL" || value === "" ? undefined : value;
};

const needed = (row: Row, column: string): string => {
  const value = textOf(row, column);
  if (value === undefined) {
    const columns = Object.keys(row).join(", ");
    throw new UserError(
      `Expected a column ${column} with a value in the frontend's answer, got the columns ${columns}.`,
    );
  }
  return value;
};

const isTrue = (row: Row, column: string): boolean => textOf(row, column)?.toLowerCase() === "true";

const optional = <K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: string });
