import * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "./args.js";
import { BeGroup, FeGroup } from "./groups.js";
import { endWithEngine } from "./orphan.js";
import { Parts } from "./parts.js";
import { Preflight, Rollout } from "./resources.js";

/**
 * A StarRocks cluster on Linux hosts: its releases, frontends, backends, their membership, and the order in which all of
 * it is changed. Read `pulumi preview` to see what an `up` will do, node by node.
 */
export class Cluster extends pulumi.ComponentResource {
  /** Where clients connect: `address:query_port` of every FE. */
  readonly queryEndpoints: pulumi.Output<string[]>;
  readonly frontends: FeGroup;
  readonly backends: BeGroup;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("starrocks:index:Cluster", name, {}, opts);
    endWithEngine();
    const parts = new Parts(name, args, this);
    const releases = parts.releases(opts?.dependsOn);
    const preflight = new Preflight(`${name}-preflight`, parts.topology(), { parent: this, dependsOn: releases });
    const before = [preflight, ...parts.rehearsal(preflight)];
    const backends = (after: pulumi.Resource[]): BeGroup =>
      new BeGroup(`${name}-be`, { nodes: parts.backends(), ...parts.canary(), after }, { parent: this });
    const frontends = (after: pulumi.Resource[]): FeGroup =>
      new FeGroup(`${name}-fe`, { nodes: parts.frontends(), after }, { parent: this });
    if (args.direction === "downgrade") {
      this.frontends = frontends(before);
      this.backends = backends([...before, ...this.frontends.nodes]);
    } else {
      this.backends = backends(before);
      this.frontends = frontends([...before, ...this.backends.nodes]);
    }
    const members = parts.members(this.frontends, this.backends);
    new Rollout(`${name}-rollout`, parts.topology(), {
      parent: this,
      dependsOn: [...members, ...this.frontends.nodes, ...this.backends.nodes],
    });
    this.queryEndpoints = parts.endpoints();
    this.registerOutputs({ queryEndpoints: this.queryEndpoints });
  }
}
