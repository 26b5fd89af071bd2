// Everything that a fresh clone lacks; the tools take from here what they need. As a program: all of it.

import { pathToFileURL } from "node:url";
import { ensureEngine } from "./engine.mjs";
import { compile } from "./lib/compile.mjs";
import { ensureDependencies } from "./lib/dependencies.mjs";
import { ensureFleetPackages } from "./lib/fleet-packages.mjs";
import { assertNodeVersion } from "./lib/node-version.mjs";
import { runTool, SetupError, step } from "./lib/steps.mjs";

/** Packages, compiled code and an engine: what a program that is to be run needs. */
export const setUp = async () => {
  assertNodeVersion();
  // Minutes on a machine without an engine, so the rest is done meanwhile.
  const engine = ensureEngine();
  const code = ensureDependencies().then(compiled);
  const [result] = await Promise.all([engine, code]);
  return result;
};

const compiled = () =>
  step("compile", async () => {
    const { code, output } = await compile();
    if (code !== 0) {
      throw new SetupError(`The sources do not compile:\n${output}`);
    }
  });

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runTool(async () => {
    const engine = await setUp();
    await ensureFleetPackages();
    console.log(`Ready. Pulumi ${engine.version} (${engine.source}): ${engine.binFolder}`);
  });
}
