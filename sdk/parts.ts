import * as pulumi from "@pulumi/pulumi";
import { releaseOfPart, withParts } from "../provider/plan/overlay.js";
import { releaseIdOf } from "../provider/plan/release-id.js";
import type { ClusterArgs, ConnectionArgs, FrontendArgs } from "./args.js";
import type { BeGroup, FeGroup, FeGroupNode } from "./groups.js";
import {
  connectionOf,
  credentialsShared,
  type DeclaredNode,
  declaredNodes,
  difference,
  refuse,
  rehearsalPlace,
} from "./nodes.js";
import { type ResolvedRelease, resolveRelease } from "./release-source.js";
import {
  BeMember,
  type BeNodeArgs,
  type ContactArgs,
  FeMember,
  type Preflight,
  Rehearsal,
  type RehearsalResourceArgs,
  Release,
  type TopologyArgs,
  urnPromise,
} from "./resources.js";

/** Turns the arguments of a cluster into those of its resources. */
export class Parts {
  readonly #name: string;
  readonly #args: ClusterArgs;
  readonly #cluster: pulumi.ComponentResource;
  readonly #nodes: readonly DeclaredNode[];
  readonly #release: pulumi.Output<ResolvedRelease>;
  readonly #shared: boolean;
  readonly #common: Pick<BeNodeArgs, "cluster" | "limits">;
  /** What nodes of each part run; the same for both where no overlay says otherwise. */
  readonly #runs: Readonly<Record<DeclaredNode["kind"], BeNodeArgs["release"]>>;
  /** The release as hosts need it that have these parts, by the parts. */
  readonly #needs = new Map<string, pulumi.Output<ResolvedRelease>>();
  /** What many resources share is resolved once: an output of its own for each of 600 resources costs gigabytes. */
  readonly #connections: ReadonlyMap<DeclaredNode, ReturnType<typeof connectionOf>>;
  readonly #contacts: ContactArgs[];
  readonly #topology: TopologyArgs;
  readonly #clusterUrn: Promise<string>;

  constructor(name: string, args: ClusterArgs, cluster: pulumi.ComponentResource) {
    this.#name = name;
    this.#args = args;
    this.#cluster = cluster;
    this.#nodes = declaredNodes(args);
    this.#shared = credentialsShared(this.#nodes);
    this.#release = resolveRelease(args.release);
    this.#common = {
      cluster: args.key ?? `${pulumi.getProject()}/${pulumi.getStack()}/${name}`,
      ...(args.limits && { limits: args.limits }),
    };
    this.#runs = {
      fe: this.#release.apply((release) => releaseOfPart(release, "fe")),
      be: this.#release.apply((release) => releaseOfPart(release, "be")),
    };
    this.#clusterUrn = urnPromise(cluster.urn);
    const base = pulumi.output(args.connection);
    this.#connections = new Map(this.#nodes.map((node) => [node, connectionOf(base, node)]));
    this.#contacts = this.#resolveContacts();
    this.#topology = this.#resolveTopology();
  }

  #needed(parts: readonly DeclaredNode["kind"][]): pulumi.Output<ResolvedRelease> {
    const key = parts.join(" ");
    const needed = this.#needs.get(key) ?? this.#release.apply((release) => withParts(release, parts));
    this.#needs.set(key, needed);
    return needed;
  }

  #connection(node: DeclaredNode): ReturnType<typeof connectionOf> {
    return this.#connections.get(node) ?? connectionOf(pulumi.output(this.#args.connection), node);
  }

  /**
   * One per host; a host with FE and BE gets both parts. They come after what the cluster depends on: the engine knows no
   * edges of a component, and would undo the preparation of a host while the nodes there still run.
   */
  releases(after: pulumi.ComponentResourceOptions["dependsOn"]): Release[] {
    const hosts = new Map<string, DeclaredNode[]>();
    for (const node of this.#nodes) {
      const { host, connection, deployDir } = node.args;
      const key = typeof host === "string" && !connection && !deployDir ? host : `${node.kind}-${node.name}`;
      hosts.set(key, [...(hosts.get(key) ?? []), node]);
    }
    return [...hosts.values()].map((nodes, position) => {
      const [first] = nodes as [DeclaredNode];
      const parts = [...new Set(nodes.map(({ kind }) => kind))].sort();
      const alone = nodes.length === 1 ? `${first.kind}-${first.name}` : first.name;
      return new Release(
        `${this.#name}-release-${alone}`,
        {
          position,
          cluster: this.#common.cluster,
          deployDir: this.#deployDir(first),
          release: this.#needed(parts),
          host: first.args.host,
          parts,
          connection: this.#connection(first),
          ...this.#javaHome(nodes.find(({ kind }) => kind === "fe") ?? first),
          ...(this.#args.limits && { limits: this.#args.limits }),
        },
        { parent: this.#cluster, ...(after && { dependsOn: after }) },
      );
    });
  }

  /** None where it is declared off. */
  rehearsal(preflight: Preflight): Rehearsal[] {
    const { rehearsal } = this.#args;
    if (rehearsal === false) {
      return [];
    }
    const { host, ...how } = typeof rehearsal === "object" ? rehearsal : {};
    const place = rehearsalPlace(this.#nodes, host);
    const inputs = {
      ...this.#shownOnCluster,
      ...how,
      ...(rehearsal !== undefined && { when: "always" as const }),
      cluster: this.#common.cluster,
      release: this.#needed(["fe"]),
      host: place.args.host,
      connection: this.#connection(place),
      deployDir: this.#deployDir(place),
      ...this.#javaHome({ ...place, kind: "fe" }),
      ...(this.#args.sql && { sql: this.#args.sql }),
      frontends: this.#contacts,
      ...this.#frontendConfig(),
      ...(this.#args.limits && { limits: this.#args.limits }),
    };
    return [new Rehearsal(`${this.#name}-rehearsal`, inputs, { parent: this.#cluster, dependsOn: preflight })];
  }

  /** What is declared of fe.conf, for each FE apart: which of them leads is known when it is rehearsed. */
  #frontendConfig(): Pick<RehearsalResourceArgs, "config" | "ownConfig"> {
    const { config = {} } = this.#args.frontends;
    const own = this.#nodes.flatMap(({ kind, name, args }) =>
      kind === "fe" && args.config !== undefined ? [[name, args.config] as const] : [],
    );
    return { config, ...(own.length > 0 && { ownConfig: Object.fromEntries(own) }) };
  }

  frontends(): Record<string, FeGroupNode> {
    return this.#byName(
      "fe",
      (node) => ({ ...this.#nodeInputs(node), ...this.#access(node), ...this.#guard }) as FeGroupNode,
    );
  }

  backends(): Record<string, BeNodeArgs> {
    return this.#byName(
      "be",
      (node) => ({ ...this.#nodeInputs(node), ...this.#access(node), ...this.#guard }) as BeNodeArgs,
    );
  }

  /** The BE that goes first: as declared, else the first one; one alone has no other to spare. */
  canary(): { canary?: string } {
    const wanted = this.#args.backends.rollout?.canary;
    const backends = this.#nodes.filter(({ kind }) => kind === "be");
    if (wanted === false || (wanted === undefined && backends.length < 2)) {
      return {};
    }
    const node =
      wanted === undefined ? backends[0] : backends.find(({ name, args }) => [name, args.host].includes(wanted));
    return node
      ? { canary: `${this.#name}-be-${node.name}` }
      : refuse(
          "backends.rollout.canary",
          `is no BE of this cluster (\`${wanted}\`); it has ${backends.map(({ name }) => name).join(", ")}`,
        );
  }

  /** What was said of how a change is made; the defaults are the provider's. */
  #policy(): Record<string, unknown> {
    const { direction, acceptHazards, rollout } = this.#args;
    const { maxUnavailable, ...backends } = this.#args.backends.rollout ?? {};
    const canary = this.canary().canary?.slice(`${this.#name}-be-`.length) ?? false;
    const said = { direction, acceptHazards, ...backends, ...rollout, canary };
    return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  }

  get #guard(): { preflight: string } {
    return { preflight: `${this.#name}-preflight` };
  }

  members(frontends: FeGroup, backends: BeGroup): pulumi.Resource[] {
    const resources = new Map<string, pulumi.Resource>(
      [...frontends.nodes, ...backends.nodes].map((node, index) => [
        [...this.#order("fe"), ...this.#order("be")][index] ?? "",
        node,
      ]),
    );
    return this.#nodes.map((node) => {
      const own = resources.get(`${node.kind}-${node.name}`);
      const inputs = this.#nodeInputs(node);
      const common = {
        ...this.#access(node),
        cluster: inputs.cluster,
        name: node.name,
        address: inputs.address,
        home: this.#home(node),
        release: this.#runs[node.kind],
        ...(this.#args.limits && { limits: this.#args.limits }),
      };
      const options = {
        parent: this.#cluster,
        dependsOn: [frontends.leader, ...(own && own !== frontends.leader ? [own] : [])],
        // Destroying the whole cluster must not move its data about.
        deletedWith: this.#cluster,
      };
      const logicalName = `${this.#name}-${node.kind}-${node.name}-member`;
      return node.kind === "fe"
        ? new FeMember(
            logicalName,
            {
              ...common,
              role: node.role ?? "follower",
              metaDir: this.#metaDir(node),
              ports: this.#ports(node) as FrontendArgs["ports"],
            },
            options,
          )
        : new BeMember(
            logicalName,
            {
              ...common,
              port: heartbeatPortOf(this.#ports(node)),
            },
            options,
          );
    });
  }

  topology(): TopologyArgs {
    return this.#topology;
  }

  #resolveTopology(): TopologyArgs {
    const [first] = this.#nodes as [DeclaredNode];
    return {
      ...this.#shownOnCluster,
      cluster: this.#common.cluster,
      release: this.#release.apply(({ version, sha256 }) => ({ id: releaseIdOf(version, sha256), version })),
      nodes: pulumi.output(this.#nodes.map((node) => ({ kind: node.kind, ...this.#nodeInputs(node) }))),
      connection: this.#connection(first),
      connections: pulumi.output(this.#nodes.map((node) => this.#reach(node))) as TopologyArgs["connections"],
      frontends: this.#contacts,
      ...(this.#args.sql && { sql: this.#args.sql }),
      ...(this.#args.backends.rollout?.maxUnavailable !== undefined && {
        maxUnavailable: this.#args.backends.rollout.maxUnavailable,
      }),
      policy: this.#policy(),
      ...(this.#args.limits && { limits: this.#args.limits }),
    };
  }

  endpoints(): pulumi.Output<string[]> {
    return pulumi
      .output(this.#contacts)
      .apply((contacts) =>
        (contacts as pulumi.Unwrap<ContactArgs>[]).map(({ address, ports }) => `${address}:${ports?.query ?? 9030}`),
      );
  }

  /** For resources that speak of the whole cluster. */
  get #shownOnCluster(): { position: number; __clusterUrn: Promise<string> } {
    return { position: 0, __clusterUrn: this.#clusterUrn };
  }

  #byName<T>(kind: "fe" | "be", inputs: (node: DeclaredNode) => T): Record<string, T> {
    return Object.fromEntries(
      this.#nodes
        .filter((node) => node.kind === kind)
        .map((node) => [`${this.#name}-${kind}-${node.name}`, inputs(node)]),
    );
  }

  /** Keys of the nodes in the order in which the groups make them. */
  #order(kind: "fe" | "be"): string[] {
    return this.#nodes.filter((node) => node.kind === kind).map((node) => `${kind}-${node.name}`);
  }

  /** What is the node's own: the same for its resource and for the whole topology. */
  #nodeInputs(node: DeclaredNode): Omit<BeNodeArgs, "connection" | "storage"> & Record<string, unknown> {
    const { host, address, home, adopt, rack, storage } = node.args;
    const group = node.kind === "fe" ? this.#args.frontends : this.#args.backends;
    const config = merged(group.config, node.args.config);
    const ports = this.#ports(node);
    return {
      ...this.#common,
      release: this.#runs[node.kind],
      deployDir: this.#deployDir(node),
      name: node.name,
      address: address ?? host,
      ...(node.role && { role: node.role }),
      ...(home !== undefined && { home }),
      ...(config && { config }),
      ...(ports && { ports }),
      ...(adopt !== undefined && { adopt }),
      ...(node.args.metaDir !== undefined && { metaDir: node.args.metaDir }),
      ...(storage !== undefined && { storage }),
      ...(rack !== undefined && { rack }),
      ...this.#javaHome(node),
    };
  }

  #javaHome(node: DeclaredNode): { javaHome?: pulumi.Input<string> } {
    const javaHome = node.args.javaHome ?? (node.kind === "fe" ? this.#args.javaHome : undefined);
    return javaHome === undefined ? {} : { javaHome };
  }

  /** How a resource reaches its own host and the FEs. */
  #access(
    node: DeclaredNode,
  ): Pick<BeNodeArgs, "connection" | "sql" | "position"> & { frontends: pulumi.Input<pulumi.Input<ContactArgs>[]> } {
    return {
      position: node.position,
      connection: this.#connection(node),
      ...(this.#args.sql && { sql: this.#args.sql }),
      frontends: this.#contacts,
    };
  }

  #resolveContacts(): ContactArgs[] {
    return this.#nodes
      .filter((node) => node.kind === "fe")
      .map((node) => ({
        name: node.name,
        address: node.args.address ?? node.args.host,
        role: node.role ?? "follower",
        ports: this.#ports(node) as FrontendArgs["ports"],
        home: this.#home(node),
        ...(node.args.metaDir !== undefined && { metaDir: node.args.metaDir }),
        ...(!this.#reachedAlike(node) && { connection: this.#reach(node) }),
      }));
  }

  /** Whether SSH goes to the node's address, and otherwise as to all others: then nothing needs to be said of it. */
  #reachedAlike(node: DeclaredNode): boolean {
    return node.args.address === undefined && this.#nodes.every(({ args }) => args.connection === undefined);
  }

  #reach(node: DeclaredNode): pulumi.Output<ConnectionArgs> {
    const partial = this.#connection(node).apply((own): ConnectionArgs => difference(own, this.#shared));
    return this.#shared ? pulumi.unsecret(partial) : pulumi.secret(partial);
  }

  #metaDir(node: DeclaredNode): pulumi.Input<string> {
    return node.args.metaDir ?? below(this.#home(node), "meta");
  }

  #deployDir(node: DeclaredNode): pulumi.Input<string> {
    return node.args.deployDir ?? this.#args.deployDir;
  }

  #home(node: DeclaredNode): pulumi.Input<string> {
    return node.args.home ?? below(this.#deployDir(node), node.kind);
  }

  #ports(node: DeclaredNode): pulumi.Input<Record<string, pulumi.Input<number>>> | undefined {
    const group = node.kind === "fe" ? this.#args.frontends.ports : this.#args.backends.ports;
    return merged(group as Settings<number>, node.args.ports as Settings<number>);
  }
}

const below = (folder: pulumi.Input<string>, name: string): pulumi.Input<string> =>
  typeof folder === "string" ? `${folder}/${name}` : pulumi.interpolate`${folder}/${name}`;

/** A plain number where the program says nothing else: of hundreds of outputs each is dear. */
const heartbeatPortOf = (ports: Settings<number>): pulumi.Input<number> =>
  ports === undefined
    ? defaultHeartbeatPort
    : pulumi.output(ports).apply((own) => own?.heartbeat ?? defaultHeartbeatPort);

const defaultHeartbeatPort = 9050;

type Settings<T> = pulumi.Input<Record<string, pulumi.Input<T>>> | undefined;

/** The group's settings with the node's over them; undefined when neither says anything. */
const merged = <T>(group: Settings<T>, own: Settings<T>): Settings<T> =>
  group === undefined || own === undefined
    ? (own ?? group)
    : pulumi.all([group, own]).apply(([a, b]) => ({ ...(a as object), ...(b as object) }) as never);
