import { accessSync, constants } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { type Overlay, overlayProblems } from "../provider/plan/overlay.js";
import { digestOf } from "./archive.js";
import type { OverlayFileArgs, ReleaseSource } from "./args.js";
import { refuse } from "./nodes.js";
import { isPlain } from "./plain.js";

export type ResolvedRelease = {
  version: string;
  sha256: string;
  archive?: string;
  url?: string;
  overlay?: Overlay;
};

/** Refuses what names no release; `archive` alone is hashed here. */
const assertSource = ({ archive, overlay, sha256, url, version }: pulumi.Unwrap<ReleaseSource>): void => {
  if ((archive === undefined) === (url === undefined)) {
    refuse("release", "wants either `archive` (a file here) or `url` (each host downloads it)");
  }
  if (url !== undefined && sha256 === undefined) {
    refuse("release.sha256", "must be given with `url`: nobody could tell what the hosts have downloaded");
  }
  const [wrong] = overlayProblems(version, overlay ?? {});
  if (wrong) {
    refuse(overlayField(wrong.path), wrong.reason);
  }
  for (const [path, file] of Object.entries(overlay ?? {})) {
    if (!file.archive) {
      refuse(`${overlayField(path)}.archive`, "must be given: the path of a file here");
    }
  }
};

const overlayField = (path: string): string => `release.overlay["${path}"]`;

const unreadable =
  (field: string) =>
  (error: unknown): never =>
    refuse(field, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);

/** What is known at once is refused at once: an error in an output reaches people wrapped by each resource that it is in. */
const assertKnownSource = (source: ReleaseSource): void => {
  if (!isPlain([source.archive, source.sha256, source.url, source.overlay])) {
    return;
  }
  const release = source as pulumi.Unwrap<ReleaseSource>;
  assertSource(release);
  assertReadable("release.archive", release);
  for (const [path, file] of Object.entries(release.overlay ?? {})) {
    assertReadable(`${overlayField(path)}.archive`, file);
  }
};

/** A digest that is given says which file it is; the file may be gone when all hosts have it. */
const assertReadable = (field: string, { archive, sha256 }: { archive?: string; sha256?: string }): void => {
  if (archive === undefined || sha256 !== undefined) {
    return;
  }
  try {
    accessSync(archive, constants.R_OK);
  } catch (error) {
    unreadable(field)(error);
  }
};

/** The release with its digests: given, or taken from the files here. */
export const resolveRelease = (source: ReleaseSource): pulumi.Output<ResolvedRelease> => {
  if (!pulumi.Output.isInstance(source)) {
    assertKnownSource(source);
  }
  return pulumi.output(source).apply(async ({ overlay, ...release }) => {
    assertSource({ ...release, ...(overlay && { overlay }) });
    const sha256 = release.sha256 ?? (await digestOf(release.archive ?? "").catch(unreadable("release.archive")));
    return { ...release, sha256, ...(overlay && { overlay: await resolveOverlay(overlay) }) } as ResolvedRelease;
  });
};

const resolveOverlay = async (overlay: Record<string, pulumi.Unwrap<OverlayFileArgs>>): Promise<Overlay> => {
  const files = Object.entries(overlay).map(async ([path, file]) => {
    const sha256 = file.sha256 ?? (await digestOf(file.archive).catch(unreadable(`${overlayField(path)}.archive`)));
    return [path, { ...file, sha256 }] as const;
  });
  return Object.fromEntries(await Promise.all(files));
};
