import type net from "node:net";
import type { StructType } from "../thrift/codec.js";
import { callThrift, createThriftServer, type Method } from "../thrift/rpc.js";
import { report } from "../thrift/services.js";
import { type ReportRequest, statusCode } from "../thrift/structs.js";
import type { Frontend } from "./frontend.js";
import type { Disks } from "./leader/disks.js";
import { sourceAddress } from "./settings/address.js";
import type { Result } from "./sql/statement.js";

/** A statement that a follower passes on. */
export interface ForwardRequest {
  readonly user: string;
  readonly database?: string;
  readonly sql: string;
}

export type Forwarded =
  | { readonly result: Result; readonly database?: string }
  | { readonly error: { readonly message: string; readonly code: number; readonly state: string } };

interface ForwardReply {
  readonly maxJournalId: number;
  /** A `Forwarded` in JSON. */
  readonly packet: string;
}

const forwardRequest: StructType = {
  fields: { 1: ["user", "string"], 2: ["database", "string"], 3: ["sql", "string"] },
};
const forwardReply: StructType = { fields: { 1: ["maxJournalId", "i64"], 2: ["packet", "string"] } };
const setConfigRequest: StructType = { fields: { 1: ["keys", { list: "string" }], 2: ["values", { list: "string" }] } };
const setConfigReply: StructType = { fields: { 1: ["ok", "bool"] } };

interface SetConfig {
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

const forwardMethod: Method<ForwardRequest, ForwardReply> = {
  name: "forward",
  argument: forwardRequest,
  result: forwardReply,
};
const setConfigMethod: Method<SetConfig, { readonly ok: boolean }> = {
  name: "setConfig",
  argument: setConfigRequest,
  result: setConfigReply,
};

export interface RpcHandlers {
  readonly disks: Disks;
  readonly forward: (request: ForwardRequest) => Promise<Forwarded>;
  readonly appliedIndex: () => number;
  readonly setConfig: (key: string, value: string) => boolean;
}

const target = (fe: Frontend, host: string, port: number, timeoutMs: number) => {
  const localAddress = sourceAddress(fe.ip);
  return { host, port, timeoutMs, ...(localAddress === undefined ? {} : { localAddress }) };
};

/** Runs a statement on another FE. Rejects with the socket's error. */
export const forwardTo = async (
  fe: Frontend,
  host: string,
  port: number,
  request: ForwardRequest,
): Promise<{ readonly forwarded: Forwarded; readonly maxJournalId: number }> => {
  const { packet, maxJournalId } = await callThrift(target(fe, host, port, 300_000), forwardMethod, request);
  return { forwarded: JSON.parse(packet), maxJournalId };
};

export const setConfigOf = async (
  fe: Frontend,
  host: string,
  port: number,
  key: string,
  value: string,
): Promise<void> => {
  await callThrift(target(fe, host, port, 5000), setConfigMethod, { keys: [key], values: [value] });
};

/** The thrift port: reports of BEs, statements of other FEs. */
export const createRpcServer = (handlers: RpcHandlers): net.Server =>
  createThriftServer([
    {
      ...report,
      handle: (request: ReportRequest) => {
        handlers.disks.take(request);
        return { status: { statusCode: statusCode.ok } };
      },
    },
    {
      ...forwardMethod,
      handle: async (request: ForwardRequest): Promise<ForwardReply> => {
        const forwarded = await handlers.forward(request);
        return { packet: JSON.stringify(forwarded), maxJournalId: handlers.appliedIndex() };
      },
    },
    {
      ...setConfigMethod,
      handle: ({ keys, values }: SetConfig) => ({
        ok: keys.every((key, index) => handlers.setConfig(key, values[index] ?? "")),
      }),
    },
  ]);
