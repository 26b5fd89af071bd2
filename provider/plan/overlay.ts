import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Part } from "../starrocks/layout.js";
import { releaseIdOf } from "./release-id.js";

/** A file that takes the place of the release's own: a vendor's hotfix. */
export interface OverlayFile {
  readonly archive: string;
  readonly sha256: string;
  /** What nodes of its part then report. Default: the release's version. */
  readonly version?: string | undefined;
}

/** By the path inside the release: `be/lib/starrocks_be`. */
export type Overlay<F = OverlayFile> = Readonly<Record<string, F>>;

interface Overlaid {
  readonly version: string;
  readonly sha256: string;
  readonly overlay?: Overlay<Pick<OverlayFile, "sha256" | "version">> | undefined;
}

/** The entries of a part, in an order that does not depend on the program's. */
export const filesOf = <F>(overlay: Overlay<F> | undefined, part: Part): readonly (readonly [string, F])[] =>
  Object.entries(overlay ?? {})
    .filter(([path]) => path.startsWith(`${part}/`))
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** Digest of a part that is composed of the release and overlay files; undefined where it is the release's own. */
export const composedDigest = ({ sha256, overlay }: Overlaid, part: Part): string | undefined => {
  const files = filesOf(overlay, part).map(([path, file]) => [path, file.sha256]);
  return files.length === 0
    ? undefined
    : createHash("sha256")
        .update(JSON.stringify([sha256, files]))
        .digest("hex");
};

/**
 * What nodes of a part run. An overlay makes another release of its own part only, so that nodes of the other part have
 * nothing to do.
 */
export const releaseOfPart = (release: Overlaid, part: Part): { readonly id: string; readonly version: string } => {
  const version = filesOf(release.overlay, part).find(([, file]) => file.version !== undefined)?.[1].version;
  const label = version ?? release.version;
  return { id: releaseIdOf(label, composedDigest(release, part) ?? release.sha256), version: label };
};

/** The release as a host needs it that has these parts: what is done to another part does not concern it. */
export const withParts = <R extends Overlaid>(release: R, parts: readonly Part[]): R => {
  const { overlay, ...rest } = release;
  const needed = parts.flatMap((part) => filesOf(overlay, part));
  return { ...rest, ...(needed.length > 0 && { overlay: Object.fromEntries(needed) }) } as R;
};

export interface OverlayProblem {
  readonly path: string;
  readonly reason: string;
}

/** What is wrong with an overlay, as far as no host is asked. */
export const overlayProblems = (version: string, overlay: Overlay<Partial<OverlayFile>>): readonly OverlayProblem[] => {
  const misplaced = Object.keys(overlay)
    .filter((path) => !isPlace(path))
    .map((path) => ({
      path,
      reason:
        "must be the path of a file inside the release, such as `be/lib/starrocks_be` or `fe/lib/starrocks-fe.jar`",
    }));
  return [...misplaced, ...(["fe", "be"] as const).flatMap((part) => versionProblems(version, filesOf(overlay, part)))];
};

const isPlace = (path: string): boolean =>
  /^(fe|be)\/[^\0\n]*[^/\0\n]$/.test(path) && posix.normalize(path) === path && !path.split("/").includes("..");

/** All processes of a part report one version, and it is a build of the release around the file. */
const versionProblems = (
  base: string,
  files: readonly (readonly [string, Partial<OverlayFile>])[],
): readonly OverlayProblem[] => {
  const named = files.flatMap(([path, { version }]) => (version === undefined ? [] : [{ path, version }]));
  const [first] = named;
  return named.flatMap(({ path, version }) => {
    if (first && version !== first.version) {
      return [
        {
          path,
          reason: `has the version ${version}, but ${first.path} has ${first.version}: nodes report one version, so all files of a part have the same`,
        },
      ];
    }
    return sameRelease(base, version)
      ? []
      : [
          {
            path,
            reason: `has the version ${version}, which is no build of ${base}: a single file runs only with the release that it was built for. Declare the whole release ${version}`,
          },
        ];
  });
};

/** Texts that are no versions are refused as such. */
const sameRelease = (one: string, other: string): boolean => {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  return a === undefined || b === undefined || a === b;
};

/** Not `parseVersion`: the program's process has this file too, and no need of all that versions bring along. */
const numbersOf = (version: string): string | undefined => /^\d+\.\d+\.\d+(?=-|$)/.exec(version)?.[0];
