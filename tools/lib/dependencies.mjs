import { existsSync, lstatSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.mjs";
import { head, run } from "./run.mjs";
import { SetupError, step } from "./steps.mjs";

/** Ten minutes: a cold install takes 15 s here, and a slow line is no error. */
const installLimit = 600_000;

/**
 * @typedef {{ version?: string, optional?: boolean, link?: boolean }} LockedPackage
 * @typedef {Record<string, LockedPackage>} LockedPackages by folder, as in `packages` of a lockfile
 */

/**
 * Whether node_modules holds what the lockfile says: every package at its version, none besides.
 * Contents are compared rather than times, which a fresh clone or another branch gets wrong.
 *
 * @param {LockedPackages} wanted `packages` of package-lock.json
 * @param {LockedPackages} installed `packages` of node_modules/.package-lock.json, npm's note of what it installed
 */
export const isInstalled = (wanted, installed) =>
  Object.entries(installed).every(([path, { version }]) => wanted[path]?.version === version) &&
  Object.entries(wanted).every(([path, { optional }]) => path === "" || optional || path in installed);

const packagesOf = (/** @type {string} */ lockfile) => JSON.parse(readFileSync(lockfile, "utf8")).packages;

const needsInstall = () => {
  const note = join(root, "node_modules/.package-lock.json");
  return !existsSync(note) || !isInstalled(packagesOf(join(root, "package-lock.json")), packagesOf(note));
};

/** `npm ci` when node_modules is missing or differs from the lockfile; then the package's link to itself. */
export const ensureDependencies = async () => {
  if (needsInstall()) {
    await step("install npm packages (npm ci)", async () => {
      const { code, output } = await run(["npm", "ci", "--no-audit", "--no-fund"], { limit: installLimit });
      if (code !== 0) {
        throw new SetupError(`npm ci failed with exit code ${code}:\n${head(output)}`);
      }
    });
  }
  linkSelf();
};

/**
 * node_modules/pulumi-starrocks → the repository: examples and tests import the package by its name as users do, and the
 * provider process, which resolves from the program's folder, finds it too.
 */
const linkSelf = () => {
  const link = join(root, "node_modules/pulumi-starrocks");
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(link) === "..") {
    return;
  }
  rmSync(link, { recursive: true, force: true });
  symlinkSync("..", link, "dir");
};
