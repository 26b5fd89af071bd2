import type { MasterInfo } from "../../thrift/structs.js";
import type { Features } from "../settings/build.js";

/** What the node knows when a heartbeat comes in. */
export interface Known {
  readonly isComputeNode: boolean;
  /** As the FE knows this node: an address, or a name once adopted. */
  readonly localhost: string;
  readonly master: MasterInfo | undefined;
  readonly clusterId: number | undefined;
}

export type Verdict =
  | { readonly kind: "accept" }
  /** The FE calls this node by a name: take it if it leads to this host. */
  | { readonly kind: "resolve"; readonly name: string }
  | { readonly kind: "refuse"; readonly message: string };

const refuse = (message: string): Verdict => ({ kind: "refuse", message });

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(":");

const judgeOld = (info: MasterInfo, { clusterId, localhost, master }: Known): Verdict => {
  if (clusterId !== undefined && clusterId !== info.clusterId) {
    return refuse("invalid cluster id. ignore.");
  }
  if (info.backendIp !== undefined && info.backendIp !== localhost) {
    return refuse(`actual backend local ip: ${localhost}`);
  }
  if (master !== undefined && info.epoch < master.epoch) {
    return refuse("epoch is not greater than local. ignore heartbeat.");
  }
  if (master?.token !== undefined && info.token !== undefined && master.token !== info.token) {
    return refuse("invalid token.");
  }
  return { kind: "accept" };
};

/** Whether a node follows this FE. The order is that of a real node's checks. */
export const judge = (info: MasterInfo, known: Known, features: Features): Verdict => {
  if (features.oldHeartbeatTexts) {
    return judgeOld(info, known);
  }
  const { clusterId, isComputeNode, localhost, master } = known;
  if (master !== undefined && info.epoch < master.epoch) {
    return refuse("Out-dated epoch");
  }
  if (master?.token !== undefined && info.token !== undefined && master.token !== info.token) {
    return refuse("Unmatched token");
  }
  if (clusterId !== undefined && clusterId !== info.clusterId) {
    return refuse("Unmatched cluster id");
  }
  if (info.networkAddress.hostname === "127.0.0.1" && info.backendIp !== "127.0.0.1" && info.backendIp !== "::1") {
    return refuse("FE heartbeat with localhost ip but BE is not deployed on the same machine");
  }
  if (info.nodeType === 0 && isComputeNode) {
    return refuse("expect to be BE but actually CN,Unmatched node type!");
  }
  if (info.nodeType === 1 && !isComputeNode) {
    return refuse("expect to be CN but actually BE,Unmatched node type!");
  }
  if (info.backendIp === undefined || info.backendIp === localhost) {
    return { kind: "accept" };
  }
  return isAddress(info.backendIp) && isAddress(localhost)
    ? refuse("FE saved address not match backend address")
    : { kind: "resolve", name: info.backendIp };
};
