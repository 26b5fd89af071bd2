import type { Method } from "./rpc.js";
import {
  type HeartbeatResult,
  heartbeatResult,
  type MasterInfo,
  type MasterResult,
  masterInfo,
  masterResult,
  type ReportRequest,
  reportRequest,
} from "./structs.js";

/** FE → BE/CN on `heartbeat_service_port`. */
export const heartbeat: Method<MasterInfo, HeartbeatResult> = {
  name: "heartbeat",
  argument: masterInfo,
  result: heartbeatResult,
};

/** BE → FE on `rpc_port`. */
export const report: Method<ReportRequest, MasterResult> = {
  name: "report",
  argument: reportRequest,
  result: masterResult,
};
