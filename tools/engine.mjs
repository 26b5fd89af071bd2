// A Pulumi engine for quickstart, tests and benchmarks: the machine's own, else the official download, else built.
// As a program it prints the folder of the engine.

import { pathToFileURL } from "node:url";
import { buildEngine, builtBefore } from "./engine/build.mjs";
import { downloadEngine, downloadedBefore } from "./engine/download.mjs";
import { engineGiven, engineOnPath } from "./engine/on-path.mjs";
import { oldestRelease } from "./engine/release.mjs";
import { runTool, SetupError, step } from "./lib/steps.mjs";

/**
 * @typedef {import("./engine/on-path.mjs").Engine} Engine
 * @typedef {(progress: (detail: string) => void) => Promise<Engine | string | undefined>} Way a reason when it fails
 */

/** In the order in which they are tried: the one that is wanted, then what costs nothing first. @type {Readonly<Record<string, Way>>} */
export const ways = {
  PULUMI_STARROCKS_ENGINE: () => engineGiven(),
  "pulumi on PATH": () => engineOnPath(),
  "earlier download": downloadedBefore,
  "earlier build": builtBefore,
  "official download": downloadEngine,
  "build from Go modules": buildEngine,
};

/** Ways that take long enough to be shown as steps. */
const shown = new Set(["official download", "build from Go modules"]);

/**
 * @param {string} name
 * @param {Way} way
 */
const attempt = async (name, way) => {
  if (!shown.has(name)) {
    return way(() => undefined);
  }
  try {
    return await step(`Pulumi engine: ${name}`, async (progress) => {
      const result = await way(progress);
      if (typeof result === "string") {
        throw new SetupError(result);
      }
      return result;
    });
  } catch (error) {
    if (error instanceof SetupError) {
      return error.message;
    }
    throw error;
  }
};

/**
 * The engine's folder, to be put first on PATH. The first call on a machine may take minutes, later ones a second.
 *
 * @param {Readonly<Record<string, Way>>} [tried]
 * @returns {Promise<Engine>}
 */
export const ensureEngine = async (tried = ways) => {
  const failures = [];
  for (const [name, way] of Object.entries(tried)) {
    const result = await attempt(name, way);
    if (typeof result === "object") {
      return result;
    }
    if (result !== undefined) {
      failures.push(`  - ${name}: ${result}`);
    }
  }
  throw new SetupError(
    [
      "No Pulumi engine could be had:",
      ...failures,
      `Install the Pulumi CLI (3.x, ${oldestRelease} or later) with its Node.js language host and put it on PATH,`,
      "or install Go 1.25.11 or later so that it can be built here, and run the command again.",
    ].join("\n"),
  );
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runTool(async () => {
    const { binFolder, version, source } = await ensureEngine();
    console.log(`Pulumi ${version} (${source}): ${binFolder}`);
  });
}
