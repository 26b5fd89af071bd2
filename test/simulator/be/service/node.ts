import type { MasterInfo } from "../../thrift/structs.js";
import type { Build, Features } from "../settings/build.js";
import type { Conf } from "../settings/conf.js";
import type { BackendFaults } from "../settings/faults.js";
import type { Log } from "../settings/log.js";
import type { BackendOptions } from "../settings/options.js";
import type { Engine } from "../storage/engine.js";

/** A starting or running BE or CN. */
export interface Node {
  readonly build: Build;
  readonly features: Features;
  readonly options: BackendOptions;
  readonly faults: BackendFaults;
  readonly conf: Conf;
  readonly log: Log;
  /** Notes what no careful operator would let happen, for tests. */
  readonly crime: (crime: string, detail?: object) => void;
  readonly engine: Engine;
  readonly isComputeNode: boolean;
  /** Address that the ports listen on. */
  readonly listen: string;
  readonly address: string;
  readonly startedAt: number;
  readonly state: NodeState;
}

export interface NodeState {
  localhost: string;
  master: MasterInfo | undefined;
  /** Seconds: when the first accepted heartbeat was handled. */
  rebootTime: number | undefined;
  exiting: boolean;
  disabledDisks: readonly string[];
}

/** `BE` or `CN`, as the logs call it. */
export const kindOf = (node: Pick<Node, "isComputeNode">): "BE" | "CN" => (node.isComputeNode ? "CN" : "BE");

export const shortVersion = ({ build, faults }: Pick<Node, "build" | "faults">): string => {
  const version = faults.find("wrongVersion")?.version ?? `${build.version}-${build.commit}`;
  return version.includes("-") ? version : `${version}-${build.commit}`;
};
