import * as pulumi from "@pulumi/pulumi";
import { BeNode, type BeNodeArgs, FeNode, type FeNodeArgs } from "./resources.js";

/** An FE whose role is known to the program: edges between FEs follow from it. */
export type FeGroupNode = FeNodeArgs & { role: "leader" | "follower" | "observer" };

export interface FeGroupArgs {
  /** The FEs by logical name. */
  nodes: Record<string, FeGroupNode>;
  /** What every FE comes after. Edges name nodes, never components: an edge on a component means all its children. */
  after?: pulumi.Resource[];
}

/** The frontends of a cluster and the edges between them: observers, followers, and the leader last. */
export class FeGroup extends pulumi.ComponentResource {
  readonly nodes: readonly FeNode[];
  readonly leader: FeNode;

  constructor(name: string, args: FeGroupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("starrocks:index:FeGroup", name, {}, opts);
    const of = (role: string, after: pulumi.Resource[]): FeNode[] =>
      Object.entries(args.nodes)
        .filter(([, node]) => node.role === role)
        .map(([logicalName, node]) => new FeNode(logicalName, node, { parent: this, dependsOn: after }));
    const before = args.after ?? [];
    const observers = of("observer", before);
    const followers = of("follower", [...before, ...observers]);
    const [leader, ...more] = of("leader", [...before, ...observers, ...followers]);
    if (!leader || more.length > 0) {
      throw new pulumi.RunError(`${name}: an FeGroup has exactly one leader`);
    }
    this.leader = leader;
    this.nodes = [...observers, ...followers, leader];
    this.registerOutputs({});
  }
}

export interface BeGroupArgs {
  /** The BEs by logical name. */
  nodes: Record<string, BeNodeArgs>;
  /** Logical name of the BE that the others come after. Default: none. */
  canary?: string;
  after?: pulumi.Resource[];
}

/**
 * The backends of a cluster. All come after the canary; among the others there are no edges: a first deployment starts
 * them together, a change takes turns.
 */
export class BeGroup extends pulumi.ComponentResource {
  readonly nodes: readonly BeNode[];

  constructor(name: string, args: BeGroupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("starrocks:index:BeGroup", name, {}, opts);
    const after = args.after ?? [];
    const make = (logicalName: string, node: BeNodeArgs, dependsOn: pulumi.Resource[]): BeNode =>
      new BeNode(logicalName, node, { parent: this, dependsOn });
    const first = args.canary === undefined ? undefined : args.nodes[args.canary];
    const canary = first && make(args.canary as string, first, after);
    this.nodes = Object.entries(args.nodes).map(([logicalName, node]) =>
      canary && node === first ? canary : make(logicalName, node, canary ? [...after, canary] : after),
    );
    this.registerOutputs({});
  }
}
