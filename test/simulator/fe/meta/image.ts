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

const checksumFile = (metaDir: string, subdir: string, index: number): string =>
  path.join(folder(metaDir, subdir), `checksum.${index}`);

/** Only v2 has a checksum beside it, there before the image has its name. Removes the older ones but the last. */
export const writeImageText = (metaDir: string, subdir: string, index: number, text: string): void => {
  const directory = folder(metaDir, subdir);
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, "image.ckpt"), text);
  if (subdir === "/v2") {
    fs.writeFileSync(checksumFile(metaDir, subdir, index), String(zlib.crc32(text)));
  }
  fs.renameSync(path.join(directory, "image.ckpt"), imageFile(metaDir, subdir, index));
  const older = fs
    .readdirSync(directory)
    .map((name) => Number(/^image\.(\d+)$/.exec(name)?.[1] ?? index))
    .filter((id) => id < index)
    .sort((a, b) => b - a);
  for (const id of older.slice(1)) {
    fs.rmSync(imageFile(metaDir, subdir, id), { force: true });
    fs.rmSync(checksumFile(metaDir, subdir, id), { force: true });
  }
};

/** The image that this version reads, v1 only where it is the newer one; a damaged one ends the start. */
export const loadImage = (metaDir: string, features: Features): Image | undefined => {
  const v1 = latestImage(metaDir, "");
  const v2 = features.imageV2 ? latestImage(metaDir, "/v2") : 0;
  const [subdir, index] = v1 > v2 ? ["", v1] : ["/v2", v2];
  if (index === 0) {
    return undefined;
  }
  const file = imageFile(metaDir, subdir, index);
  const text = fs.readFileSync(file, "utf8");
  const where = "GlobalStateMgr.loadImage():1680";
  if (subdir === "/v2") {
    const checksum = checksumFile(metaDir, subdir, index);
    if (!fs.existsSync(checksum)) {
      throw new StartFailure(`load image ${file} failed, java.nio.file.NoSuchFileException: ${checksum}`, where);
    }
    if (Number(fs.readFileSync(checksum, "utf8")) !== zlib.crc32(text)) {
      throw new StartFailure(`load image ${file} failed, checksum mismatch`, where);
    }
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StartFailure(`failed to load image ${file}: ${(error as Error).message}`, where);
  }
};
