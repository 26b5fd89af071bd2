import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import type { Member } from "../catalog/operations.js";
import type { CatalogState } from "../catalog/state.js";
import { StartFailure } from "../settings/conf.js";
import type { Features } from "../settings/version.js";

/** A snapshot of the metadata up to journal `index`. */
export interface Image {
  readonly index: number;
  readonly term: number;
  readonly version: string;
  readonly members: readonly Member[];
  readonly state: CatalogState;
}

/** `""` (v1) and `/v2`, as the `subdir` of image downloads. */
export const imageSubdirs = (features: Features): readonly string[] => [
  ...(features.imageV1 ? [""] : []),
  ...(features.imageV2 ? ["/v2"] : []),
];

const folder = (metaDir: string, subdir: string): string => path.join(metaDir, "image", subdir);

export const imageFile = (metaDir: string, subdir: string, index: number): string =>
  path.join(folder(metaDir, subdir), `image.${index}`);

export const latestImage = (metaDir: string, subdir: string): number => {
  const directory = folder(metaDir, subdir);
  const names = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  return Math.max(0, ...names.map((name) => Number(/^image\.(\d+)$/.exec(name)?.[1] ?? 0)));
};

export const hasImage = (metaDir: string): boolean => latestImage(metaDir, "") > 0 || latestImage(metaDir, "/v2") > 0;

/** Writes image and checksum, and removes the older ones but the last. */
export const writeImageText = (metaDir: string, subdir: string, index: number, text: string): void => {
  const directory = folder(metaDir, subdir);
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, "image.ckpt"), text);
  fs.renameSync(path.join(directory, "image.ckpt"), imageFile(metaDir, subdir, index));
  fs.writeFileSync(path.join(directory, `checksum.${index}`), String(zlib.crc32(text)));
  const older = fs
    .readdirSync(directory)
    .map((name) => Number(/^image\.(\d+)$/.exec(name)?.[1] ?? index))
    .filter((id) => id < index)
    .sort((a, b) => b - a);
  for (const id of older.slice(1)) {
    fs.rmSync(imageFile(metaDir, subdir, id), { force: true });
    fs.rmSync(path.join(directory, `checksum.${id}`), { force: true });
  }
};

/** The newest image that this version reads; a damaged one ends the start. */
export const loadImage = (metaDir: string, features: Features): Image | undefined => {
  const subdirs = [...imageSubdirs(features)].reverse();
  const [found] = [...subdirs, ""]
    .map((subdir) => ({ subdir, index: latestImage(metaDir, subdir) }))
    .filter(({ index }) => index > 0);
  if (found === undefined) {
    return undefined;
  }
  const file = imageFile(metaDir, found.subdir, found.index);
  const text = fs.readFileSync(file, "utf8");
  const checksum = path.join(path.dirname(file), `checksum.${found.index}`);
  const where = "GlobalStateMgr.loadImage():1680";
  if (fs.existsSync(checksum) && Number(fs.readFileSync(checksum, "utf8")) !== zlib.crc32(text)) {
    throw new StartFailure(`load image ${file} failed, checksum mismatch`, where);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StartFailure(`failed to load image ${file}: ${(error as Error).message}`, where);
  }
};
