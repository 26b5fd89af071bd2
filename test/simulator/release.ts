import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, existsSync, realpathSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { BackendFault } from "./be/settings/faults.js";
import type { BackendOptions } from "./be/settings/options.js";
import type { Fault as FrontendFault } from "./fe/settings/faults.js";
import type { Options as FrontendOptions } from "./fe/settings/options.js";
import { bundle } from "./release/bundle.js";
import { carrying } from "./release/carried.js";
import { backend, frontend, type Part, surroundings } from "./release/layout.js";
import { packageRoot } from "./release/root.js";
import { type Entry, foldersOf, tar } from "./release/tar.js";
import { since } from "./release/versions.js";

/** What one part's processes bring along: a bad build, and times other than the default. See `docs/simulator.md`. */
export interface PartHabits<Fault, Options> {
  readonly faults?: readonly Fault[];
  readonly options?: Partial<Options>;
}

export interface ReleaseOptions {
  /** For example 3.5.7; decides layout, scripts and behaviour. */
  readonly version: string;
  /** Seven hex digits. Default: derived from the version. */
  readonly commit?: string;
  /** Where the archive is written; made when missing. */
  readonly directory: string;
  /** Default: both. */
  readonly parts?: readonly Part[];
  /** Built into the FE. */
  readonly fe?: PartHabits<FrontendFault, FrontendOptions>;
  /** Built into the BE. */
  readonly be?: PartHabits<BackendFault, BackendOptions>;
  /** The archive's top folder, "" for none. Default: the archive's name without `.tar.gz`. */
  readonly topLevel?: string;
  /** The version in the archive's name, when it lies. Default: `version`. */
  readonly archiveVersion?: string;
  /** Bytes that do not compress, to make the archive as big as a real one. Default: 0. */
  readonly padBytes?: number;
  /** Compiled programs other than the simulator's own, by path. */
  readonly programs?: { readonly fe?: string; readonly be?: string; readonly dbGroupAdmin?: string };
}

export interface BuiltRelease {
  readonly archive: string;
  readonly sha256: string;
  readonly version: string;
  readonly commit: string;
}

const COMMITS: Readonly<Record<string, string>> = { "3.5.7": "d2da301", "3.5.8": "e58b001" };

const commitOf = (version: string): string =>
  COMMITS[version] ?? createHash("sha256").update(version).digest("hex").slice(0, 7);

/** The first patch release of a line whose package names its operating system. */
const NAMED_SINCE: Readonly<Record<string, number>> = { "3.1": 14, "3.2": 10, "3.3": 3 };

const archiveName = (version: string): string => {
  const [, line = "", patch = "0"] = /^(\d+\.\d+)\.(\d+)/.exec(version) ?? [];
  const named = line in NAMED_SINCE ? Number(patch) >= (NAMED_SINCE[line] ?? 0) : since(version, "3.4");
  return named ? `StarRocks-${version}-ubuntu-amd64` : `StarRocks-${version}`;
};

const compiled = (path: string): string => join(packageRoot, "dist/test/simulator", path);

const entriesOf = (options: ReleaseOptions, commit: string): readonly Entry[] => {
  const { version, parts = ["fe", "be"], padBytes = 0, programs = {} } = options;
  const build = (part: Part): string => {
    const { faults = [], options: habits = {} } = options[part] ?? {};
    return `${JSON.stringify({ version, commit, faults, options: habits })}\n`;
  };
  const admin = programs.dbGroupAdmin ?? compiled("fe/db-group-admin.js");
  return [
    ...(parts.includes("fe")
      ? frontend(version, build("fe"), {
          main: bundle(programs.fe ?? compiled("fe/main.js")),
          dbGroupAdmin: existsSync(admin) ? bundle(admin) : undefined,
        })
      : []),
    ...(parts.includes("be")
      ? backend(version, build("be"), bundle(programs.be ?? compiled("be/main.js")), realpathSync(process.execPath))
      : []),
    ...surroundings(),
    ...parts
      .filter(() => padBytes > 0)
      .map((part): Entry => {
        return {
          type: "padding",
          path: `${part}/lib/padding.bin`,
          mode: 0o644,
          bytes: Math.ceil(padBytes / parts.length),
        };
      }),
  ];
};

const under = (folder: string, entry: Entry): Entry =>
  folder === "" ? entry : { ...entry, path: `${folder}/${entry.path}` };

/** Writes a simulated release's archive. The same options give the same bytes. */
export const buildRelease = async (options: ReleaseOptions): Promise<BuiltRelease> => {
  const { version, directory, archiveVersion = version } = options;
  const commit = options.commit ?? commitOf(version);
  const name = archiveName(archiveVersion);
  const archive = join(directory, `${name}.tar.gz`);
  const partial = `${archive}.${process.pid}.partial`;
  const entries = entriesOf(options, commit).map((entry) => under(options.topLevel ?? name, entry));
  const hash = createHash("sha256");
  // Padding does not compress: do not try.
  const gzip = createGzip({ level: (options.padBytes ?? 0) > 0 ? 0 : 6 });
  gzip.on("data", (chunk: Buffer) => hash.update(chunk));
  await mkdir(directory, { recursive: true });
  await pipeline(Readable.from(tar([...foldersOf(entries), ...entries])), gzip, createWriteStream(partial));
  await rename(partial, archive);
  return { archive, sha256: hash.digest("hex"), version, commit };
};

/** The file of a part that vendors replace. */
const programs = { fe: "fe/lib/starrocks-fe.jar", be: "be/lib/starrocks_be" } as const;

export interface BuiltHotfix {
  readonly path: string;
  readonly archive: string;
  readonly sha256: string;
}

/** Writes a part's program alone, which says a version of its own: `starrocks-fe.jar` or `starrocks_be`. */
export const buildHotfix = async (part: Part, options: Omit<ReleaseOptions, "parts">): Promise<BuiltHotfix> => {
  const { version, directory } = options;
  const commit = options.commit ?? commitOf(version);
  const { faults = [], options: habits = {} } = options[part] ?? {};
  const path = programs[part];
  const entry = entriesOf({ ...options, parts: [part] }, commit).find((one) => one.path === path);
  if (entry?.type !== "file") {
    throw new Error(`A release has ${path}`);
  }
  const content = carrying(entry.content, JSON.stringify({ version, commit, faults, options: habits }));
  await mkdir(directory, { recursive: true });
  const archive = join(directory, `${basename(path)}.${version}`);
  await writeFile(archive, content);
  return { path, archive, sha256: createHash("sha256").update(content).digest("hex") };
};

const main = async (): Promise<void> => {
  const [version, directory] = process.argv.slice(2);
  if (version === undefined || directory === undefined) {
    process.stderr.write("Usage: node release.js <version> <folder>\n");
    process.exitCode = 2;
    return;
  }
  const { archive, sha256 } = await buildRelease({ version, directory });
  if (!process.stdout.write(`${sha256}  ${archive}\n`)) {
    await once(process.stdout, "drain");
  }
};

if (require.main === module) {
  void main();
}
