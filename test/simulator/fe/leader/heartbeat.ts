import { callThrift } from "../../thrift/rpc.js";
import { heartbeat } from "../../thrift/services.js";
import { type HeartbeatResult, nodeType, statusCode } from "../../thrift/structs.js";
import type { FrontendRow, NodeRow } from "../catalog/state.js";
import { type Frontend, isJoined, propose, versionOf } from "../frontend.js";
import { fetchHttp } from "../http/fetch.js";
import { sourceAddress } from "../settings/address.js";
import { javaError } from "./errors.js";

type Misses = Map<number, number>;

interface Bootstrap {
  readonly status: string;
  readonly msg: string;
  readonly replayedJournalId: number;
  readonly queryPort: number;
  readonly rpcPort: number;
  readonly feStartTime: number;
  readonly feVersion: string;
}

/** Counts bad rounds in a row; true when the node is to be called dead. */
const isDeadNow = (fe: Frontend, misses: Misses, id: number): boolean => {
  const count = (misses.get(id) ?? 0) + 1;
  misses.set(id, count);
  return count >= (fe.features.deadAtFirstMiss ? 1 : fe.options.heartbeatMisses);
};

const askFrontend = async (fe: Frontend, row: FrontendRow): Promise<Partial<FrontendRow>> => {
  if (row.name === fe.group.self.name) {
    return {
      replayedJournalId: fe.group.applied,
      queryPort: fe.ports.query,
      rpcPort: fe.ports.rpc,
      startTime: fe.startedAt,
      version: versionOf(fe),
    };
  }
  const { clusterId, token } = fe.catalog.state;
  const { body } = await fetchHttp({
    host: row.host,
    port: fe.ports.http,
    path: `/api/bootstrap?cluster_id=${clusterId}&token=${encodeURIComponent(token)}`,
    localAddress: sourceAddress(fe.ip),
    timeoutMs: fe.options.heartbeatTimeoutMs,
  });
  const answer: Bootstrap = JSON.parse(body);
  if (answer.status !== "OK") {
    throw new Error(answer.msg);
  }
  return {
    replayedJournalId: answer.replayedJournalId,
    queryPort: answer.queryPort,
    rpcPort: answer.rpcPort,
    startTime: answer.feStartTime,
    version: answer.feVersion,
  };
};

const shortError = (error: unknown): string => javaError(error).replace(/^java\.net\.\w+: /, "");

const beatFrontend = async (
  fe: Frontend,
  row: FrontendRow,
  misses: Misses,
): Promise<Partial<FrontendRow> | undefined> => {
  if (!isJoined(fe, row)) {
    return undefined; // Never heard of in the group: stays Alive=false, without a word why.
  }
  try {
    if (fe.faults.find("isolate") !== undefined) {
      throw Object.assign(new Error("timed out"), { code: "ETIMEDOUT" });
    }
    const beat = await askFrontend(fe, row);
    misses.delete(row.id);
    return { ...beat, alive: true, lastHeartbeat: Date.now(), errMsg: "" };
  } catch (error) {
    if (!isDeadNow(fe, misses, row.id) || !row.alive) {
      return undefined;
    }
    return { alive: false, startTime: null, errMsg: shortError(error) };
  }
};

const callNode = (fe: Frontend, row: NodeRow): Promise<HeartbeatResult> => {
  const { clusterId, token, epoch } = fe.catalog.state;
  return callThrift(
    { host: row.host, port: row.heartbeatPort, ...optionalSource(fe), timeoutMs: fe.options.heartbeatTimeoutMs },
    heartbeat,
    {
      networkAddress: { hostname: fe.host, port: fe.ports.rpc },
      clusterId,
      epoch,
      token,
      backendIp: row.host,
      httpPort: fe.ports.http,
      heartbeatFlags: 0,
      backendId: row.id,
      minActiveTxnId: 0,
      runMode: 0,
      nodeType: row.kind === "backend" ? nodeType.backend : nodeType.compute,
    },
  );
};

const optionalSource = (fe: Frontend): { readonly localAddress?: string } => {
  const localAddress = sourceAddress(fe.ip);
  return localAddress === undefined ? {} : { localAddress };
};

const goodBeat = (fe: Frontend, row: NodeRow, { backendInfo }: HeartbeatResult): Partial<NodeRow> => {
  const now = Date.now();
  const ofReboot = fe.features.startTimeOfFastRestart ? backendInfo.rebootTime : undefined;
  const revived = fe.features.startTimeOfFastRestart || row.alive ? row.lastStartTime : now;
  return {
    alive: true,
    lastStartTime: ofReboot === undefined || ofReboot === 0 ? revived : ofReboot * 1000,
    lastHeartbeat: now,
    lastSeen: now,
    errMsg: "",
    bePort: backendInfo.bePort,
    httpPort: backendInfo.httpPort,
    brpcPort: backendInfo.brpcPort ?? -1,
    starletPort: backendInfo.starletPort ?? 0,
    version: backendInfo.version ?? "",
    cores: backendInfo.numHardwareCores ?? 0,
    memLimit: backendInfo.memLimitBytes ?? 0,
    isSetStoragePath: backendInfo.isSetStoragePath ?? false,
    statusCode: "OK",
  };
};

const beatNode = async (fe: Frontend, row: NodeRow, misses: Misses): Promise<Partial<NodeRow> | undefined> => {
  let trouble: string;
  try {
    if (fe.faults.find("isolate") !== undefined) {
      throw Object.assign(new Error("timed out"), { code: "ETIMEDOUT" });
    }
    const result = await callNode(fe, row);
    const { statusCode: code, errorMsgs } = result.status;
    if (code === statusCode.ok) {
      misses.delete(row.id);
      return goodBeat(fe, row, result);
    }
    if (code === statusCode.shutdown && fe.features.statusCode) {
      return {
        alive: false,
        statusCode: "SHUTDOWN",
        lastStartTime: row.lastStartTime,
        errMsg: errorMsgs?.join("; ") ?? "",
      };
    }
    trouble = errorMsgs?.join("; ") || "Unknown error";
  } catch (error) {
    trouble = javaError(error);
  }
  if (!isDeadNow(fe, misses, row.id)) {
    return undefined;
  }
  return { alive: false, errMsg: trouble, statusCode: row.statusCode === "SHUTDOWN" ? "SHUTDOWN" : "DISCONNECTED" };
};

const differs = <R extends object>(row: R, beat: Partial<R>): boolean =>
  Object.entries(beat).some(([key, value]) => row[key as keyof R] !== value);

/** One round over all FEs, BEs and CNs. What it learned goes to everybody by the journal. */
export const heartbeatRound = async (fe: Frontend, misses: Misses): Promise<void> => {
  const { frontends, nodes } = fe.catalog.state;
  const frontendBeats = await Promise.all(
    frontends.map(async (row) => ({ id: row.id, ...(await beatFrontend(fe, row, misses)) })),
  );
  const nodeBeats = await Promise.all(nodes.map(async (row) => ({ id: row.id, ...(await beatNode(fe, row, misses)) })));
  if (!fe.group.isLeader() || fe.faults.find("staleAlive") !== undefined) {
    return;
  }
  const changed = <R extends { readonly id: number }>(
    rows: readonly R[],
    beats: readonly ({ id: number } & Partial<R>)[],
  ) =>
    beats.filter((beat) => {
      const row = rows.find(({ id }) => id === beat.id);
      return row !== undefined && differs<R>(row, beat as Partial<R>);
    });
  const operation = {
    type: "heartbeat" as const,
    frontends: changed<FrontendRow>(frontends, frontendBeats),
    nodes: changed<NodeRow>(nodes, nodeBeats),
  };
  await propose(fe, operation);
};

/** Rounds for as long as this FE leads; the first one comes an interval after it began to. */
export const startHeartbeats = (fe: Frontend): (() => void) => {
  const misses: Misses = new Map();
  let running = false;
  const timer = setInterval(() => {
    if (running || !fe.group.isLeader()) {
      return;
    }
    running = true;
    heartbeatRound(fe, misses)
      .catch(() => undefined)
      .finally(() => {
        running = false;
      });
  }, fe.options.heartbeatIntervalMs);
  return () => clearInterval(timer);
};
