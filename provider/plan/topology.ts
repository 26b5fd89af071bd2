import { nodeFields } from "./fields.js";
import { within } from "./own-folders.js";
import type { BeSpec, FeSpec, NodeSpec } from "./spec.js";

/** What is wrong with the whole, where no single node could tell. */
export interface Problem {
  /** The argument of `Cluster` at fault: `backends.nodes[1].ports.http`. */
  readonly property: string;
  readonly reason: string;
}

export interface TopologyReport {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

interface Named<S extends NodeSpec = NodeSpec> {
  readonly field: string;
  readonly spec: S;
  /** Which machine it is on: the same for nodes that have their address or the way to it in common. */
  readonly machine: string;
}

const withFields = (nodes: readonly NodeSpec[], ways: readonly string[]): readonly Named[] => {
  const fields = nodeFields(nodes);
  const machines = machinesOf(nodes.map(({ address }, index) => [address, ways[index] ?? address]));
  return nodes.map((spec, index) => ({ field: fields[index] ?? "", spec, machine: machines[index] ?? spec.address }));
};

const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** The address of the first node on the machine of each. Names are the same without case, as in DNS. */
const machinesOf = (nodes: readonly (readonly [address: string, way: string])[]): readonly string[] => {
  const byAddress = new Map<string, string>();
  const byWay = new Map<string, string>();
  return nodes.map(([address, givenWay]) => {
    const [name, way] = [address.toLowerCase(), givenWay.toLowerCase()];
    const machine = byAddress.get(name) ?? byWay.get(way) ?? address;
    byAddress.set(name, machine);
    byWay.set(way, byWay.get(way) ?? machine);
    return machine;
  });
};

const isFe = (node: Named): node is Named<FeSpec> => node.spec.kind === "fe";
const isBe = (node: Named): node is Named<BeSpec> => node.spec.kind === "be";

/**
 * Everything that is wrong or odd in a declared cluster, found without a look at any host. `ways`: where the connection of
 * each node goes, in their order.
 */
export const inspectTopology = (nodes: readonly NodeSpec[], ways: readonly string[] = []): TopologyReport => {
  const all = withFields(nodes, ways);
  // A node that is listed twice has everything in common with itself; its name says enough.
  const named = leaderFirst(all).filter((node) => !listedTwice(all).some(([, again]) => again === node));
  const frontends = named.filter(isFe);
  const backends = named.filter(isBe);
  return {
    problems: [
      ...sameNames(all),
      ...sameFrontendHosts(frontends),
      ...samePorts(named),
      ...differingHttpPorts(frontends),
      ...sharedFolders(named),
      ...singleBackend(frontends, backends),
    ],
    warnings: [...evenVoters(frontends), ...mixedHosts(frontends, backends)],
  };
};

/** Every pair in which the second has the key of the first. */
const repeats = <T>(values: readonly T[], key: (value: T) => string): readonly (readonly [first: T, again: T])[] => {
  const seen = new Map<string, T>();
  const pairs: [T, T][] = [];
  for (const value of values) {
    const first = seen.get(key(value));
    if (first) {
      pairs.push([first, value]);
    } else {
      seen.set(key(value), value);
    }
  }
  return pairs;
};

/** The leader first: it stands last in a plan, and what repeats it is the odd one. */
const leaderFirst = (nodes: readonly Named[]): readonly Named[] => [
  ...nodes.filter(({ field }) => field === leaderField),
  ...nodes.filter(({ field }) => field !== leaderField),
];

const leaderField = "frontends.leader";

const listedTwice = (nodes: readonly Named[]) =>
  repeats(leaderFirst(nodes), ({ spec }) => `${spec.kind} ${spec.name} ${spec.address}`);

const sameNames = (nodes: readonly Named[]): readonly Problem[] =>
  repeats(leaderFirst(nodes), ({ spec }) => `${spec.kind} ${spec.name}`).map(([first, again]) => ({
    property: `${again.field}.name`,
    reason:
      first.field === leaderField
        ? `\`${again.spec.name}\` is the leader already: an FE is listed once, in one role`
        : `\`${again.spec.name}\` is also the name of ${first.field}; names are unique among FEs and among BEs`,
  }));

const sameFrontendHosts = (frontends: readonly Named<FeSpec>[]): readonly Problem[] =>
  repeats(frontends, ({ machine }) => machine)
    .filter(([first, again]) => first.spec.name !== again.spec.name)
    .map(([first, again]) =>
      sameName(first.spec.address, again.spec.address)
        ? {
            property: `${again.field}.address`,
            reason: `${again.spec.address} has an FE already (${first.field}): StarRocks allows one FE on a host`,
          }
        : {
            property: `${again.field}.connection`,
            reason: `goes to the host of ${first.field}, though their addresses differ (${again.spec.address}, ${first.spec.address}): StarRocks allows one FE on a host`,
          },
    );

/** Two FEs on one host are refused as such: what else they have alike is not worth a word. */
const bothFrontends = (one: NodeSpec, other: NodeSpec): boolean => one.kind === "fe" && other.kind === "fe";

interface PortOf {
  readonly name: string;
  readonly port: number;
  readonly node: Named;
}

const portsOf = (node: Named): readonly PortOf[] =>
  Object.entries(node.spec.ports).map(([name, port]) => ({ name, port, node }));

/** One problem for two nodes, however many ports they have alike. */
const samePorts = (nodes: readonly Named[]): readonly Problem[] => {
  const pairs = repeats(nodes.flatMap(portsOf), ({ node, port }) => `${node.machine} ${port}`).filter(
    ([first, again]) => first.node !== again.node && !bothFrontends(first.node.spec, again.node.spec),
  );
  const nodesOf = ([first, again]: (typeof pairs)[number]) => `${first.node.field} ${again.node.field}`;
  return [...new Set(pairs.map(nodesOf))].flatMap((two) => takenPorts(pairs.filter((pair) => nodesOf(pair) === two)));
};

const takenPorts = (pairs: readonly (readonly [PortOf, PortOf])[]): readonly Problem[] => {
  const [pair, ...more] = pairs;
  if (!pair) {
    return [];
  }
  const [first, { name, node, port }] = pair;
  const { address } = node.spec;
  return more.length === 0
    ? [
        {
          property: `${node.field}.ports.${name}`,
          reason: `${address}:${port} is taken by ${first.node.field}.ports.${first.name}`,
        },
      ]
    : [
        {
          property: `${node.field}.ports`,
          reason: `${pairs.map(([, again]) => `${again.name} ${again.port}`).join(", ")} on ${address} are taken by ${first.node.field}`,
        },
      ];
};

const differingHttpPorts = (frontends: readonly Named<FeSpec>[]): readonly Problem[] => {
  const [first, ...others] = frontends;
  return others
    .filter(({ spec }) => spec.ports.http !== first?.spec.ports.http)
    .map(({ field, spec }) => ({
      property: `${field}.ports.http`,
      reason: `${spec.ports.http} differs from ${first?.spec.ports.http} of ${first?.field}: all FEs need the same http port (--helper, heartbeat and image push use it)`,
    }));
};

const foldersOf = ({ field, machine, spec }: Named): readonly Folder[] => {
  const data =
    spec.kind === "fe"
      ? [{ field: `${field}.metaDir`, path: spec.metaDir }]
      : spec.storage.map(({ path }, index) => ({ field: `${field}.storage[${index}]`, path }));
  return [{ field: `${field}.home`, path: spec.home }, ...data].map((folder) => ({
    ...folder,
    host: machine,
    node: { field, machine, spec },
  }));
};

interface Folder {
  readonly field: string;
  readonly path: string;
  readonly host: string;
  readonly node: Named;
}

const sharedFolders = (nodes: readonly Named[]): readonly Problem[] => {
  const byHost = new Map<string, Folder[]>();
  for (const folder of nodes.flatMap(foldersOf)) {
    byHost.set(folder.host, [...(byHost.get(folder.host) ?? []), folder]);
  }
  return [...byHost.values()].flatMap(sharedOnHost);
};

/** One problem for two nodes: folders beneath a shared one are shared with it. */
const sharedOnHost = (folders: readonly Folder[]): readonly Problem[] => {
  const pairs = folders.flatMap((folder, index) =>
    folders
      .slice(0, index)
      .filter((other) => other.node.field !== folder.node.field && !bothFrontends(other.node.spec, folder.node.spec))
      .filter((other) => within(folder.path, other.path) || within(other.path, folder.path))
      .map((other) => ({ folder, other, nodes: `${folder.node.field} ${other.node.field}` })),
  );
  return pairs
    .filter(({ nodes }, index) => pairs.findIndex((pair) => pair.nodes === nodes) === index)
    .map(({ folder, other }) => ({
      property: folder.field,
      reason: `${folder.path} on ${folder.host} is shared with ${other.field} (${other.path}): each node needs folders of its own`,
    }));
};

const singleBackend = (frontends: readonly Named<FeSpec>[], backends: readonly Named<BeSpec>[]): readonly Problem[] => {
  const [only, ...others] = backends;
  if (!only || others.length > 0) {
    return [];
  }
  return frontends.some(({ spec }) => spec.config.default_replication_num !== "1")
    ? [
        {
          property: "frontends.config.default_replication_num",
          reason: "must be `1` with a single BE: every CREATE TABLE would ask for 3 replicas and fail",
        },
      ]
    : [];
};

const evenVoters = (frontends: readonly Named<FeSpec>[]): readonly string[] => {
  const voters = frontends.filter(({ spec }) => spec.role !== "observer").length;
  return voters % 2 === 0 && voters > 0
    ? [
        `${voters} voting FEs (leader included): an even number bears no more failures than ${voters - 1}. Use an odd number, 3 or more for high availability.`,
      ]
    : [];
};

const mixedHosts = (frontends: readonly Named<FeSpec>[], backends: readonly Named<BeSpec>[]): readonly string[] => {
  const withFe = new Set(frontends.map(({ machine }) => machine));
  const mixed = [...new Set(backends.map(({ machine }) => machine))].filter((machine) => withFe.has(machine));
  return mixed.length > 0
    ? [
        `FE and BE on one host (${mixed.join(", ")}): a busy BE can starve the FE, on whose metadata everything depends.`,
      ]
    : [];
};
