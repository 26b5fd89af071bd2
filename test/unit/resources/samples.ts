import * as provider from "../../../provider/index.js";
import type { Handlers } from "../../../provider/resources/handlers.js";
import { digestOf } from "../../../provider/resources/preflight/topology.js";

type Inputs = Readonly<Record<string, unknown>>;

export const secrets = ["sudo-secret", "root-secret", "ssh-secret"] as const;
const [sudoPassword, rootPassword, sshPassword] = secrets;

export const release = { id: "3.5.6-aaaaaaaaaaaa", version: "3.5.6" };
export const newRelease = { id: "3.5.7-bbbbbbbbbbbb", version: "3.5.7" };

/** Nobody listens there, and one try is enough to know. */
export const connection = {
  host: "127.0.0.1",
  port: 9,
  password: sshPassword,
  become: { password: sudoPassword },
  dialErrorLimit: 1,
};

const sql = { user: "root", password: rootPassword };
const deployDir = "/opt/starrocks";

const contactOf = (index: number): Inputs => ({
  name: `fe-${index}`,
  address: `10.0.0.1${index}`,
  role: index === 1 ? "leader" : "follower",
  ports: { query: 9031 },
  home: `${deployDir}/fe`,
  metaDir: `${deployDir}/fe/meta`,
  connection: { host: `10.0.0.1${index}` },
});

export const contacts = [1, 2, 3].map(contactOf);

/** What the component gives to each kind of resource; a cluster of its own for each test, as runs live in the process. */
export const samples = (cluster: string) => {
  const place = { cluster, position: 3, __urn: `urn:${cluster}:self`, __clusterUrn: `urn:${cluster}:cluster` };
  const access = { connection, sql, frontends: contacts };
  const node = { cluster, deployDir, release };
  const be = { ...node, name: "be-1", address: "10.0.0.21", storage: ["/disk1/sr"], config: { mem_limit: "80%" } };
  const fe = { ...node, name: "fe-1", address: "10.0.0.11", role: "leader", ports: { query: 9031 } };
  const topology = {
    ...place,
    ...access,
    position: 0,
    release,
    nodes: [
      { kind: "be", ...be },
      { kind: "be", ...be, name: "be-2", address: "10.0.0.22" },
      { kind: "fe", ...fe },
    ],
    connections: [{ host: "10.0.0.21" }, { host: "10.0.0.22" }, { host: "10.0.0.11" }],
    maxUnavailable: 1,
  };
  return {
    release: {
      ...place,
      host: "10.0.0.21",
      connection,
      deployDir,
      release: { version: "3.5.6", sha256: "a".repeat(64), archive: "./StarRocks-3.5.6.tar.gz" },
      parts: ["be"],
    },
    preflight: topology,
    rehearsal: {
      ...place,
      ...access,
      host: "10.0.0.12",
      deployDir,
      release: { version: "3.5.6", sha256: "a".repeat(64), archive: "./StarRocks-3.5.6.tar.gz" },
    },
    feNode: { ...place, ...access, ...fe, preflight: "preflight" },
    beNode: { ...place, ...access, ...be, preflight: "preflight" },
    feMember: {
      ...place,
      ...access,
      name: "fe-1",
      address: "10.0.0.11",
      role: "leader",
      home: `${deployDir}/fe`,
      metaDir: `${deployDir}/fe/meta`,
      ports: { query: 9031 },
      release,
    },
    beMember: {
      ...place,
      ...access,
      name: "be-1",
      address: "10.0.0.21",
      port: 9050,
      home: `${deployDir}/be`,
      release,
    },
    rollout: topology,
  } satisfies Record<keyof typeof provider, Inputs>;
};

export type Kind = keyof typeof provider;
export const kinds = Object.keys(samples("")) as Kind[];
const handlers: Readonly<Record<Kind, Handlers>> = { ...provider };
export const handlersOf = (kind: Kind): Handlers => handlers[kind];

let clusters = 0;

/** Inputs of a kind in a cluster that no other test has. */
export const sample = (kind: Kind): Inputs => {
  clusters += 1;
  return samples(`lab/dev/cluster-${clusters}`)[kind];
};

/** The outputs that a successful create leaves: the inputs as `check` gave them, without the plan, and how it was seen. */
export const outputsOf = (kind: Kind, inputs: Inputs): Inputs => {
  const { plan, ...echoed } = inputs;
  return { ...echoed, ...status[kind](inputs) };
};

const status: Readonly<Record<Kind, (inputs: Inputs) => Inputs>> = {
  release: () => ({ staged: true }),
  preflight: (inputs) => ({ digest: digestOf(inputs) }),
  rehearsal: () => ({}),
  feNode: () => ({ status: "running" }),
  beNode: () => ({ status: "running" }),
  feMember: () => ({ status: "member" }),
  beMember: () => ({ status: "member" }),
  rollout: (inputs) => ({ digest: digestOf(inputs) }),
};
