import type http from "node:http";
import type { Catalog } from "./catalog/catalog.js";
import type { Operation } from "./catalog/operations.js";
import type { FrontendRow } from "./catalog/state.js";
import type { Group } from "./group/group.js";
import type { Log } from "./log.js";
import type { Identity } from "./meta/identity.js";
import type { Build } from "./settings/build.js";
import type { Conf } from "./settings/conf.js";
import type { Faults } from "./settings/faults.js";
import type { Options } from "./settings/options.js";
import type { RuntimeConfig } from "./settings/runtime.js";
import type { Features } from "./settings/version.js";

export interface Ports {
  readonly http: number;
  readonly rpc: number;
  readonly query: number;
  readonly editLog: number;
}

/** What every part of a running FE needs. */
export interface Frontend {
  readonly home: string;
  readonly build: Build;
  readonly features: Features;
  readonly conf: Conf;
  readonly options: Options;
  readonly faults: Faults;
  readonly log: Log;
  readonly metaDir: string;
  /** Own address, and the name it has in the cluster (the same unless FQDN). */
  readonly ip: string;
  readonly host: string;
  readonly ports: Ports;
  readonly identity: Identity;
  readonly catalog: Catalog;
  readonly config: RuntimeConfig;
  readonly group: Group;
  readonly startedAt: number;
  readonly agent: http.Agent;
  readonly lifecycle: Lifecycle;
}

export interface Lifecycle {
  ready: boolean;
  /** Graceful exit: still serving, no longer healthy. */
  exiting: boolean;
  /** Not following any leader since. */
  unknownSince: number | undefined;
  /** A roll of the journal that waits for the next checkpoint. */
  checkpoint: { readonly index: number; readonly text: string } | undefined;
  imageIndex: number;
}

/** `3.5.7-d2da301`, or what a fault makes it say. */
export const versionOf = ({ build, faults }: Pick<Frontend, "build" | "faults">): string =>
  `${faults.find("wrongVersion")?.version ?? build.version}-${build.commit}`;

export const propose = (fe: Frontend, operation: Operation): Promise<number> => fe.group.propose(operation);

export const leaderRow = (fe: Frontend): FrontendRow | undefined =>
  fe.catalog.state.frontends.find(({ name }) => name === fe.group.leader?.name);

/** Takes `count` new ids; call it only where the operation that uses them is proposed in the same turn. */
export const takeIds = (fe: Frontend, count: number): number => {
  const first = fe.catalog.state.nextId;
  fe.catalog.state.nextId += count;
  return first;
};

/** True while reads of local metadata are allowed: followers without a leader serve for a while. */
export const canRead = (fe: Frontend): boolean => {
  const since = fe.lifecycle.unknownSince;
  const limit = fe.config.number("meta_delay_toleration_second") * 1000;
  return fe.lifecycle.ready && (since === undefined || performance.now() - since < limit);
};

export const isJoined = (fe: Frontend, row: FrontendRow): boolean =>
  fe.group.members.some(({ name }) => name === row.name);
