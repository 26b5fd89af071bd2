import { posix } from "node:path";
import { replaced } from "./version-rows.js";

/** What differs between the kinds of node on a host; everything else is the same code. */
export interface KindLayout {
  /** Folder of a release that the kind runs from; a CN runs from `be/`. */
  readonly part: Part;
  /** How its process is told apart in a list of processes, see `process.ts`. */
  readonly process: {
    /** Full name of the Java class (`grep StarRocksFE` is no FE), or file in `lib/`. */
    readonly program: string;
    /** Where the program is named: any argument (a Java class) or the command itself. */
    readonly place: "anywhere" | "command";
    /** An argument that the process must have: one binary is BE and CN. */
    readonly having?: string;
    /** Arguments that make it something else: another kind, a tool, a version query. */
    readonly without: readonly string[];
  };
  readonly startScript: string;
  readonly stopScript: string;
  readonly pidFile: string;
  readonly conf: string;
  /** Folders of a release, beside `lib`, that the home links to. Some exist in some releases only. */
  readonly linked: readonly string[];
  /** Folders inside `lib/` that belong to the node and outlive a release: `lib/udf` and the like (BE `user_function_dir`, …). */
  readonly state: readonly string[];
  /** What a starting process writes to, in the log folder; the first lines of trouble are in one of them. */
  readonly logs: readonly string[];
}

export type NodeKind = "fe" | "be" | "cn";
export type Part = "fe" | "be";

const backendState = ["udf", "udf-runtime", "small_file", "jdbc_drivers"] as const;
const tools = ["--version", "-v", "meta_tool", "--meta_tool"] as const;

export const kindLayouts: Readonly<Record<NodeKind, KindLayout>> = {
  fe: {
    part: "fe",
    process: { program: "com.starrocks.StarRocksFE", place: "anywhere", without: ["--version", "-v"] },
    startScript: "start_fe.sh",
    stopScript: "stop_fe.sh",
    pidFile: "fe.pid",
    conf: "fe.conf",
    linked: replaced.fe,
    state: [],
    logs: ["fe.log", "fe.warn.log", "fe.out"],
  },
  be: {
    part: "be",
    process: { program: "starrocks_be", place: "command", without: ["--cn", ...tools] },
    startScript: "start_be.sh",
    stopScript: "stop_be.sh",
    pidFile: "be.pid",
    conf: "be.conf",
    linked: replaced.be,
    state: backendState,
    logs: ["be.INFO", "be.WARNING", "be.out"],
  },
  cn: {
    part: "be",
    process: { program: "starrocks_be", place: "command", having: "--cn", without: tools },
    startScript: "start_cn.sh",
    stopScript: "stop_cn.sh",
    pidFile: "cn.pid",
    conf: "cn.conf",
    linked: replaced.be,
    state: backendState,
    logs: ["cn.INFO", "cn.WARNING", "cn.out"],
  },
};

/** What a part of a release must contain to be one. */
export const requiredFiles: Readonly<Record<Part, readonly string[]>> = {
  fe: ["bin/start_fe.sh", "bin/stop_fe.sh", "lib"],
  be: ["bin/start_be.sh", "bin/stop_be.sh", "lib/starrocks_be"],
};

export const releasesFolder = (deployDir: string): string => posix.join(deployDir, "releases");

export const releaseFolder = (deployDir: string, releaseId: string): string =>
  posix.join(releasesFolder(deployDir), releaseId);

/** Archives on their way in and folders on their way out; nothing in it is ever used by a node. */
export const incomingFolder = (deployDir: string): string => posix.join(releasesFolder(deployDir), ".incoming");

export const incomingArchive = (deployDir: string, sha256: string): string =>
  posix.join(incomingFolder(deployDir), `${sha256.toLowerCase()}.tar.gz`);

/** Beside the releases, which are sealed: a file per home that was ever switched to one of them, with its path in it. */
export const homesFolder = ".homes";

/** Beside the releases: a file per release that an operation has staged, until its nodes run from it. */
export const expectedFolder = ".expected";

/** A single file on its way into a composed release. */
export const incomingOverlay = (deployDir: string, sha256: string): string =>
  posix.join(incomingFolder(deployDir), `${sha256.toLowerCase()}.overlay`);

/** Written into a part of a release when it is verified; without it the part is not there. */
export const sealFile = ".sealed";

/** In a node's home and in each of its data folders: whose they are. */
export const markerFile = ".pulumi-starrocks.json";

export interface HomePaths {
  /** STARROCKS_HOME of the node. */
  readonly home: string;
  readonly bin: string;
  readonly startScript: string;
  readonly stopScript: string;
  readonly pidFile: string;
  readonly conf: string;
  readonly log: string;
  readonly state: string;
  readonly views: string;
  readonly current: string;
  /** The view that `current` named before; kept for going back. */
  readonly previous: string;
  readonly marker: string;
}

export const homePaths = (home: string, kind: NodeKind): HomePaths => {
  const layout = kindLayouts[kind];
  const bin = posix.join(home, "bin");
  return {
    home,
    bin,
    startScript: posix.join(bin, layout.startScript),
    stopScript: posix.join(bin, layout.stopScript),
    pidFile: posix.join(bin, layout.pidFile),
    conf: posix.join(home, "conf", layout.conf),
    log: posix.join(home, "log"),
    state: posix.join(home, "state"),
    views: posix.join(home, "views"),
    current: posix.join(home, "current"),
    previous: posix.join(home, "previous"),
    marker: posix.join(home, markerFile),
  };
};
