// node tools/bench.mjs deploy | preview | upgrade | upload

import { runProgram } from "./lib/program.mjs";
import { runTool } from "./lib/steps.mjs";
import { setUp } from "./setup.mjs";

const [name, ...args] = process.argv.slice(2);

await runTool(async () => runProgram(`test/bench/${name}.js`, args, await setUp()));
