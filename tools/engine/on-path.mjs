import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { isAtLeast } from "../lib/node-version.mjs";
import { SetupError } from "../lib/steps.mjs";
import { oldestRelease, programs } from "./release.mjs";
import { versionOf } from "./version.mjs";

/** @typedef {{ readonly binFolder: string, readonly version: string, readonly source: string }} Engine */

const isExecutable = (/** @type {string} */ path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** @param {string} program @param {readonly string[]} folders */
const find = (program, folders) => folders.map((folder) => join(folder, program)).find(isExecutable);

/**
 * The engine that the machine already has: a `pulumi` of version 3 that is new enough, with the two programs it starts
 * on PATH or beside it (the places where it looks itself).
 *
 * @param {string} [path] PATH
 * @param {string} [where] it is, for people
 * @returns {Promise<Engine | string>} or why there is none
 */
export const engineOnPath = async (path = process.env.PATH ?? "", where = "on PATH") => {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  const pulumi = find("pulumi", folders);
  if (pulumi === undefined) {
    return `no pulumi ${where}`;
  }
  const places = [...folders, dirname(realpathSync(pulumi))];
  const missing = programs.filter((program) => find(program, places) === undefined);
  if (missing.length > 0) {
    return `${pulumi} has no ${missing.join(" and no ")} beside it or on PATH`;
  }
  const version = await versionOf(pulumi);
  if (version === undefined) {
    return `${pulumi} does not run`;
  }
  if (!isAtLeast(version, oldestRelease) || !version.startsWith("3.")) {
    return `${pulumi} is version ${version}; expected 3.x from ${oldestRelease} on`;
  }
  return { binFolder: dirname(pulumi), version, source: "PATH" };
};

/**
 * The engine in the folder that the environment names. Who names one wants that and no other.
 *
 * @param {string} [folder]
 * @returns {Promise<Engine | undefined>} nothing where none is named
 */
export const engineGiven = async (folder = process.env.PULUMI_STARROCKS_ENGINE ?? "") => {
  if (folder === "") {
    return undefined;
  }
  const engine = await engineOnPath(resolve(folder), `in ${folder}`);
  if (typeof engine === "string") {
    throw new SetupError(`PULUMI_STARROCKS_ENGINE: ${engine}`);
  }
  return { ...engine, source: "PULUMI_STARROCKS_ENGINE" };
};
