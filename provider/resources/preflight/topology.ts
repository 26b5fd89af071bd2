import { createHash } from "node:crypto";
import type { Plain } from "../../engine/outputs.js";
import { type Connection, wayOf } from "../../host/connection.js";
import { limitsOf } from "../../plan/limits.js";
import { type Policy, unavailableOf } from "../../plan/policy.js";
import { beSpec, feSpec, type NodeSpec } from "../../plan/spec.js";
import { read, topologyInputs } from "../inputs.js";
import { assemble, type NodeContext } from "../node/context.js";

/** The declared cluster as a whole. */
export interface Topology {
  readonly cluster: string;
  /** The release as its archive has it; what a node runs is its own `release`. */
  readonly release: { readonly id: string; readonly version: string };
  readonly maxUnavailable: number;
  readonly policy: Policy;
  readonly nodes: readonly NodeContext[];
  readonly position: number;
  readonly urn: string | undefined;
  readonly clusterUrn: string | undefined;
}

/** A node to ask the whole cluster through. */
export const anyNode = ({ nodes: [first] }: Topology): NodeContext => {
  if (!first) {
    throw new Error("A topology has nodes");
  }
  return first;
};

/** The version that FEs are to run, which is the cluster's; an overlay may give them one of its own. */
export const feVersionOf = ({ nodes, release }: Topology): string =>
  nodes.find(({ spec }) => spec.kind === "fe")?.spec.release.version ?? release.version;

/** Whether single files of the release are replaced. */
export const isOverlaid = ({ nodes, release }: Topology): boolean =>
  nodes.some(({ spec }) => spec.release.id !== release.id);

/** For people: the version of all nodes, or those of FEs and BEs. */
export const versionsText = ({ nodes }: Topology): string =>
  [...new Set(nodes.map(({ spec }) => spec.release.version))].join(" and ");

/** The nodes of the inputs as specs, for checks that look at no host. */
export const specsOf = (inputs: Plain): readonly NodeSpec[] =>
  read(topologyInputs, inputs).nodes.map((node) => (node.kind === "fe" ? feSpec(node) : beSpec(node)));

/** Where the connection of each node goes. */
export const waysOf = (inputs: Plain): readonly string[] => {
  const { connection, connections, nodes } = read(topologyInputs, inputs);
  return nodes.map((_, index) => wayOf({ ...connection, ...connections[index] } as Connection));
};

export const topologyOf = (inputs: Plain): Topology => {
  const { connection, connections, sql, frontends, limits, position, __urn, __clusterUrn, ...rest } = read(
    topologyInputs,
    inputs,
  );
  const specs = specsOf(inputs);
  return {
    ...rest,
    maxUnavailable: unavailableOf(rest.maxUnavailable, specs.filter(({ kind }) => kind === "be").length),
    position,
    urn: __urn,
    clusterUrn: __clusterUrn,
    nodes: specs.map((spec, index) =>
      assemble(spec, { ...connection, ...connections[index] } as Connection, {
        sql,
        contacts: frontends,
        limits: limitsOf(limits),
        position: index,
        preflight: "this",
        urn: __urn,
      }),
    ),
  };
};

/** Inputs that do not make another cluster of it: how it is reached and changed, how long is waited, where things are shown. */
const notDigested = new Set(["connection", "connections", "sql", "limits", "position", "frontends", "policy"]);

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};

/** The declared cluster in a few bytes, taken from the inputs as given: a default of a later version must not change it. */
export const digestOf = (inputs: Plain): string => {
  const digested = Object.entries(inputs).filter(([key]) => !notDigested.has(key) && !key.startsWith("__"));
  return digest({ ...Object.fromEntries(digested), nodes: digestedNodes(inputs) });
};

/** The same of each node, by its id. */
export const nodeDigests = (inputs: Plain): ReadonlyMap<string, string> =>
  new Map(digestedNodes(inputs).map((node) => [`${node.kind} ${node.name}`, digest(node)]));

const digestedNodes = ({ nodes }: Plain): readonly Plain[] =>
  (nodes as readonly Plain[]).map(({ limits, adopt, rack, ...node }) => node);

const digest = (value: Plain): string =>
  createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex")
    .slice(0, 16);
