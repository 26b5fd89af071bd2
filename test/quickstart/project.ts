import { chmodSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../engine/root.js";
import { createStack, type Stack } from "../engine/stack.js";
import { atExit } from "../fleet/exit.js";
import type { Fleet } from "../fleet/types.js";
import type { Part } from "../lab/archive.js";
import { quick } from "../lab/lab.js";
import { type Releases, releasesOf, roomyFrontends } from "../lab/releases.js";
import type { Contact } from "../simulator/client/session.js";
import type { BuiltRelease } from "../simulator/release.js";
import { isFrontend, type Node, nodesOf, quickstartFleet } from "./fleet.js";

export const rootPassword = "correct horse";

/** What the quickstart runs on: hosts, releases, and a project whose program is examples/quickstart. */
export interface Project extends Pick<Releases, "current" | "next" | "real"> {
  readonly fleet: Fleet;
  readonly stack: Stack;
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
    const { javaHome, visible, ...releases } = await releasesOf({ folder, simulated: { fe: { options: quick } } });
    const { real } = releases;
    const fleet = await quickstartFleet({ real: real.length > 0, visible: [folder, ...visible] });
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

/** Settings of fe.conf and be.conf that fit six nodes on one machine of any size. */
const settingsOf = (fleet: Fleet, real: readonly Part[]) => ({
  fe: {
    // Three replicas would all lie on one host.
    ...(fleet.oneAddress && { default_replication_num: "1" }),
    ...roomyFrontends(real),
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
