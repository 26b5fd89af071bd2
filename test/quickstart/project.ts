import { chmodSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../engine/root.js";
import { createStack, type Stack } from "../engine/stack.js";
import { atExit } from "../fleet/exit.js";
import type { Fleet } from "../fleet/types.js";
import { type GivenRelease, givenArchives, givenRelease, machineJdk } from "../lab/archive.js";
import { quick } from "../lab/lab.js";
import type { Contact } from "../simulator/client/session.js";
import { buildJdk } from "../simulator/jdk.js";
import { type BuiltRelease, buildRelease } from "../simulator/release.js";
import { isFrontend, type Node, nodesOf, quickstartFleet } from "./fleet.js";

export const rootPassword = "correct horse";

/** What the quickstart runs on: hosts, releases, and a project whose program is examples/quickstart. */
export interface Project {
  readonly fleet: Fleet;
  readonly stack: Stack;
  readonly current: BuiltRelease;
  /** Undefined when a real release was given and no next one. */
  readonly next: BuiltRelease | undefined;
  /** Parts that are no simulation. */
  readonly real: readonly string[];
  readonly frontends: readonly Contact[];
  readonly backends: number;
  /** Ends and removes everything. */
  close(): Promise<void>;
}

/** A release as the example's configuration takes it. */
export const releaseConfig = ({ version, archive, sha256 }: BuiltRelease): string =>
  JSON.stringify({ version, archive, sha256 });

export const createProject = async (onOutput: (text: string) => void): Promise<Project> => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pulumi-starrocks-quickstart-")));
  // The hosts' login user runs the JDK that is made here.
  chmodSync(folder, 0o755);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const free = atExit(remove);
  const undo = [free, remove];
  const close = async () => {
    for (const action of undo.reverse()) {
      await action();
    }
  };
  try {
    const releases = await releasesOf(folder);
    const { javaHome, real } = releases;
    const fleet = await quickstartFleet({ real: real.length > 0, folder });
    undo.push(() => fleet.close());
    const nodes = await nodesOf(fleet, settingsOf(fleet, real));
    const stack = await createStack({
      program: join(root, "examples/quickstart"),
      config: configOf(fleet, nodes, releases.current, javaHome),
      // Digests of archives are remembered in the cache folder of the user, who keeps nothing of this.
      env: { XDG_CACHE_HOME: join(folder, "cache") },
      onOutput,
    });
    undo.push(() => stack.close());
    const frontends = nodes.filter((node) => node.name.startsWith("fe"));
    return {
      fleet,
      stack,
      ...releases,
      frontends: frontends.map(({ host, ports }) => ({ host, port: queryPort(ports) })),
      backends: nodes.length - frontends.length,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

const queryPort = (ports: unknown): number => (ports as { readonly query?: number } | undefined)?.query ?? 9030;

interface Releases extends Pick<Project, "current" | "next" | "real"> {
  readonly javaHome: string;
}

/** Releases of the environment, with what they lack simulated; else simulated ones. */
const releasesOf = async (folder: string): Promise<Releases> => {
  const simulated = { fe: { options: quick } };
  const jdk = await buildJdk({ directory: join(folder, "jdk"), version: 17 });
  const archives = givenArchives();
  if (archives.current === undefined) {
    const [current, next] = await Promise.all(
      ["3.5.7", "3.5.8"].map((version) => buildRelease({ version, directory: join(folder, version), ...simulated })),
    );
    if (!current || !next) {
      throw new Error("Two releases are built");
    }
    return { current, next, real: [], javaHome: jdk };
  }
  const machine = await machineJdk();
  const given = (archive: string): Promise<GivenRelease> =>
    givenRelease(archive, { directory: folder, javaHome: machine, simulated });
  const current = await given(archives.current);
  const next = archives.next === undefined ? undefined : await given(archives.next);
  if (current.real.includes("fe") && machine === undefined) {
    throw new Error("The FE of STARROCKS_ARCHIVE needs a JDK on this machine: install one, or set JAVA_HOME");
  }
  return { current, next, real: current.real, javaHome: current.real.includes("fe") && machine ? machine : jdk };
};

/** Settings of fe.conf and be.conf that fit six nodes on one machine of any size. */
const settingsOf = (fleet: Fleet, real: readonly string[]) => ({
  fe: {
    // Three replicas would all lie on one host.
    ...(fleet.oneAddress && { default_replication_num: "1" }),
    ...(real.includes("fe") && {
      JAVA_OPTS: "-Xmx1g -XX:+UseG1GC",
    }),
  },
  // A user of this machine may have no more.
  be: { min_file_descriptor_number: "1024" },
});

const configOf = (fleet: Fleet, nodes: readonly Node[], release: BuiltRelease, javaHome: string) => {
  const [first] = fleet.hosts;
  if (!first) {
    throw new Error("A fleet has hosts");
  }
  const { user, knownHosts, privateKey = "" } = fleet.connection(first);
  const named = new Set(fleet.hosts.filter(isFrontend).map(({ name }) => name));
  return {
    release: releaseConfig(release),
    frontends: JSON.stringify(nodes.filter(({ name }) => named.has(name))),
    backends: JSON.stringify(nodes.filter(({ name }) => !named.has(name))),
    user,
    knownHosts,
    javaHome,
    // A minute tells more, and nobody wants to wait for it here.
    watch: "3s",
    privateKey: { secret: privateKey },
    rootPassword: { secret: rootPassword },
  };
};
