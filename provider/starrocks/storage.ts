import { posix } from "node:path";
import { hostPathProblem } from "./host-path.js";

/** A data folder of a BE. Without a medium StarRocks takes it for a hard disk. */
export interface Disk {
  readonly path: string;
  readonly medium?: "HDD" | "SSD";
}

/** What a program may write for a data folder: `/disk1/starrocks`, `/disk1/starrocks,medium:SSD`, or the parts. */
export type DiskEntry = string | { readonly path: string; readonly medium?: string };

export interface ParsedStorage {
  /** The entries that could be read. */
  readonly storage: readonly Disk[];
  /** What is wrong, in sentences; empty when all is well. */
  readonly problems: readonly string[];
}

/**
 * The data folders of a BE and everything that is wrong with them. StarRocks reads `storage_root_path` leniently and then
 * acts on what it misread (`be/src/storage/options.cpp`), so doubtful entries are refused here.
 */
export const parseStorage = (entries: readonly DiskEntry[]): ParsedStorage => {
  const parsed = entries.map(parseEntry);
  const storage = parsed.filter((one) => typeof one !== "string");
  const none = entries.length === 0 ? ["Expected at least one storage folder, got none."] : [];
  return { storage, problems: [...none, ...parsed.filter((one) => typeof one === "string"), ...overlaps(storage)] };
};

/** The value of `storage_root_path`. */
export const storageText = (disks: readonly Disk[]): string =>
  disks.map(({ path, medium }) => (medium ? `${path},medium:${medium}` : path)).join(";");

/** A disk, or the sentence that says what is wrong with the entry. */
const parseEntry = (entry: DiskEntry): Disk | string => {
  const { path: written, medium, rest } = typeof entry === "string" ? splitEntry(entry) : { ...entry, rest: [] };
  const shown = typeof entry === "string" ? entry : written;
  if (rest.some((part) => /^\s*capacity\s*:/i.test(part))) {
    return `Storage "${shown}": capacity is ignored by StarRocks; leave it out and size the file system.`;
  }
  if (rest.length > 0) {
    return `Storage "${shown}": expected a path, or a path and "medium:HDD" or "medium:SSD".`;
  }
  const media = medium?.toUpperCase();
  if (media !== undefined && media !== "HDD" && media !== "SSD") {
    return `Storage "${shown}": expected the medium to be HDD or SSD, got "${medium}".`;
  }
  const path = written.length > 1 ? written.replace(/\/+$/, "") : written;
  const problem = pathProblem(path) ?? (media ? undefined : extensionProblem(path));
  if (problem) {
    return `Storage "${shown}": ${problem}`;
  }
  return media ? { path, medium: media } : { path };
};

const splitEntry = (text: string): { path: string; medium?: string; rest: readonly string[] } => {
  const [path = "", ...properties] = text.split(",");
  const medium = properties.flatMap((part) => /^\s*medium\s*:\s*(.*?)\s*$/i.exec(part)?.[1] ?? []);
  const rest = properties.filter((part) => !/^\s*medium\s*:/i.test(part));
  return medium.length > 1 || medium[0] === undefined
    ? { path, rest: [...rest, ...medium] }
    : { path, medium: medium[0], rest };
};

const pathProblem = (path: string): string | undefined => {
  if (!path.startsWith("/")) {
    return "expected an absolute path.";
  }
  if (path === "/") {
    return "expected a folder of its own, got the root of the host.";
  }
  const odd = hostPathProblem(path);
  if (odd !== undefined) {
    return `${odd}.`;
  }
  return posix.normalize(path) === path ? undefined : `expected a plain path, such as "${posix.normalize(path)}".`;
};

const extensionProblem = (path: string): string | undefined => {
  const name = posix.basename(path);
  const dot = name.lastIndexOf(".");
  return dot < 0
    ? undefined
    : `StarRocks would read the ending "${name.slice(dot)}" as the storage medium; say the medium too: ` +
        `{ path: "${path}", medium: "HDD" } or "SSD".`;
};

const overlaps = (disks: readonly Disk[]): readonly string[] =>
  disks.flatMap(({ path }, index) =>
    disks.slice(0, index).flatMap((other) => {
      if (other.path === path) {
        return [`Storage "${path}" is there twice.`];
      }
      const [outer, inner] = [path, other.path].sort((a, b) => a.length - b.length);
      return inner?.startsWith(`${outer}/`)
        ? [`Storage "${inner}" lies inside "${outer}"; give each disk a folder of its own.`]
        : [];
    }),
  );
