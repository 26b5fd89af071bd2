import type { Server } from "node:net";
import type { StructType } from "../../thrift/codec.js";
import { callThrift, createThriftServer, type Method } from "../../thrift/rpc.js";
import { type MasterResult, masterResult, type Status, statusCode } from "../../thrift/structs.js";
import { sourceAddress } from "../settings/address.js";
import type { Node } from "./node.js";

/** What of a task is looked at; the numbers are those of StarRocks' AgentService.thrift. */
export interface Task {
  readonly taskType: number;
  readonly signature: number;
  readonly create?: { readonly tabletId: number; readonly version?: number };
  readonly drop?: { readonly tabletId: number };
  readonly clone?: { readonly tabletId: number; readonly version?: number };
}

const task: StructType = {
  fields: {
    2: ["taskType", "i32"],
    3: ["signature", "i64"],
    5: ["create", { fields: { 1: ["tabletId", "i64"], 3: ["version", "i64"] } }],
    6: ["drop", { fields: { 1: ["tabletId", "i64"] } }],
    8: ["clone", { fields: { 1: ["tabletId", "i64"], 5: ["version", "i64"] } }],
  },
};

const status: StructType = { fields: { 1: ["statusCode", "i32"], 2: ["errorMsgs", { list: "string" }] } };

export interface Finished {
  readonly backend: { readonly host: string; readonly bePort: number; readonly httpPort: number };
  readonly taskType: number;
  readonly signature: number;
  readonly status: Status;
  readonly reportVersion: number;
  readonly tablets?: readonly object[];
}

const finished: StructType = {
  fields: {
    1: ["backend", { fields: { 1: ["host", "string"], 2: ["bePort", "i32"], 3: ["httpPort", "i32"] } }],
    2: ["taskType", "i32"],
    3: ["signature", "i64"],
    4: ["status", status],
    5: ["reportVersion", "i64"],
    6: [
      "tablets",
      {
        list: {
          fields: {
            1: ["tabletId", "i64"],
            2: ["schemaHash", "i32"],
            3: ["version", "i64"],
            4: ["versionHash", "i64"],
            5: ["rowCount", "i64"],
            6: ["dataSize", "i64"],
          },
        },
      },
    ],
  },
};

/** BE → FE: a task is done. */
export const finishTask: Method<Finished, MasterResult> = {
  name: "finishTask",
  argument: finished,
  result: masterResult,
};

/** FE → BE on `be_port`. */
export const submitTasks: Method<readonly Task[], { readonly status: Status }> = {
  name: "submit_tasks",
  argument: { list: task },
  result: { fields: { 1: ["status", status] } },
};

const CALL_TIMEOUT_MS = 5000;

let reportVersion = Date.now();

const run = (node: Node, { create, drop, clone }: Task): readonly object[] | undefined => {
  const { tablets } = node.engine;
  if (drop !== undefined) {
    tablets.drop(String(drop.tabletId));
  }
  const made = create ?? clone;
  if (made === undefined) {
    return undefined;
  }
  const version = made.version ?? 1;
  tablets.create(String(made.tabletId), version);
  return [{ tabletId: made.tabletId, schemaHash: 0, version, versionHash: 0, rowCount: 0, dataSize: 0 }];
};

const finish = async (
  node: Node,
  { signature, taskType }: Task,
  tablets: readonly object[] | undefined,
): Promise<void> => {
  const { conf, state } = node;
  if (state.master === undefined) {
    return;
  }
  reportVersion += 1;
  const { hostname: host, port } = state.master.networkAddress;
  const localAddress = sourceAddress(node.address);
  await callThrift(
    { host, port, timeoutMs: CALL_TIMEOUT_MS, ...(localAddress === undefined ? {} : { localAddress }) },
    finishTask,
    {
      backend: { host: state.localhost, bePort: conf.number("be_port"), httpPort: conf.number("be_http_port") },
      taskType,
      signature,
      status: { statusCode: statusCode.ok },
      reportVersion,
      ...(tablets === undefined ? {} : { tablets }),
    },
  );
};

/** BackendService: runs CREATE, DROP and CLONE for whatever FE sends them, as a real one does, and tells the leader. */
export const createBackendServer = (node: Node): Server => {
  const submit = (tasks: readonly Task[]): { readonly status: Status } => {
    if (node.state.master === undefined) {
      return { status: { statusCode: statusCode.internalError, errorMsgs: ["Not get master heartbeat yet."] } };
    }
    for (const each of tasks) {
      finish(node, each, run(node, each)).catch((error: unknown) =>
        node.log.warning("finish_task.cpp:47", `finish task failed. signature=${each.signature} error=${error}`),
      );
    }
    return { status: { statusCode: statusCode.ok } };
  };
  return createThriftServer([{ ...submitTasks, handle: submit }]);
};
