import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

export type Row = readonly unknown[];

/** A refusal carries the version that the tablet has. */
export interface Refusal {
  readonly status: "FAIL";
  readonly msg: string;
  readonly version?: number;
}

export type Outcome<T = object> = ({ readonly status: "OK" } & T) | Refusal;

export interface Write {
  readonly version: number;
  /** What the tablet must be at. */
  readonly prevVersion: number;
  readonly rows: readonly Row[];
  /** Versions above `prevVersion` were never committed and go. */
  readonly discardNewer?: boolean;
}

/** One load into a tablet, a line of its file. */
interface Rowset {
  readonly version: number;
  readonly rows: readonly Row[];
}

export interface TabletStore {
  readonly create: (id: string, version: number) => Outcome;
  readonly write: (id: string, write: Write) => Outcome;
  readonly read: (id: string, version?: number) => Outcome<{ readonly version: number; readonly rows: readonly Row[] }>;
  /** Replaces the tablet, or makes it, with another replica's content. */
  readonly replace: (id: string, version: number, rows: readonly Row[]) => Outcome;
  readonly drop: (id: string) => Outcome;
  readonly list: () => readonly { readonly id: string; readonly version: number; readonly root: string }[];
}

interface Tablet {
  readonly root: string;
  version: number;
}

const FIRST_VERSION = 1;

const ok = { status: "OK" } as const;
const fail = (msg: string, version?: number): Refusal => ({
  status: "FAIL",
  msg,
  ...(version === undefined ? {} : { version }),
});

const folderOf = (root: string, id: string): string => join(root, "data", String(Number(id) % 1024), id);

const fileOf = (root: string, id: string): string => join(folderOf(root, id), "rowsets.jsonl");

const sync = (descriptor: number, text: string): void => {
  try {
    writeSync(descriptor, text);
    fdatasyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

const replaceFile = (path: string, rowsets: readonly Rowset[]): void => {
  const partial = `${path}.partial`;
  sync(openSync(partial, "w"), rowsets.map((rowset) => `${JSON.stringify(rowset)}\n`).join(""));
  renameSync(partial, path);
};

/** Reads a tablet's loads. A last line that a kill cut off never was acknowledged: it is cut away. */
const readRowsets = (path: string): readonly Rowset[] => {
  const text = readFileSync(path, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) {
    truncateSync(path, Buffer.byteLength(whole));
  }
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Rowset => JSON.parse(line));
};

const load = (roots: readonly string[]): Map<string, Tablet> => {
  const tablets = new Map<string, Tablet>();
  for (const root of roots) {
    for (const shard of readdirSync(join(root, "data"))) {
      for (const id of readdirSync(join(root, "data", shard))) {
        if (existsSync(fileOf(root, id))) {
          tablets.set(id, { root, version: readRowsets(fileOf(root, id)).at(-1)?.version ?? FIRST_VERSION });
        }
      }
    }
  }
  return tablets;
};

/** Tablets as files under `<root>/data`, spread over the roots. What was answered OK survives SIGKILL. */
export const openTablets = (roots: readonly string[]): TabletStore => {
  const tablets = load(roots);
  const emptiestRoot = (): string => {
    const counts = roots.map((root) => [...tablets.values()].filter((tablet) => tablet.root === root).length);
    return roots[counts.indexOf(Math.min(...counts))] ?? "";
  };
  const put = (id: string, version: number, rows: readonly Row[]): Outcome => {
    const root = tablets.get(id)?.root ?? emptiestRoot();
    mkdirSync(folderOf(root, id), { recursive: true });
    replaceFile(fileOf(root, id), [{ version, rows }]);
    tablets.set(id, { root, version });
    return ok;
  };
  return {
    create: (id, version) => (tablets.has(id) ? ok : put(id, version, [])),
    write: (id, { version, prevVersion, rows, discardNewer = false }) => {
      const tablet = tablets.get(id);
      if (tablet === undefined) {
        return fail(`tablet ${id} not found`);
      }
      const path = fileOf(tablet.root, id);
      if (discardNewer && tablet.version > prevVersion) {
        const kept = readRowsets(path).filter((rowset) => rowset.version <= prevVersion);
        if (kept.at(-1)?.version === prevVersion) {
          replaceFile(path, kept);
          tablet.version = prevVersion;
        }
      }
      if (tablet.version !== prevVersion || version <= prevVersion) {
        const text = `tablet ${id} is at version ${tablet.version}, expected ${prevVersion} to write ${version}`;
        return fail(text, tablet.version);
      }
      sync(openSync(path, "a"), `${JSON.stringify({ version, rows })}\n`);
      tablet.version = version;
      return ok;
    },
    read: (id, version) => {
      const tablet = tablets.get(id);
      if (tablet === undefined) {
        return fail(`tablet ${id} not found`);
      }
      const wanted = version ?? tablet.version;
      const rowsets = readRowsets(fileOf(tablet.root, id)).filter((rowset) => rowset.version <= wanted);
      return tablet.version < wanted || rowsets.length === 0
        ? fail(
            `version not found. tablet_id: ${id}, version: ${wanted}, max version: ${tablet.version}`,
            tablet.version,
          )
        : { status: "OK", version: wanted, rows: rowsets.flatMap(({ rows }) => rows) };
    },
    replace: put,
    drop: (id) => {
      const tablet = tablets.get(id);
      if (tablet !== undefined) {
        renameSync(folderOf(tablet.root, id), join(tablet.root, "trash", `${Date.now()}.${id}`));
        tablets.delete(id);
      }
      return ok;
    },
    list: () => [...tablets].map(([id, { version, root }]) => ({ id, version, root })),
  };
};

const FORMAT_FILE = join("meta", "format");

/** Brings a root to the data format that a build writes; an older build cannot read a newer one. */
export const claimFormat = (root: string, format: number, version: string): string | undefined => {
  const path = join(root, FORMAT_FILE);
  const found: { readonly format: number; readonly version: string } = existsSync(path)
    ? JSON.parse(readFileSync(path, "utf8"))
    : { format: 1, version };
  if (found.format > format) {
    return `Corruption: unsupported data format ${found.format} in ${root}, written by ${found.version}`;
  }
  if (!existsSync(path) || found.format < format) {
    writeFileSync(`${path}.partial`, JSON.stringify({ format, version }));
    renameSync(`${path}.partial`, path);
  }
  return undefined;
};
