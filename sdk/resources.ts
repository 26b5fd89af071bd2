import * as pulumi from "@pulumi/pulumi";
import type {
  ConnectionArgs,
  FrontendArgs,
  LimitsArgs,
  OverlayFileArgs,
  ReleaseSource,
  SqlArgs,
  StorageArgs,
} from "./args.js";
import { packed, secretKeys } from "./packed.js";
import { type Kind, providerText } from "./providers.js";

/** What the URNs of a parent's children begin with: made once, as each way to a URN is several outputs. */
const prefixes = new WeakMap<pulumi.Resource, Promise<string>>();

const urnOf = async (type: string, name: string, parent: pulumi.Resource | undefined): Promise<string> => {
  if (parent === undefined) {
    return urnPromise(pulumi.createUrn(name, type));
  }
  const prefix = prefixes.get(parent) ?? urnPromise(pulumi.createUrn("", "", parent));
  prefixes.set(parent, prefix);
  // Of a child without type and name only what parts the two is left.
  return `${(await prefix).slice(0, -"::".length)}${type}::${name}`;
};

/** A promise, as an output used as an input inside a component deadlocks the program. */
export const urnPromise = (urn: pulumi.Output<string>): Promise<string> => new Promise((resolve) => urn.apply(resolve));

const always = {
  deleteBeforeReplace: true,
  additionalSecretOutputs: secretKeys,
} satisfies pulumi.CustomResourceOptions;

/**
 * A resource of a dynamic provider, made as `pulumi.dynamic.Resource` makes one, but with a text for the state that is
 * the same whatever version of the SDK and of the compiler is at work.
 */
abstract class StarRocksResource extends pulumi.CustomResource {
  constructor(kind: Kind, type: string, name: string, args: object, opts?: pulumi.CustomResourceOptions) {
    // The SDK takes a stack for the state and for each of four promises a property, through source maps: more than half of
    // the time of a program with a hundred nodes. They would tell where promises stand that never end, and where in this
    // package a resource was made: ours all stand in one place, and are made in one.
    const { prepareStackTrace, stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    Error.prepareStackTrace = String;
    try {
      const token = `pulumi-nodejs:dynamic/starrocks:${type}`;
      const inputs = {
        ...packed({ ...args }),
        __urn: urnOf(token, name, opts?.parent),
        __provider: providerText(kind),
      };
      super(token, name, inputs, pulumi.mergeOptions(always, opts));
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace;
    }
  }
}

interface Placed {
  /** Place in the plan within its wave. */
  position?: pulumi.Input<number>;
  /** URN of the component on whose row the plan is shown. */
  __clusterUrn?: pulumi.Input<string>;
}

/** A release whose digests are all known. */
export type StagedSource = Omit<ReleaseSource, "overlay" | "sha256"> & {
  sha256: pulumi.Input<string>;
  overlay?: pulumi.Input<Record<string, pulumi.Input<OverlayFileArgs & { sha256: pulumi.Input<string> }>>>;
};

export interface ReleaseArgs extends Placed {
  cluster: pulumi.Input<string>;
  /** The host, for people. */
  host: pulumi.Input<string>;
  connection: pulumi.Input<ConnectionArgs>;
  deployDir: pulumi.Input<string>;
  release: pulumi.Input<StagedSource>;
  /** What the host needs of it. */
  parts: pulumi.Input<pulumi.Input<"fe" | "be">[]>;
  javaHome?: pulumi.Input<string>;
  limits?: pulumi.Input<LimitsArgs>;
}

/** One StarRocks release, staged and verified on one host. Beside it the earlier one stays. */
export class Release extends StarRocksResource {
  constructor(name: string, args: ReleaseArgs, opts?: pulumi.CustomResourceOptions) {
    super("release", "Release", name, args, opts);
  }
}

/** An FE as others reach it. */
export interface ContactArgs {
  name: pulumi.Input<string>;
  address: pulumi.Input<string>;
  role: pulumi.Input<string>;
  ports?: FrontendArgs["ports"];
  home: pulumi.Input<string>;
  /** Default `<home>/meta`. */
  metaDir?: pulumi.Input<string>;
  /** What differs from the connection of the node that asks. Default: only the host, which is `address`. */
  connection?: pulumi.Input<ConnectionArgs>;
}

export interface NodeResourceArgs extends Placed {
  cluster: pulumi.Input<string>;
  name: pulumi.Input<string>;
  address: pulumi.Input<string>;
  /** Which release it runs. `id`: its folder among the staged ones, `<version>-<the first 12 digits of the tarball's sha256>`. */
  release: pulumi.Input<{ id: pulumi.Input<string>; version: pulumi.Input<string> }>;
  deployDir: pulumi.Input<string>;
  home?: pulumi.Input<string>;
  config?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  javaHome?: pulumi.Input<string>;
  adopt?: pulumi.Input<boolean>;
  limits?: pulumi.Input<LimitsArgs>;
  connection: pulumi.Input<ConnectionArgs>;
  sql?: pulumi.Input<SqlArgs>;
  frontends?: pulumi.Input<pulumi.Input<ContactArgs>[]>;
  /** Name of the `Preflight` that guards it; without one its version cannot be changed. */
  preflight?: pulumi.Input<string>;
}

export interface FeNodeArgs extends NodeResourceArgs {
  role: pulumi.Input<"leader" | "follower" | "observer">;
  metaDir?: pulumi.Input<string>;
  ports?: FrontendArgs["ports"];
}

/** A frontend process: started, upgraded and stopped. Deleting stops it; its metadata stays. */
export class FeNode extends StarRocksResource {
  declare readonly address: pulumi.Output<string>;

  constructor(name: string, args: FeNodeArgs, opts?: pulumi.CustomResourceOptions) {
    super("feNode", "FeNode", name, args, opts);
  }
}

export interface BeNodeArgs extends NodeResourceArgs {
  storage: pulumi.Input<pulumi.Input<StorageArgs>[]>;
  ports?: pulumi.Input<Record<string, pulumi.Input<number>>>;
  rack?: pulumi.Input<string>;
}

/** A backend process: started, upgraded and stopped. Deleting stops it; its tablets stay. */
export class BeNode extends StarRocksResource {
  declare readonly address: pulumi.Output<string>;

  constructor(name: string, args: BeNodeArgs, opts?: pulumi.CustomResourceOptions) {
    super("beNode", "BeNode", name, args, opts);
  }
}

export interface MemberArgs extends Placed {
  cluster: pulumi.Input<string>;
  name: pulumi.Input<string>;
  address: pulumi.Input<string>;
  home: pulumi.Input<string>;
  connection: pulumi.Input<ConnectionArgs>;
  sql?: pulumi.Input<SqlArgs>;
  frontends: pulumi.Input<pulumi.Input<ContactArgs>[]>;
  release: NodeResourceArgs["release"];
  limits?: pulumi.Input<LimitsArgs>;
}

export interface FeMemberArgs extends MemberArgs {
  role: pulumi.Input<"leader" | "follower" | "observer">;
  metaDir: pulumi.Input<string>;
  ports: FrontendArgs["ports"];
}

/** The membership of an FE in its group. */
export class FeMember extends StarRocksResource {
  constructor(name: string, args: FeMemberArgs, opts?: pulumi.CustomResourceOptions) {
    super("feMember", "FeMember", name, args, opts);
  }
}

export interface BeMemberArgs extends MemberArgs {
  /** The heartbeat port, by which the cluster knows it. */
  port: pulumi.Input<number>;
}

/** The membership of a BE in the cluster. */
export class BeMember extends StarRocksResource {
  constructor(name: string, args: BeMemberArgs, opts?: pulumi.CustomResourceOptions) {
    super("beMember", "BeMember", name, args, opts);
  }
}

export interface TopologyArgs extends Placed {
  cluster: pulumi.Input<string>;
  release: NodeResourceArgs["release"];
  /** The inputs of every node, without what they share. */
  nodes: pulumi.Input<unknown[]>;
  /** The connection of the first node. */
  connection: pulumi.Input<ConnectionArgs>;
  /** For each node, in the order of `nodes`, what differs from it. */
  connections: pulumi.Input<pulumi.Input<ConnectionArgs>[]>;
  sql?: pulumi.Input<SqlArgs>;
  frontends: pulumi.Input<pulumi.Input<ContactArgs>[]>;
  maxUnavailable?: pulumi.Input<number | string>;
  /** How a change is made; see `policySchema` of the provider. */
  policy?: pulumi.Input<Record<string, unknown>>;
  limits?: pulumi.Input<LimitsArgs>;
}

/** The gate before any running node is touched. */
export class Preflight extends StarRocksResource {
  constructor(name: string, args: TopologyArgs, opts?: pulumi.CustomResourceOptions) {
    super("preflight", "Preflight", name, args, opts);
  }
}

export interface RehearsalResourceArgs extends Placed {
  cluster: pulumi.Input<string>;
  release: pulumi.Input<StagedSource>;
  /** Where it is done, for people. */
  host: pulumi.Input<string>;
  connection: pulumi.Input<ConnectionArgs>;
  deployDir: pulumi.Input<string>;
  javaHome?: pulumi.Input<string>;
  sql?: pulumi.Input<SqlArgs>;
  frontends: pulumi.Input<pulumi.Input<ContactArgs>[]>;
  /** What fe.conf is to say, declared for every FE: the new FE is tried with it. Default: the leader's file as it is. */
  config?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** The same for some of them, by their names: it wins. */
  ownConfig?: pulumi.Input<Record<string, pulumi.Input<Record<string, pulumi.Input<string>>>>>;
  /** `always`: patches too. Default `auto`: minor and major jumps. */
  when?: pulumi.Input<"auto" | "always">;
  /** Heap of the FE (`-Xmx`). Default `1g`. */
  memory?: pulumi.Input<string>;
  /** Keep the copy after a success too. Default false. */
  keep?: pulumi.Input<boolean>;
  /** The host has no route to the cluster: proven, then taken in the place of a network namespace. Default false. */
  isolated?: pulumi.Input<boolean>;
  /** Seconds from the FE's start to the verdict. Default: the limit `start`. */
  limit?: pulumi.Input<number>;
  limits?: pulumi.Input<LimitsArgs>;
}

/**
 * The new FE on a copy of the leader's metadata, cut off from every network, before any node is stopped. Alone:
 * `pulumi up --target <its URN>`.
 */
export class Rehearsal extends StarRocksResource {
  constructor(name: string, args: RehearsalResourceArgs, opts?: pulumi.CustomResourceOptions) {
    super("rehearsal", "Rehearsal", name, args, opts);
  }
}

/** The whole operation, last in order: proves every node and reports. */
export class Rollout extends StarRocksResource {
  constructor(name: string, args: TopologyArgs, opts?: pulumi.CustomResourceOptions) {
    super("rollout", "Rollout", name, args, opts);
  }
}
