import type { NodeRow } from "../catalog/state.js";
import type { Frontend } from "../frontend.js";
import { fetchHttp } from "../http/fetch.js";
import { sourceAddress } from "../settings/address.js";

export type Value = string | number | null;
export type Row = readonly Value[];

interface Reply {
  readonly status: "OK" | "FAIL";
  readonly msg?: string;
  readonly version?: number;
  readonly rows?: readonly Row[];
  readonly tablets?: readonly { readonly id: number | string; readonly version: number }[];
}

/** The backend answered, and refused. `version` is what it has. */
export class BackendRefusal extends Error {
  readonly version: number | undefined;

  constructor(message: string, version: number | undefined) {
    super(message);
    this.version = version;
  }
}

/**
 * The simulated data path: JSON over the BE's HTTP port (docs/simulator.md). The headers say who we are, so that a BE can
 * tell a foreign FE.
 */
const call = async (
  fe: Frontend,
  node: NodeRow,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<Reply> => {
  if (fe.faults.find("isolate") !== undefined) {
    throw Object.assign(new Error("timed out"), { code: "ETIMEDOUT" });
  }
  const { clusterId, token, epoch } = fe.catalog.state;
  const answer = await fetchHttp({
    host: node.host,
    port: node.httpPort,
    path: `/api/sim/${path}`,
    method,
    body,
    headers: { "x-cluster-id": String(clusterId), "x-token": token, "x-epoch": String(epoch) },
    localAddress: sourceAddress(fe.ip),
    timeoutMs: fe.options.dataTimeoutMs,
    agent: fe.agent,
  });
  const reply: Reply = JSON.parse(answer.body);
  if (reply.status !== "OK") {
    throw new BackendRefusal(reply.msg ?? "refused", reply.version);
  }
  return reply;
};

export interface Write {
  readonly version: number;
  readonly prevVersion: number;
  readonly rows: readonly Row[];
}

/**
 * Appends one version. `discardNewer`: versions between `prevVersion` and `version` were never committed (their leader
 * died, or too few replicas took them) and go.
 */
export const writeTablet = async (fe: Frontend, node: NodeRow, tabletId: number, write: Write): Promise<void> => {
  await call(fe, node, "POST", `tablet/${tabletId}/write`, { ...write, discardNewer: true });
};

export const createTablet = async (fe: Frontend, node: NodeRow, tabletId: number): Promise<void> => {
  await call(fe, node, "POST", `tablet/${tabletId}/create`, {});
};

export const dropTablet = async (fe: Frontend, node: NodeRow, tabletId: number): Promise<void> => {
  await call(fe, node, "POST", `tablet/${tabletId}/drop`, {});
};

export const cloneTablet = async (
  fe: Frontend,
  node: NodeRow,
  tabletId: number,
  source: NodeRow,
  version: number,
): Promise<void> => {
  const body = { fromHost: source.host, fromHttpPort: source.httpPort, version };
  await call(fe, node, "POST", `tablet/${tabletId}/clone`, body);
};

export const readTablet = async (
  fe: Frontend,
  node: NodeRow,
  tabletId: number,
  version: number,
): Promise<readonly Row[]> => (await call(fe, node, "GET", `tablet/${tabletId}?version=${version}`)).rows ?? [];

export const listTablets = async (fe: Frontend, node: NodeRow): Promise<ReadonlyMap<number, number>> => {
  const { tablets = [] } = await call(fe, node, "GET", "tablets");
  return new Map(tablets.map(({ id, version }) => [Number(id), version]));
};
