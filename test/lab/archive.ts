// Releases that the user gives (STARROCKS_ARCHIVE, STARROCKS_ARCHIVE_NEXT) in the place of simulated ones.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdtempSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { type BuiltRelease, buildRelease, type ReleaseOptions } from "../simulator/release.js";

export type Part = "fe" | "be";
const parts = ["fe", "be"] as const;

/** A release with real parts; what it lacks is simulated. */
export interface GivenRelease extends BuiltRelease {
  readonly real: readonly Part[];
}

export interface GivenOptions {
  /** Where folders and archives are made. */
  readonly directory: string;
  /** The JDK that runs a real FE, and tells its version. */
  readonly javaHome?: string | undefined;
  /** Habits of the simulated part. */
  readonly simulated?: Partial<ReleaseOptions>;
}

const run = promisify(execFile);
/** Listing a release's archive prints some ten thousand lines. */
const maxBuffer = 256 << 20;

/** The archives of the environment. */
export const givenArchives = (
  env: NodeJS.ProcessEnv = process.env,
): { readonly current?: string; readonly next?: string } => {
  const { STARROCKS_ARCHIVE: current, STARROCKS_ARCHIVE_NEXT: next } = env;
  return { ...(current && { current: resolve(current) }), ...(next && { next: resolve(next) }) };
};

/** Makes a release of an archive: the archive itself when it is whole, else one with the missing part simulated. */
export const givenRelease = async (archive: string, options: GivenOptions): Promise<GivenRelease> => {
  const { top, real } = await contents(archive);
  const work = mkdtempSync(join(options.directory, "given-"));
  const missing = parts.filter((part) => !real.includes(part));
  const named = /\d+\.\d+\.\d+(-(rc|RC|preview)\.?\d*)?/.exec(basename(archive))?.[0];
  if (named !== undefined && missing.length === 0) {
    return { archive, sha256: await digestOf(archive), version: named, commit: "", real };
  }
  await unpack(
    archive,
    work,
    real.map((part) => `${top}${part}`),
  );
  const home = join(work, top);
  const version = named ?? (await versionInside(home, real, options.javaHome));
  if (missing.length === 0) {
    return { archive, sha256: await digestOf(archive), version, commit: "", real };
  }
  const simulated = await buildRelease({
    ...options.simulated,
    version,
    parts: missing,
    directory: work,
    topLevel: "",
  });
  await unpack(simulated.archive, home, missing);
  const composed = join(work, `StarRocks-${version}-composed.tar.gz`);
  await run("tar", ["-cf", composed, "-I", "gzip -1", "-C", home, ...parts], { maxBuffer });
  return { archive: composed, sha256: await digestOf(composed), version, commit: "", real };
};

/** Which parts an archive has, and the folder in which they lie: `StarRocks-3.5.7/`, or none. */
const contents = async (archive: string): Promise<{ readonly top: string; readonly real: readonly Part[] }> => {
  const { stdout } = await run("tar", ["-tzf", archive], { maxBuffer });
  const found = new Map<string, Set<Part>>();
  for (const line of stdout.split("\n")) {
    const [, top = "", part] = /^((?:\.\/)?(?:[^/]+\/)?)(fe|be)\/(?:bin|lib)\//.exec(line) ?? [];
    if (part !== undefined) {
      found.set(top, (found.get(top) ?? new Set()).add(part as Part));
    }
  }
  const [first] = found;
  if (!first) {
    throw new Error(`Expected a StarRocks release with fe/ or be/, got ${archive}`);
  }
  const [top, real] = first;
  return { top, real: parts.filter((part) => real.has(part)) };
};

const unpack = async (archive: string, folder: string, members: readonly string[]): Promise<void> => {
  await run("tar", ["-xzf", archive, "-C", folder, "--no-same-owner", ...members], { maxBuffer });
};

/** What the release's own script says. */
const versionInside = async (home: string, real: readonly Part[], javaHome: string | undefined): Promise<string> => {
  const said = await Promise.all(
    real.map(async (part) => {
      const env = { ...process.env, ...(javaHome && { JAVA_HOME: javaHome }) };
      const script = join(home, part, "bin", `show_${part}_version.sh`);
      const { stdout } = await run("bash", [script], { env }).catch((error: { stdout?: string }) => ({
        stdout: error.stdout ?? "",
      }));
      return /^(?:Build version: )?(\d+\.\d+\.\d+\S*)/m.exec(stdout)?.[1];
    }),
  );
  const version = said.find((one) => one !== undefined);
  if (version === undefined) {
    throw new Error(
      `Neither the name of the archive nor its show_${real[0]}_version.sh tells a version. ` +
        "Rename it to StarRocks-<version>.tar.gz, or set JAVA_HOME to a JDK that suits it.",
    );
  }
  // `3.5.7-d2da301`: the commit is no part of what is declared.
  return version.replace(/-[0-9a-f]{7,40}$/, "");
};

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
};

/** The JDK of this machine for a real FE: JAVA_HOME, that of `java` on PATH, or one of the usual folder. */
export const machineJdk = async (env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> => {
  const places = [env.JAVA_HOME, ...(await onPath("javac")), ...(await onPath("java")), ...usual()];
  return places.find((place) => place !== undefined && existsSync(join(place, "bin/java")));
};

const onPath = async (program: string): Promise<readonly string[]> => {
  try {
    const { stdout } = await run("bash", ["-c", 'command -v -- "$1"', "bash", program]);
    return [dirname(dirname(realpathSync(stdout.trim())))];
  } catch {
    return [];
  }
};

const usual = (): readonly string[] =>
  existsSync("/usr/lib/jvm") ? readdirSync("/usr/lib/jvm").map((name) => join("/usr/lib/jvm", name)) : [];
