import { posix } from "node:path";
import { TransientError } from "../../../provider/error.js";
import type { Host } from "../../../provider/host/types.js";
import { limitsOf } from "../../../provider/plan/limits.js";
import { defaultPolicy } from "../../../provider/plan/policy.js";
import { beSpec, beSpecSchema, feSpec, feSpecSchema, type NodeSpec } from "../../../provider/plan/spec.js";
import type { NodeContext } from "../../../provider/resources/node/context.js";
import type { Topology } from "../../../provider/resources/preflight/topology.js";
import { type Contact, Frontends } from "../../../provider/rollout/frontends.js";
import type { Lease } from "../../../provider/rollout/lease.js";
import { runOf } from "../../../provider/rollout/run.js";
import type { Sql } from "../../../provider/starrocks/sql.js";
import { localHost } from "../starrocks/local-host.js";

/** FEs whose hosts are folders of this machine. */
export class LocalFrontends extends Frontends {
  /** While set, no FE host can be reached. */
  cut = false;

  override hostOf({ name }: Contact): Host {
    const local = localHost();
    const reached =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> =>
        this.cut ? Promise.reject(new TransientError(`${name}: connection refused`)) : call(...args);
    const { readFile, script, writeFile } = local;
    return { ...local, name, readFile: reached(readFile), script: reached(script), writeFile: reached(writeFile) };
  }
}

/** A session that takes every statement for done, and notes it. */
export const noting = (told: string[]): Sql => ({
  name: "fe-1",
  query: async (text) => {
    told.push(text);
    return [];
  },
  table: () => Promise.reject(new Error("nobody asks for a table")),
  close: () => undefined,
});

/** A place of an FE: its home, and the address on which it may run. */
export interface Place {
  readonly address: string;
  readonly home: string;
}

let clusters = 0;

/** One operation on a cluster of this machine, as the handlers have it. `limits` in seconds. */
export const operationOn = (places: readonly Place[], limits: Readonly<Record<string, number>> = {}) => {
  clusters += 1;
  const run = runOf(`local-${clusters}`);
  const frontends = new LocalFrontends({
    cluster: run.cluster,
    contacts: places.map(({ address, home }, index) => ({
      name: `fe-${index + 1}`,
      address,
      role: index === 0 ? "leader" : "follower",
      ports: { http: 8030, rpc: 9020, query: 9030, editLog: 9010 },
      home,
      metaDir: `${home}/meta`,
      connection: {},
    })),
    connection: { host: "127.0.0.1" },
    sql: { user: "root" },
    limits: limitsOf(limits),
  });
  const nodeOn = (host: Host, spec: NodeSpec): NodeContext => ({
    spec,
    host,
    frontends,
    run,
    limits: limitsOf(limits),
    position: 0,
    preflight: "this",
    progress: () => undefined,
    urn: undefined,
    secrets: [],
  });
  return { run, frontends, nodeOn };
};

export type Operation = ReturnType<typeof operationOn>;

const release = { id: "3.5.7-aaaaaaaaaaaa", version: "3.5.7" };

export const backend = ({ address, home }: Place, more: Readonly<Record<string, unknown>> = {}): NodeSpec =>
  beSpec(
    beSpecSchema.parse({
      kind: "be",
      cluster: "local",
      name: "be-1",
      address,
      release,
      deployDir: posix.dirname(home),
      home,
      storage: [`${home}/storage`],
      ...more,
    }),
  );

export const frontend = ({ address, home }: Place, more: Readonly<Record<string, unknown>> = {}): NodeSpec =>
  feSpec(
    feSpecSchema.parse({
      kind: "fe",
      cluster: "local",
      name: "fe-1",
      role: "leader",
      address,
      release,
      deployDir: posix.dirname(home),
      home,
      ...more,
    }),
  );

export const topologyWith = ({ run }: Operation, nodes: readonly NodeContext[]): Topology => ({
  cluster: run.cluster,
  release,
  maxUnavailable: 1,
  policy: defaultPolicy,
  nodes,
  position: 0,
  urn: undefined,
  clusterUrn: undefined,
});

/** The lease of an operation that has one; given back at the end of its test. */
export const leaseOf = ({ run }: Operation): Lease => {
  if (run.lease === undefined) {
    throw new Error("This operation has no lease");
  }
  return run.lease;
};
