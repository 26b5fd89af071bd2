// Engines that were downloaded or built: a folder each in the cache, complete or not there at all.

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cacheFolder } from "../lib/root.mjs";
import { tryLock } from "./lock.mjs";
import { versionOf } from "./version.mjs";

/** @typedef {import("./on-path.mjs").Engine} Engine */

/** How often a process that waits for another's build looks again. */
const lookEvery = 1000;

/**
 * @param {string} key
 * @param {string} source
 * @returns {Promise<Engine | undefined>}
 */
export const storedEngine = async (key, source) => {
  const binFolder = join(cacheFolder(), "engine", key, "bin");
  const version = await versionOf(join(binFolder, "pulumi"));
  return version === undefined ? undefined : { binFolder, version, source };
};

/**
 * Fills a new folder `bin` and gives it its name only when it is complete and its CLI runs; one process at a time.
 *
 * @param {string} key
 * @param {string} source
 * @param {(folder: string) => Promise<string | undefined>} fill makes `bin` in the folder, or says why it could not
 * @param {(detail: string) => void} progress
 * @returns {Promise<Engine | string>} or why there is none
 */
export const storeEngine = async (key, source, fill, progress) => {
  const store = join(cacheFolder(), "engine");
  mkdirSync(store, { recursive: true });
  let unlock = tryLock(join(store, `${key}.lock`));
  while (unlock === undefined) {
    progress("waiting for another process that makes the same");
    await delay(lookEvery);
    unlock = tryLock(join(store, `${key}.lock`));
  }
  const parts = `${key}.part-`;
  try {
    const present = await storedEngine(key, source);
    if (present) {
      return present;
    }
    for (const left of readdirSync(store).filter((name) => name.startsWith(parts))) {
      rmSync(join(store, left), { recursive: true, force: true });
    }
    const folder = mkdtempSync(join(store, parts));
    const problem = await fill(folder);
    if (problem !== undefined) {
      rmSync(folder, { recursive: true, force: true });
      return problem;
    }
    rmSync(join(store, key), { recursive: true, force: true });
    renameSync(folder, join(store, key));
    return (await storedEngine(key, source)) ?? `the pulumi in ${basename(store)}/${key} does not run`;
  } finally {
    unlock();
  }
};
