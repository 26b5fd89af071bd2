import { posix } from "node:path";
import { z } from "zod";
import { beDefaultPorts, feDefaultPorts } from "../starrocks/ports.js";
import { type DiskEntry, parseStorage } from "../starrocks/storage.js";
import { parseVersion, versionProblem } from "../starrocks/versions.js";
import { strictObject } from "../strict.js";
import { hostNameWanted, isHostName } from "./host-name.js";
import { limitsSchema } from "./limits.js";
import { overlayProblems } from "./overlay.js";

const nonEmpty = z.string().min(1, "must not be empty");

export const absolutePath = nonEmpty
  .refine((path) => posix.isAbsolute(path), "must be an absolute path")
  .refine((path) => posix.normalize(path) === path && !path.endsWith("/"), {
    error: "must be a plain path: no `..`, no `//`, no `/` at its end",
  });

export const versionText = z.string().refine((text) => parseVersion(text) !== undefined, {
  error: (issue) => versionProblem(String(issue.input)) ?? "",
});

/** A name that can stand in a logical name, a file name and a plan. */
const nodeName = nonEmpty.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must consist of letters, digits, `.`, `_` and `-`");

const hostName = nonEmpty.refine(isHostName, hostNameWanted);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lowercase hex digits (sha256sum prints them)");

const overlayFile = strictObject({ archive: nonEmpty, sha256, version: versionText.optional() });

/** `archive` without `sha256` is hashed by the component; from a `url` nobody could tell what was fetched. */
export const releaseSchema = strictObject({
  version: versionText,
  sha256,
  archive: nonEmpty.optional(),
  url: z.url({ protocol: /^https?$/, error: "must be an http or https address" }).optional(),
  overlay: z.record(z.string(), overlayFile).optional(),
})
  .refine((release) => (release.archive === undefined) !== (release.url === undefined), {
    error: "wants either `archive` (a file here) or `url` (each host downloads it)",
  })
  .superRefine(({ overlay = {}, version }, context) => {
    for (const { path, reason } of overlayProblems(version, overlay)) {
      context.addIssue({ code: "custom", path: ["overlay", path], message: reason });
    }
  });

export type ReleaseSpec = z.output<typeof releaseSchema>;

/** What a node must know of its release: which one. Where it came from is the `Release` resource's business. */
export const nodeReleaseSchema = strictObject({
  id: nonEmpty,
  version: versionText,
});

export type NodeRelease = z.output<typeof nodeReleaseSchema>;

const port = z.int().min(1).max(65_535);

const settings = z.record(z.string(), z.string()).default({});

const common = {
  cluster: nonEmpty,
  name: nodeName,
  address: hostName,
  release: nodeReleaseSchema,
  deployDir: absolutePath,
  home: absolutePath.optional(),
  config: settings,
  javaHome: absolutePath.optional(),
  adopt: z.boolean().default(false),
  limits: limitsSchema.optional(),
};

export const fePortsSchema = strictObject({
  http: port.default(feDefaultPorts.http),
  rpc: port.default(feDefaultPorts.rpc),
  query: port.default(feDefaultPorts.query),
  editLog: port.default(feDefaultPorts.editLog),
});

export const bePortsSchema = strictObject({
  be: port.default(beDefaultPorts.be),
  http: port.default(beDefaultPorts.http),
  heartbeat: port.default(beDefaultPorts.heartbeat),
  brpc: port.default(beDefaultPorts.brpc),
  starlet: port.default(beDefaultPorts.starlet),
});

export const roles = ["leader", "follower", "observer"] as const;
export type Role = (typeof roles)[number];

export const feFields = {
  ...common,
  role: z.enum(roles),
  metaDir: absolutePath.optional(),
  ports: fePortsSchema.prefault({}),
};

export const storageEntry = z.union(
  [nonEmpty, strictObject({ path: nonEmpty, medium: z.enum(["HDD", "SSD"]).optional() })],
  { error: 'expected a path, or `{ path, medium }` with the medium "HDD" or "SSD"' },
);

export const beFields = {
  ...common,
  storage: z.array(storageEntry, "must be a list of folders, one for each disk").min(1, "wants at least one folder"),
  rack: nonEmpty.optional(),
  ports: bePortsSchema.prefault({}),
};

export const feSpecSchema = strictObject({ ...feFields, kind: z.literal("fe") });
export const beSpecSchema = strictObject({ ...beFields, kind: z.literal("be") });

/** A frontend as declared, with its defaults filled in. */
export interface FeSpec extends z.output<typeof feSpecSchema> {
  readonly home: string;
  readonly metaDir: string;
}

/** A backend as declared, with its defaults filled in. */
export interface BeSpec extends Omit<z.output<typeof beSpecSchema>, "storage"> {
  readonly home: string;
  readonly storage: readonly Storage[];
}

export interface Storage {
  readonly path: string;
  readonly medium?: "HDD" | "SSD" | undefined;
}

export type NodeSpec = FeSpec | BeSpec;

/** Fills in what follows from other fields: the home is `<deployDir>/fe`, the metadata is `<home>/meta`. */
export const feSpec = (parsed: z.output<typeof feSpecSchema>): FeSpec => {
  const home = parsed.home ?? posix.join(parsed.deployDir, "fe");
  return { ...parsed, home, metaDir: parsed.metaDir ?? posix.join(home, "meta") };
};

export const beSpec = (parsed: z.output<typeof beSpecSchema>): BeSpec => {
  const home = parsed.home ?? posix.join(parsed.deployDir, "be");
  return { ...parsed, home, storage: storageOf(parsed.storage) };
};

/** Entries that StarRocks would misread are refused by `check`, by name. */
const storageOf = (entries: readonly z.output<typeof storageEntry>[]): readonly Storage[] =>
  parseStorage(entries as readonly DiskEntry[]).storage;
