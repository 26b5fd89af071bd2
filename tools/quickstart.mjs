import { runProgram } from "./lib/program.mjs";
import { runTool } from "./lib/steps.mjs";
import { setUp } from "./setup.mjs";

await runTool(async () => runProgram("test/quickstart/main.js", process.argv.slice(2), await setUp()));
