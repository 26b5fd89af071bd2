import type { StructType } from "./codec.js";

/**
 * The StarRocks structs of a heartbeat and of a BE's report, with the field numbers of a real 3.5.7
 * (StarRocks `gensrc/thrift/{HeartbeatService,MasterService,StatusCode}.thrift`).
 */

/** What we use of TStatusCode. A BE that is exiting gracefully (≥ 3.4) answers SHUTDOWN. */
export const statusCode = { ok: 0, runtimeError: 4, internalError: 6, shutdown: 59 } as const;

export const nodeType = { backend: 0, compute: 1 } as const;

export interface Status {
  readonly statusCode: number;
  readonly errorMsgs?: readonly string[];
}

export interface MasterInfo {
  readonly networkAddress: { readonly hostname: string; readonly port: number };
  readonly clusterId?: number;
  readonly epoch: number;
  readonly token?: string;
  readonly backendIp?: string;
  readonly httpPort?: number;
  readonly heartbeatFlags?: number;
  readonly backendId?: number;
  readonly minActiveTxnId?: number;
  readonly runMode?: number;
  readonly disabledDisks?: readonly string[];
  readonly decommissionedDisks?: readonly string[];
  readonly encrypted?: boolean;
  readonly stopRegularTabletReport?: boolean;
  readonly nodeType?: number;
}

export interface BackendInfo {
  readonly bePort: number;
  readonly httpPort: number;
  readonly beRpcPort?: number;
  readonly brpcPort?: number;
  readonly version?: string;
  readonly numHardwareCores?: number;
  readonly starletPort?: number;
  /** Seconds since the epoch. */
  readonly rebootTime?: number;
  readonly isSetStoragePath?: boolean;
  readonly memLimitBytes?: number;
  readonly arrowFlightPort?: number;
}

export interface HeartbeatResult {
  readonly status: Status;
  readonly backendInfo: BackendInfo;
}

export interface Disk {
  readonly rootPath: string;
  readonly diskTotalCapacity: number;
  readonly dataUsedCapacity: number;
  readonly used: boolean;
  readonly diskAvailableCapacity?: number;
  readonly pathHash?: number;
  readonly storageMedium?: number;
}

export interface ReportRequest {
  readonly backend: { readonly host: string; readonly bePort: number; readonly httpPort: number };
  readonly reportVersion?: number;
  readonly disks?: ReadonlyMap<string, Disk>;
}

export interface MasterResult {
  readonly status: Status;
}

const address: StructType = { fields: { 1: ["hostname", "string"], 2: ["port", "i32"] } };

const status: StructType = { fields: { 1: ["statusCode", "i32"], 2: ["errorMsgs", { list: "string" }] } };

export const masterInfo: StructType = {
  fields: {
    1: ["networkAddress", address],
    2: ["clusterId", "i32"],
    3: ["epoch", "i64"],
    4: ["token", "string"],
    5: ["backendIp", "string"],
    6: ["httpPort", "i32"],
    7: ["heartbeatFlags", "i64"],
    8: ["backendId", "i64"],
    9: ["minActiveTxnId", "i64"],
    10: ["runMode", "i32"],
    11: ["disabledDisks", { list: "string" }],
    12: ["decommissionedDisks", { list: "string" }],
    13: ["encrypted", "bool"],
    14: ["stopRegularTabletReport", "bool"],
    15: ["nodeType", "i32"],
  },
};

export const backendInfo: StructType = {
  fields: {
    1: ["bePort", "i32"],
    2: ["httpPort", "i32"],
    3: ["beRpcPort", "i32"],
    4: ["brpcPort", "i32"],
    5: ["version", "string"],
    6: ["numHardwareCores", "i32"],
    7: ["starletPort", "i32"],
    8: ["rebootTime", "i64"],
    9: ["isSetStoragePath", "bool"],
    10: ["memLimitBytes", "i64"],
    11: ["arrowFlightPort", "i32"],
  },
};

export const heartbeatResult: StructType = { fields: { 1: ["status", status], 2: ["backendInfo", backendInfo] } };

const disk: StructType = {
  fields: {
    1: ["rootPath", "string"],
    2: ["diskTotalCapacity", "i64"],
    3: ["dataUsedCapacity", "i64"],
    4: ["used", "bool"],
    5: ["diskAvailableCapacity", "i64"],
    6: ["pathHash", "i64"],
    7: ["storageMedium", "i32"],
  },
};

export const reportRequest: StructType = {
  fields: {
    1: ["backend", { fields: { 1: ["host", "string"], 2: ["bePort", "i32"], 3: ["httpPort", "i32"] } }],
    2: ["reportVersion", "i64"],
    5: ["disks", { map: ["string", disk] }],
  },
};

export const masterResult: StructType = { fields: { 1: ["status", status] } };
