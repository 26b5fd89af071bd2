import { lookup } from "node:dns/promises";
import type { Server } from "node:net";
import { cpus, totalmem } from "node:os";
import { createThriftServer } from "../../thrift/rpc.js";
import { heartbeat } from "../../thrift/services.js";
import { type BackendInfo, type HeartbeatResult, type MasterInfo, statusCode } from "../../thrift/structs.js";
import { ownAddresses } from "../settings/address.js";
import { judge, type Verdict } from "./heartbeat.js";
import { type Node, shortVersion } from "./node.js";

const WHERE = "heartbeat_server.cpp:100";

const describe = (info: MasterInfo): string =>
  `TMasterInfo(network_address=${info.networkAddress.hostname}:${info.networkAddress.port}, cluster_id=${info.clusterId}, ` +
  `epoch=${info.epoch}, token=<hidden>, backend_ip=${info.backendIp}, http_port=${info.httpPort}, backend_id=${info.backendId})`;

/** A name that the FE uses for this node is adopted if it leads to one of this host's addresses. */
const adopt = async (node: Node, name: string): Promise<Verdict> => {
  const found = await lookup(name).catch(() => undefined);
  if (found === undefined) {
    return { kind: "refuse", message: `Can not get ip from fqdn, fqdn is: ${name}` };
  }
  if (found.address !== node.address && !ownAddresses().includes(found.address)) {
    return { kind: "refuse", message: "Unmatched backend ip" };
  }
  node.state.localhost = name;
  node.log.info(WHERE, `update localhost done, the new localhost is ${name}, new local_ip is ${found.address}`);
  return { kind: "accept" };
};

const refusal = (node: Node, code: number, message: string, info: MasterInfo): HeartbeatResult => {
  const cached = node.state.master === undefined ? "" : ` cached master info: ${describe(node.state.master)}`;
  node.log.warning(WHERE, `Fail to handle heartbeat: ${message}${cached} received master info: ${describe(info)}`);
  return { status: { statusCode: code, errorMsgs: [message] }, backendInfo: { bePort: 0, httpPort: 0 } };
};

const describeSelf = (node: Node, rebootTime: number): BackendInfo => {
  const { conf, engine, features } = node;
  return {
    bePort: conf.number("be_port"),
    httpPort: conf.number("be_http_port"),
    beRpcPort: -1,
    brpcPort: conf.number("brpc_port"),
    version: shortVersion(node),
    numHardwareCores: cpus().length,
    ...(features.starlet ? { starletPort: conf.number("starlet_port") } : {}),
    rebootTime,
    isSetStoragePath: engine.roots.length > 0,
    memLimitBytes: Math.floor(totalmem() * 0.9),
    arrowFlightPort: conf.number("arrow_flight_port"),
  };
};

const accept = (node: Node, info: MasterInfo): HeartbeatResult => {
  const { engine, isComputeNode, log, state } = node;
  if (!isComputeNode && engine.clusterId() === undefined && info.clusterId !== undefined) {
    log.info(WHERE, "Received first heartbeat. updating cluster id");
    engine.setClusterId(info.clusterId);
  }
  if (JSON.stringify(state.master) !== JSON.stringify(info)) {
    log.info(WHERE, `Updating master info: ${describe(info)}`);
    state.master = info;
  }
  state.rebootTime ??= Math.floor(Date.now() / 1000);
  return { status: { statusCode: statusCode.ok }, backendInfo: describeSelf(node, state.rebootTime) };
};

const handle = async (node: Node, info: MasterInfo): Promise<HeartbeatResult> => {
  const { conf, engine, features, isComputeNode, log, state } = node;
  if (node.faults.find("staleHeartbeat") !== undefined) {
    return new Promise(() => undefined);
  }
  if (features.checksEncryption && (info.encrypted ?? false) !== conf.flag("enable_transparent_data_encryption")) {
    log.fatal(
      WHERE,
      `inconsistent encryption config, FE encrypted:${info.encrypted} BE/CN:${conf.flag("enable_transparent_data_encryption")}`,
    );
  }
  // Applied whoever asks, even when the heartbeat is refused below.
  if (info.disabledDisks !== undefined) {
    state.disabledDisks = info.disabledDisks;
  }
  if (state.exiting && features.shutdownStatus) {
    return refusal(node, statusCode.shutdown, "BE is shutting down", info);
  }
  // A CN keeps no cluster id on disk: after a restart it follows whoever calls first.
  const clusterId = isComputeNode ? state.master?.clusterId : engine.clusterId();
  const known = { isComputeNode, localhost: state.localhost, master: state.master, clusterId };
  const first = judge(info, known, features);
  const verdict = first.kind === "resolve" ? await adopt(node, first.name) : first;
  if (verdict.kind !== "refuse") {
    return accept(node, info);
  }
  if (clusterId !== undefined && clusterId !== info.clusterId) {
    node.crime("heartbeat of another cluster's FE", { clusterId: info.clusterId, ownClusterId: clusterId });
  }
  return refusal(node, statusCode.internalError, verdict.message, info);
};

export const createHeartbeatServer = (node: Node): Server =>
  createThriftServer([{ ...heartbeat, handle: (info) => handle(node, info) }]);
