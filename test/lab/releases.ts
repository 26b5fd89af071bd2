import { join } from "node:path";
import { buildJdk, type JavaVersion } from "../simulator/jdk.js";
import { type BuiltRelease, buildRelease, type ReleaseOptions } from "../simulator/release.js";
import { type GivenRelease, givenArchives, givenRelease, machineJdk, type Part } from "./archive.js";

/** A cluster's first release and its next one: those of the environment, with what they lack simulated, or simulated ones. */
export interface Releases {
  readonly current: BuiltRelease;
  /** Undefined when a real release was given and no next one. */
  readonly next: BuiltRelease | undefined;
  /** Parts that are no simulation. */
  readonly real: readonly Part[];
  readonly javaHome: string;
  /** Folders that the hosts must see besides `folder`. */
  readonly visible: readonly string[];
}

export interface ReleasesOptions {
  /** Where archives and a JDK are made. */
  readonly folder: string;
  /** Habits of simulated parts. */
  readonly simulated?: Partial<ReleaseOptions>;
  readonly java?: JavaVersion;
  /** Holds STARROCKS_ARCHIVE and STARROCKS_ARCHIVE_NEXT. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
}

export const releasesOf = async (options: ReleasesOptions): Promise<Releases> => {
  const { env, folder, java = 17, simulated = {} } = options;
  const jdk = await buildJdk({ directory: join(folder, "jdk"), version: java });
  const archives = givenArchives(env);
  if (archives.current === undefined) {
    const [current, next] = await Promise.all(
      ["3.5.7", "3.5.8"].map((version) => buildRelease({ ...simulated, version, directory: join(folder, version) })),
    );
    if (!current || !next) {
      throw new Error("Two releases are built");
    }
    return { current, next, real: [], javaHome: jdk, visible: [] };
  }
  const machine = await machineJdk(env);
  const given = (archive: string): Promise<GivenRelease> =>
    givenRelease(archive, { directory: folder, javaHome: machine, simulated });
  const current = await given(archives.current);
  const next = archives.next === undefined ? undefined : await given(archives.next);
  const { real } = current;
  if (!real.includes("fe")) {
    return { current, next, real, javaHome: jdk, visible: [] };
  }
  if (machine === undefined) {
    throw new Error("The FE of STARROCKS_ARCHIVE needs a JDK on this machine: install one, or set JAVA_HOME");
  }
  return { current, next, real, javaHome: machine, visible: machine.startsWith("/usr/") ? [] : [machine] };
};

/** Settings of fe.conf with which several real FEs find room on one machine. */
export const roomyFrontends = (real: readonly Part[]): Readonly<Record<string, string>> =>
  real.includes("fe") ? { JAVA_OPTS: "-Xmx1g -XX:+UseG1GC" } : {};
