// node tools/storm.mjs [plans] [--seed X] [--from X] [--engine] [--every-step] [--lanes N] [--minutes M] [--verbose]; docs/storm.md

import { ensureFleetPackages } from "./lib/fleet-packages.mjs";
import { runProgram } from "./lib/program.mjs";
import { runTool } from "./lib/steps.mjs";
import { setUp } from "./setup.mjs";

await runTool(async () => {
  const engine = await setUp();
  await ensureFleetPackages();
  return runProgram("test/e2e/storm/main.js", process.argv.slice(2), engine);
});
