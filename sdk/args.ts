import type { Input } from "@pulumi/pulumi";

/**
 * How a host is reached over SSH. The names are those of `@pulumi/command`, with `knownHosts` and `become` added.
 * A changed connection never restarts or replaces anything.
 */
export interface ConnectionArgs {
  /** Where SSH goes. Default: the node's `host`. */
  host?: Input<string>;
  /** Default 22. */
  port?: Input<number>;
  /** Default `root`. */
  user?: Input<string>;
  password?: Input<string>;
  /** The content of a private key (not its path). */
  privateKey?: Input<string>;
  /** The passphrase of `privateKey`. */
  privateKeyPassword?: Input<string>;
  /** Socket of an SSH agent. Default: `SSH_AUTH_SOCK`, when neither `password` nor `privateKey` is given. */
  agentSocketPath?: Input<string>;
  /** Dial tries before giving up; -1 never does. Default 10. Refused authentication and host keys are never retried. */
  dialErrorLimit?: Input<number>;
  /** Seconds for one dial. Default 15. */
  perDialTimeout?: Input<number>;
  /** Seconds between two dials. */
  dialPause?: Input<number>;
  /** Seconds between keepalives. */
  keepaliveInterval?: Input<number>;
  /** Seconds for one remote command where no other limit applies, or an upload without progress. Default: the limit `command`. */
  commandLimit?: Input<number>;
  /** The host's own key (`ssh-ed25519 AAAA…`) or its fingerprint (`SHA256:…`), instead of a known_hosts file. */
  hostKey?: Input<string>;
  /** OpenSSH known_hosts files. Default: `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`. */
  knownHosts?: Input<string | string[]>;
  /** The run user of every command, through sudo. */
  become?: Input<{ user?: Input<string>; password?: Input<string>; method?: Input<"sudo"> }>;
  /** A host to go through; it may have a `proxy` of its own. */
  proxy?: Input<ConnectionArgs>;
}

/** How the cluster is asked and told things in SQL. */
export interface SqlArgs {
  /** A user with the roles `cluster_admin` and `db_admin` or SYSTEM OPERATE. Default `root`. */
  user?: Input<string>;
  /** A cluster founded by this program gets it as the root password; before, `root` has none (StarRocks' default). */
  password?: Input<string>;
}

/** A StarRocks release: a tarball here (`archive`) or one that each host downloads (`url`). */
export interface ReleaseSource {
  /** `3.5.7`; what the tarball holds must say the same. */
  version: Input<string>;
  /** Path of the tarball on this machine. */
  archive?: Input<string>;
  /** Where each host downloads the tarball (curl or wget). Needs `sha256`. */
  url?: Input<string>;
  /** Digest of the tarball, checked on every host. Default for `archive`: taken from the file. */
  sha256?: Input<string>;
  /**
   * Vendors' hotfixes: single files in the place of the release's own, by their path in it, such as `fe/lib/starrocks-fe.jar`
   * or `be/lib/starrocks_be`. A change of it concerns nodes of that part only. Default none.
   */
  overlay?: Input<Record<string, Input<OverlayFileArgs>>>;
}

/** One file of a release, built for this very release by whom you have it from. */
export interface OverlayFileArgs {
  /** Path of the file on this machine. */
  archive: Input<string>;
  /** Digest of the file, checked on every host that gets it. Default: taken from the file. */
  sha256?: Input<string>;
  /** What nodes of its part report with it: `3.5.7-hotfix1`, or the version and its commit. Default: the release's version. */
  version?: Input<string>;
}

/** The limit of every wait, in seconds; see docs/limits.md for the defaults and what each bounds. */
export interface LimitsArgs {
  command?: Input<number>;
  transfer?: Input<number>;
  unpack?: Input<number>;
  start?: Input<number>;
  stop?: Input<number>;
  alive?: Input<number>;
  turn?: Input<number>;
  leader?: Input<number>;
  tablets?: Input<number>;
  image?: Input<number>;
  lease?: Input<number>;
  backup?: Input<number>;
  decommission?: Input<number>;
  sql?: Input<number>;
  http?: Input<number>;
}

interface NodeArgs {
  /** Where SSH goes and, unless `address` says otherwise, the node's identity in the cluster: an IP address or DNS name. */
  host: Input<string>;
  /** Part of the resource's name; stays when the host is renamed. Default: `host` when that is a plain string, else required. */
  name?: string;
  /** The address under which the other nodes know it. Default: `host`. */
  address?: Input<string>;
  /** Default: the cluster's. */
  deployDir?: Input<string>;
  /** STARROCKS_HOME. Default: `<deployDir>/fe` or `<deployDir>/be`. */
  home?: Input<string>;
  /** Settings of fe.conf or be.conf, over those of the group. A change restarts the node. */
  config?: Input<Record<string, Input<string>>>;
  /** Overrides parts of the cluster's connection. */
  connection?: ConnectionArgs;
  /**
   * The JDK, JAVA_HOME of the process. Default: for an FE the cluster's, else the first fit one found on the host; a BE, which
   * can do without, takes only its own or what is found.
   */
  javaHome?: Input<string>;
  /**
   * Take over data folders that do not carry this cluster's marker; let a BE start on an empty (replaced) disk; let an FE
   * found anew where all metadata is lost. Default false: refused.
   */
  adopt?: Input<boolean>;
}

/** A frontend. */
export interface FrontendArgs extends NodeArgs {
  /** Folder of the metadata. Default `<home>/meta`. */
  metaDir?: Input<string>;
  /** Defaults: http 8030, rpc 9020, query 9030, editLog 9010. `http` must be the same on all FEs. */
  ports?: Input<{ http?: Input<number>; rpc?: Input<number>; query?: Input<number>; editLog?: Input<number> }>;
}

/** A folder of a BE's tablets, one per disk. */
export type StorageArgs = string | { path: Input<string>; medium?: Input<"HDD" | "SSD"> };

/** A backend. */
export interface BackendArgs extends NodeArgs {
  storage: Input<Input<StorageArgs>[]>;
  /** BEs of one rack may be down together (up to `maxUnavailable`), those of two racks never. */
  rack?: Input<string>;
  /** Defaults: be 9060, http 8040, heartbeat 9050, brpc 8060, starlet 9070. */
  ports?: Input<{
    be?: Input<number>;
    http?: Input<number>;
    heartbeat?: Input<number>;
    brpc?: Input<number>;
    starlet?: Input<number>;
  }>;
}

export interface FrontendsArgs {
  /** Founds the cluster, and is changed last. Where leadership is at run time is looked up, not assumed. */
  leader: FrontendArgs;
  followers?: FrontendArgs[];
  observers?: FrontendArgs[];
  /** Settings of every fe.conf. */
  config?: Input<Record<string, Input<string>>>;
  /** Ports of every FE. */
  ports?: FrontendArgs["ports"];
}

/** Seconds, or a text with its unit: `90`, `"90s"`, `"5m"`, `"1h"`. */
export type Duration = number | string;

/** How a change of running BEs is made. */
export interface BackendRolloutArgs {
  /** How many BEs may be down at once during a change: a number, or a share such as `"25%"`. Default 1. */
  maxUnavailable?: Input<number | string>;
  /**
   * Name of the BE that is changed first and alone, and watched for `soak` before any other. It is also started first on
   * a first deployment. Default: the first one; `false`: none.
   */
  canary?: string | false;
  /** How long the canary is watched. Default 60 s. */
  soak?: Input<Duration>;
  /** Pause between two waves: BEs of one `rack`, else of as many as may be down at once. Default none. */
  pause?: Input<Duration>;
  /** How long queries that run on a BE may take to end when it is stopped (StarRocks 3.4 and newer; there 20 s by default). */
  drain?: Input<Duration>;
  /**
   * What to do about tables that no order of steps keeps whole while a BE is down (one or two replicas, or
   * `write_quorum = ALL`): say so in the report, or refuse the change. Default `report`.
   */
  singleReplicaTables?: Input<"report" | "refuse">;
  /**
   * When the canary starts with neither the new release nor the old one: stop, or drop it, put its data aside, start the
   * old release on empty folders and let the cluster copy its tablets back. Default `stop`. Said only after a canary was
   * left stopped, the next `up` does it.
   */
  onUnrecoverable?: Input<"stop" | "rebuild">;
}

/** A query of the user's own that must succeed; with `expect`, its rows must be these. */
export type VerifyArgs = string | { sql: string; expect?: (string | number | null)[][] };

/** What comes after the last node of a change. */
export interface RolloutArgs {
  /** How long all nodes are watched before a change counts as done. Default 60 s. */
  observe?: Input<Duration>;
  /** Queries that must succeed after the canary, and through each FE at the end. */
  verify?: Input<VerifyArgs[]>;
}

export interface BackendsArgs {
  nodes: BackendArgs[];
  /** Settings of every be.conf. */
  config?: Input<Record<string, Input<string>>>;
  /** Ports of every BE. */
  ports?: BackendArgs["ports"];
  rollout?: BackendRolloutArgs;
}

/** The new FE on a copy of the leader's metadata, isolated by the kernel, before any node is stopped. */
export interface RehearsalArgs {
  /**
   * Where: the name or host of a node, or another host with a JDK, reached as the nodes are. Default: an observer's host,
   * else a follower's, else the leader's.
   */
  host?: string;
  /** Heap of the FE (`-Xmx`): what loading the metadata takes. Default `1g`. */
  memory?: Input<string>;
  /** Keep the copy after a success too. Default false; after a failure it is kept until the next rehearsal. */
  keep?: Input<boolean>;
  /**
   * The host has no route to the cluster: proven by trying every FE and BE port, and taken in the place of a network
   * namespace where the host allows none. Default false.
   */
  isolated?: Input<boolean>;
  /** Seconds from the FE's start to the verdict. Default: the limit `start`. */
  limit?: Input<number>;
}

export interface ClusterArgs {
  release: ReleaseSource;
  /** Folder on every host for releases and homes; absolute. */
  deployDir: Input<string>;
  connection: ConnectionArgs;
  sql?: SqlArgs;
  frontends: FrontendsArgs;
  backends: BackendsArgs;
  /** The JDK of every FE, when it is not to be searched. */
  javaHome?: Input<string>;
  /**
   * Which way a version change goes. An older version is refused unless `"downgrade"` is said; then FEs go before BEs.
   * Default `"upgrade"`.
   */
  direction?: "upgrade" | "downgrade";
  /** Ids of hazards that preview shows and that you take, see docs/versions.md. */
  acceptHazards?: Input<string[]>;
  rollout?: RolloutArgs;
  limits?: LimitsArgs;
  /**
   * Whether a new version's FE is tried on a copy of the metadata first. `true`, or how: at every change of the release.
   * `false`: never. Default: at minor and major jumps, not for patches.
   */
  rehearsal?: boolean | RehearsalArgs;
  /**
   * Identity of the cluster on its hosts, written beside its data. Default `<project>/<stack>/<name>`. Set it when a
   * stack or project is renamed, to the value that it had; and where two clusters of a program have one name, each under
   * a parent of its own: a key is of one cluster.
   */
  key?: string;
}
