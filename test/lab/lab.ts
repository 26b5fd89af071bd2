import { chmodSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStack, type Stack } from "../engine/stack.js";
import { createFleet } from "../fleet/fleet.js";
import type { Fleet, FleetKind, FleetOptions, Host } from "../fleet/types.js";
import { buildJdk, type JavaVersion } from "../simulator/jdk.js";
import {
  type BuiltHotfix,
  type BuiltRelease,
  buildHotfix,
  buildRelease,
  type ReleaseOptions,
} from "../simulator/release.js";
import { type JournalEntry, journalsIn, readJournal } from "./journal.js";
import { type Releases, releasesOf, roomyFrontends } from "./releases.js";

export interface LabOptions {
  readonly kind?: FleetKind;
  /** Voting FEs, the leader included. Default 3. */
  readonly frontends?: number;
  /** Default 3. */
  readonly backends?: number;
  /** Further hosts, by the names of the nodes that are added later: `fe4`, `be4`. */
  readonly spares?: readonly string[];
  readonly fleet?: Partial<FleetOptions>;
  /** Times of the simulated FEs; default: a quick database, see `quick`. */
  readonly times?: Parameters<typeof buildRelease>[0]["fe"] extends infer H | undefined
    ? H extends { readonly options?: infer O }
      ? O
      : never
    : never;
  readonly java?: JavaVersion;
  readonly env?: Readonly<Record<string, string>>;
  /** Make `releases`, and prepare the hosts for what is real in them: the archives that this environment gives. */
  readonly given?: NodeJS.ProcessEnv;
}

/** A database that beats its heart quickly, so that a test of many steps takes seconds. */
export const quick = {
  heartbeatIntervalMs: 250,
  helperRetryMs: 200,
  checkpointIntervalMs: 1000,
  tabletCheckerMs: 300,
  repairDelayMs: 300,
  balanceMs: 500,
  decommissionCheckMs: 300,
  readyLogMs: 200,
  gracefulMinMs: 300,
  bdbHeartbeatTimeoutMs: 3000,
  silentElectionMs: 1000,
  statisticsTables: 0,
} as const;

/** Limits in seconds that hold on a machine whose two cores do many other things. */
const patient = { start: 120, alive: 120, leader: 60, stop: 60, turn: 300 };

/** The arguments of a `Cluster` as plain JSON, which the lab's program reads. */
export type PlainArgs = {
  [key: string]: unknown;
  release: {
    version: string;
    archive?: string;
    sha256?: string;
    url?: string;
    overlay?: Record<string, { archive: string; sha256?: string; version?: string }>;
  };
  deployDir: string;
  connection: Record<string, unknown>;
  sql?: Record<string, unknown>;
  frontends: { leader: PlainNode; followers?: PlainNode[]; observers?: PlainNode[]; config?: Record<string, string> };
  backends: {
    nodes: PlainNode[];
    ports?: Record<string, number>;
    config?: Record<string, string>;
    rollout?: Record<string, unknown>;
  };
};

export type PlainNode = { host: string; name?: string; [key: string]: unknown };

export const clusterProgram = `
const starrocks = require("pulumi-starrocks");
const { name, args } = JSON.parse(require("node:fs").readFileSync("cluster.json", "utf8"));
const cluster = new starrocks.Cluster(name, args);
exports.endpoints = cluster.queryEndpoints;
`;

export const rootPassword = "correct horse";

/** A fleet of hosts, simulated releases for it, and a Pulumi stack whose program declares a cluster on them. */
export class Lab {
  readonly fleet: Fleet;
  readonly stack: Stack;
  readonly jdk: string;
  readonly #folder: string;
  readonly #options: LabOptions;
  readonly #releases: Releases | undefined;

  private constructor(
    fleet: Fleet,
    stack: Stack,
    folder: string,
    options: LabOptions,
    jdk: string,
    releases: Releases | undefined,
  ) {
    this.fleet = fleet;
    this.stack = stack;
    this.jdk = jdk;
    this.#folder = folder;
    this.#options = options;
    this.#releases = releases;
  }

  static async create(options: LabOptions = {}): Promise<Lab> {
    const { frontends = 3, backends = 3, spares = [], kind = "loopback" } = options;
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "pulumi-starrocks-lab-")));
    // The hosts' login user runs the JDK that is made here.
    chmodSync(folder, 0o755);
    let fleet: Fleet | undefined;
    try {
      const simulated = { fe: { options: { ...quick, ...options.times } } };
      const releases =
        options.given &&
        (await releasesOf({ folder, simulated, env: options.given, ...(options.java && { java: options.java }) }));
      const jdk =
        releases?.javaHome ?? (await buildJdk({ directory: join(folder, "jdk"), version: options.java ?? 17 }));
      const names = [
        ...Array.from({ length: frontends }, (_, index) => `fe${index + 1}`),
        ...Array.from({ length: backends }, (_, index) => `be${index + 1}`),
        ...spares,
      ];
      fleet = await createFleet({
        kind,
        hosts: names,
        visible: [folder, ...(releases?.visible ?? [])],
        ...options.fleet,
      });
      const stack = await createStack({
        program: { "index.js": clusterProgram },
        ...(options.env && { env: options.env }),
      });
      return new Lab(fleet, stack, folder, options, jdk, releases);
    } catch (error) {
      await fleet?.close();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** The releases of a lab that was created with `given`. */
  get releases(): Releases {
    if (!this.#releases) {
      throw new Error("Expected the lab to be created with `given`");
    }
    return this.#releases;
  }

  /** A simulated release with the lab's times. */
  release(version: string, habits: Partial<ReleaseOptions> = {}): Promise<BuiltRelease> {
    const directory = mkdtempSync(join(this.#folder, "release-"));
    return buildRelease({
      version,
      directory,
      ...habits,
      fe: { ...habits.fe, options: { ...quick, ...this.#options.times, ...habits.fe?.options } },
      ...(habits.be && { be: habits.be }),
    });
  }

  /** A vendor's file for one part, with the lab's times. */
  hotfix(part: "fe" | "be", version: string, habits: Partial<ReleaseOptions> = {}): Promise<BuiltHotfix> {
    const directory = mkdtempSync(join(this.#folder, "hotfix-"));
    const options = { ...quick, ...this.#options.times, ...habits.fe?.options };
    return buildHotfix(part, { version, directory, ...habits, fe: { ...habits.fe, options } });
  }

  /** A node on a host of the fleet; its sshd may listen on a port of its own. */
  node(name: string, more: Record<string, unknown> = {}): PlainNode {
    const host = this.fleet.host(name);
    const { port } = this.fleet.connection(host);
    return { host: host.address, name, connection: { port }, ...this.#places(host), ...more };
  }

  /** Hosts on loopback see the whole machine: their folders lie below a root of their own. */
  #places(host: Host): Record<string, unknown> {
    if (host.path("/data") === "/data") {
      return host.name.startsWith("fe") ? {} : { storage: ["/disk1/starrocks", "/disk2/starrocks"] };
    }
    const deployDir = host.path("/opt/starrocks");
    return host.name.startsWith("fe")
      ? { deployDir }
      : { deployDir, storage: [host.path("/disk1/starrocks"), host.path("/disk2/starrocks")] };
  }

  /** The cluster of the lab's hosts on a release. */
  args(release: BuiltRelease, change: (args: PlainArgs) => void = () => undefined): PlainArgs {
    const { frontends = 3, backends = 3 } = this.#options;
    const [leader, ...followers] = Array.from({ length: frontends }, (_, index) => this.node(`fe${index + 1}`));
    if (!leader) {
      throw new Error("A lab has an FE");
    }
    const first = this.fleet.host("fe1");
    const { host, port, ...connection } = this.fleet.connection(first);
    const args: PlainArgs = {
      release: { version: release.version, archive: release.archive, sha256: release.sha256 },
      deployDir: "/opt/starrocks",
      connection: { ...connection, dialErrorLimit: 1, perDialTimeout: 5 },
      sql: { password: rootPassword },
      javaHome: this.jdk,
      limits: { ...patient },
      frontends: { leader, followers },
      backends: {
        nodes: Array.from({ length: backends }, (_, index) => this.node(`be${index + 1}`)),
        // Machines that run tests may not allow the 60000 open files that a BE wants, root or not.
        config: { min_file_descriptor_number: "1024" },
        rollout: { soak: 1 },
      },
      rollout: { observe: 1 },
    };
    const config = {
      ...roomyFrontends(this.#releases?.real ?? []),
      ...(backends === 1 && { default_replication_num: "1" }),
    };
    if (Object.keys(config).length > 0) {
      args.frontends.config = config;
    }
    change(args);
    return args;
  }

  /** What the next operation of the stack declares. */
  declare(args: PlainArgs, name = "sr"): void {
    this.stack.write({ "cluster.json": JSON.stringify({ name, args }) });
  }

  /** Another operator's stack, which declares the same hosts; to be closed by the test. */
  async secondStack(args: PlainArgs, name = "sr"): Promise<Stack> {
    const stack = await createStack({ program: { "index.js": clusterProgram } });
    stack.write({ "cluster.json": JSON.stringify({ name, args }) });
    return stack;
  }

  /** A text without what differs from lab to lab: addresses become names, folders of this machine vanish. */
  plain(text: string): string {
    const roots = this.fleet.hosts.map((host) => host.path("/")).filter((root) => root !== "/");
    const byLength = [...this.fleet.hosts].sort((a, b) => b.address.length - a.address.length);
    return byLength
      .reduce((plain, { address, name }) => plain.replaceAll(address, `<${name}>`), without(text, roots))
      .replaceAll(this.#folder, "<lab>");
  }

  /** The journals of the stack's operations, oldest first. */
  journals(): readonly string[] {
    return journalsIn(this.stack.folder);
  }

  /** The entries of the newest journal. */
  journal(): readonly JournalEntry[] {
    const newest = this.journals().at(-1);
    return newest === undefined ? [] : readJournal(newest);
  }

  async close(): Promise<void> {
    await this.stack.close();
    await this.fleet.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const without = (text: string, roots: readonly string[]): string =>
  roots.reduce((rest, root) => rest.replaceAll(root.endsWith("/") ? root : `${root}/`, "/"), text);
