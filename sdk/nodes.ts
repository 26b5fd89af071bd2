import * as pulumi from "@pulumi/pulumi";
import { hostNameWanted, isHostName, isIpv6 } from "../provider/plan/host-name.js";
import type { BackendArgs, ClusterArgs, ConnectionArgs, FrontendArgs } from "./args.js";

/** A node of a program, with what the component knows of it before any value is resolved. */
export interface DeclaredNode {
  readonly kind: "fe" | "be";
  readonly role?: "leader" | "follower" | "observer";
  /** The argument that declares it: `backends.nodes[1]`. */
  readonly field: string;
  readonly name: string;
  readonly args: FrontendArgs & Partial<BackendArgs>;
  readonly position: number;
}

/** Names the argument at fault; shown without a stack. */
export const refuse = (field: string, reason: string): never => {
  throw new pulumi.RunError(`${field}: ${reason}`);
};

const known = {
  cluster:
    "release deployDir connection sql frontends backends javaHome direction acceptHazards rehearsal rollout limits key",
  frontends: "leader followers observers config ports",
  backends: "nodes config ports rollout",
  backendRollout: "maxUnavailable canary soak pause drain singleReplicaTables onUnrecoverable",
  rollout: "observe verify",
  rehearsal: "host memory keep isolated limit",
  release: "version archive url sha256 overlay",
  overlayFile: "archive sha256 version",
  frontend: "host name address deployDir home config connection javaHome adopt metaDir ports",
  backend: "host name address deployDir home config connection javaHome adopt storage ports rack",
};

/** Programs in JavaScript, and spread objects in TypeScript, can hold arguments that no type has seen. */
const assertKnown = (value: unknown, field: string, names: string): void => {
  if (typeof value !== "object" || value === null) {
    refuse(field, "must be given");
  }
  const unknown = Object.keys(value as object).filter((key) => !names.split(" ").includes(key));
  if (unknown.length > 0) {
    refuse(field, `unknown argument \`${unknown.join("`, `")}\`; it has ${names.split(" ").join(", ")}`);
  }
};

/** A text would be taken for "always". */
const assertRehearsal = (rehearsal: unknown): void => {
  if (typeof rehearsal === "object" && rehearsal !== null) {
    assertKnown(rehearsal, "rehearsal", known.rehearsal);
  } else if (rehearsal !== undefined && typeof rehearsal !== "boolean") {
    const names = known.rehearsal.split(" ").join(", ");
    refuse("rehearsal", `must be true, false or { ${names} }, got \`${JSON.stringify(rehearsal)}\``);
  }
};

const assertList = (value: unknown, field: string): void => {
  if (!Array.isArray(value)) {
    refuse(field, "must be a list");
  }
};

/** The nodes in the order of the plan: BEs, observers, followers, and the leader last. */
export const declaredNodes = (args: ClusterArgs): readonly DeclaredNode[] => {
  assertKnown(args, "Cluster", known.cluster);
  assertKnown(args.frontends, "frontends", known.frontends);
  assertKnown(args.backends, "backends", known.backends);
  if (!pulumi.Output.isInstance(args.release)) {
    assertKnown(args.release, "release", known.release);
    for (const [path, file] of knownEntries(args.release.overlay)) {
      assertKnown(file, `release.overlay["${path}"]`, known.overlayFile);
    }
  }
  if (args.backends.rollout) {
    assertKnown(args.backends.rollout, "backends.rollout", known.backendRollout);
  }
  if (args.rollout) {
    assertKnown(args.rollout, "rollout", known.rollout);
  }
  assertRehearsal(args.rehearsal);
  if (args.key === "") {
    refuse("key", "must not be empty");
  }
  const { leader, followers = [], observers = [] } = args.frontends;
  assertKnown(leader, "frontends.leader", known.frontend);
  assertList(args.backends.nodes, "backends.nodes");
  assertList(followers, "frontends.followers");
  assertList(observers, "frontends.observers");
  if (args.backends.nodes.length === 0) {
    refuse("backends.nodes", "wants at least one BE");
  }
  const list = [
    ...args.backends.nodes.map(
      (node, index) => ({ kind: "be", field: `backends.nodes[${index}]`, args: node }) as const,
    ),
    ...observers.map(
      (node, index) => ({ kind: "fe", role: "observer", field: `frontends.observers[${index}]`, args: node }) as const,
    ),
    ...followers.map(
      (node, index) => ({ kind: "fe", role: "follower", field: `frontends.followers[${index}]`, args: node }) as const,
    ),
    { kind: "fe", role: "leader", field: "frontends.leader", args: leader } as const,
  ];
  return list.map((node, position) => {
    assertKnown(node.args, node.field, node.kind === "fe" ? known.frontend : known.backend);
    return { ...node, args: node.args as DeclaredNode["args"], name: nameOf(node.args, node.field), position };
  });
};

/** Entries that are no outputs, whose arguments can be looked at. */
const knownEntries = (record: pulumi.Input<Record<string, unknown>> | undefined): readonly [string, unknown][] =>
  record === undefined || pulumi.Output.isInstance(record)
    ? []
    : Object.entries(record).filter(([, value]) => !pulumi.Output.isInstance(value));

const nameOf = ({ name, host }: FrontendArgs | BackendArgs, field: string): string => {
  if (host === undefined || host === null) {
    refuse(`${field}.host`, "must be given");
  }
  if (typeof host === "string" && !isHostName(host)) {
    refuse(`${field}.host`, `${hostNameWanted}, got \`${host}\``);
  }
  if (name !== undefined) {
    return name;
  }
  if (typeof host !== "string") {
    return refuse(`${field}.name`, "must be given, as `host` is not a plain string");
  }
  return isIpv6(host) ? refuse(`${field}.name`, "must be given, as `host` is an IPv6 address, which is no name") : host;
};

type Resolved = pulumi.Unwrap<ConnectionArgs>;

/** The connection of a node: the cluster's, with the node's host and overrides. */
export const connectionOf = (base: pulumi.Output<Resolved>, node: DeclaredNode): pulumi.Output<Resolved> =>
  pulumi
    .all([base, node.args.host, pulumi.output(node.args.connection ?? {})])
    .apply(([shared, host, own]) => ({ ...shared, host, ...own }) as Resolved);

const plainKeys = ["host", "port", "user"] as const;

/** Whether every node shares the credentials of the cluster, so that one may be derived from another's by its host alone. */
export const credentialsShared = (nodes: readonly DeclaredNode[]): boolean =>
  nodes.every(({ args }) =>
    Object.keys(args.connection ?? {}).every((key) => (plainKeys as readonly string[]).includes(key)),
  );

/** What of a connection another node needs that has its own: where it goes, or all of it. */
export const difference = (connection: Resolved, shared: boolean): Resolved =>
  shared
    ? ({ host: connection.host, port: connection.port ?? 22, user: connection.user ?? "root" } as Resolved)
    : connection;

/**
 * Where a rehearsal is done: the node of that name or host, another host that is reached as the nodes are, or by default
 * where the least depends on it: an observer's host, a follower's, and the leader's only where there is no other.
 */
export const rehearsalPlace = (nodes: readonly DeclaredNode[], host: string | undefined): DeclaredNode => {
  const [leader] = nodes.filter(({ role }) => role === "leader") as [DeclaredNode];
  if (host === undefined) {
    const of = (wanted: string) => nodes.find(({ role }) => role === wanted);
    return of("observer") ?? of("follower") ?? leader;
  }
  // FEs first: of two nodes on one host it has the JDK.
  const known = [...nodes].sort((a, b) => Number(b.kind === "fe") - Number(a.kind === "fe"));
  return (
    known.find(({ name }) => name === host) ??
    known.find(({ args }) => args.host === host) ?? {
      kind: "fe",
      field: "rehearsal",
      name: host,
      args: { host },
      position: 0,
    }
  );
};
