import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";

/** Where digests are remembered: a tarball of gigabytes is hashed once per (path, size, mtime), not at every preview. */
const cacheFile = (): string =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pulumi-starrocks", "sha256.json");

const hashFile = async (path: string): Promise<string> => {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
};

const readCache = async (): Promise<Record<string, string>> => {
  try {
    return JSON.parse(await readFile(cacheFile(), "utf8"));
  } catch {
    // A cache that is not there, or that another process is writing, is an empty one.
    return {};
  }
};

const remember = async (key: string, digest: string): Promise<void> => {
  const temporary = `${cacheFile()}.${process.pid}`;
  try {
    await mkdir(join(cacheFile(), ".."), { recursive: true });
    await writeFile(temporary, JSON.stringify({ ...(await readCache()), [key]: digest }));
    await rename(temporary, cacheFile());
  } catch {
    // A read-only home costs time, not correctness.
  }
};

/** sha256 of a file here, in hex. */
export const digestOf = async (path: string): Promise<string> => {
  const absolute = resolve(path);
  const { size, mtimeMs } = await stat(absolute);
  const key = `${absolute}:${size}:${mtimeMs}`;
  const known = (await readCache())[key];
  if (known) {
    return known;
  }
  const digest = await hashFile(absolute);
  await remember(key, digest);
  return digest;
};
