// npm test: sets up, checks the sources, runs every suite, and goes on after a failure so that one run shows all.
// node tools/test.mjs SUITE [mocha arguments] runs one suite only.
// STORM_PLANS=N: plans of the storm that comes last, default 4. TEST_MINUTES=M: it begins none later than M minutes from the start.
// STORM_LEAST=N: how many of them must have been played, default 1. KILL_EACH=N: the operator is killed at each Nth step, default 8;
// KILL_FIRST=K: from the Kth on, default 1.

import { ensureEngine } from "./engine.mjs";
import { checks } from "./lib/checks.mjs";
import { compile } from "./lib/compile.mjs";
import { ensureDependencies } from "./lib/dependencies.mjs";
import { ensureFleetPackages } from "./lib/fleet-packages.mjs";
import { assertNodeVersion } from "./lib/node-version.mjs";
import { runTool, SetupError, secondsSince, shown } from "./lib/steps.mjs";
import { runKills, runStorm } from "./lib/storm.mjs";
import { runSuite, suites } from "./lib/suites.mjs";

/**
 * @typedef {import("./lib/suites.mjs").Counts} Counts
 * @typedef {Required<Counts> & { name: string, time: string }} Row
 */

/** @type {Row[]} */
const rows = [];

/**
 * Runs one part, shows its output when it failed or is worth reading, and notes its counts.
 *
 * @param {string} name
 * @param {() => Promise<Counts & { output: string }>} work
 */
const part = async (name, work) => {
  const started = performance.now();
  const { passed, failed, skipped, failures, output } = await work();
  const time = secondsSince(started);
  console.log(`${failed > 0 ? "✗" : "✓"} ${name}  ${time}${output.trim() && `\n${output.trimEnd()}`}`);
  rows.push({ name, time, passed, failed, skipped, failures: failures ?? [] });
};

const check = (/** @type {string} */ name) =>
  part(name, async () => {
    const { code, output } = (await shown(name, async () => checks[name]?.())) ?? {
      code: 1,
      output: "There is no such check.",
    };
    return code === 0 ? { passed: 1, failed: 0, skipped: 0, output: "" } : { passed: 0, failed: 1, skipped: 0, output };
  });

const suite = (/** @type {string} */ name, /** @type {readonly string[]} */ args) =>
  part(name, () =>
    shown(name, (progress) => {
      let passed = 0;
      const onLine = (/** @type {string} */ line) => {
        // As mocha's reporter writes a test that passed.
        passed += /^\s+✔ /.test(line) ? 1 : 0;
        progress(`${passed} tests passed`);
      };
      return runSuite(name, { args, onLine });
    }),
  );

const onLine = (/** @type {string} */ line) => console.log(line);

/**
 * A part that needs the engine, and is so long that its lines are shown as they come.
 *
 * @param {string} name
 * @param {ReturnType<typeof ensureEngine>} pending
 * @param {(env: NodeJS.ProcessEnv) => Promise<Counts & { output: string }>} work
 */
const longPart = async (name, pending, work) => {
  const engine = await pending.catch((error) => {
    if (error instanceof SetupError) {
      return error.message;
    }
    throw error;
  });
  if (typeof engine === "string") {
    await part(name, async () => ({ passed: 0, failed: 1, skipped: 0, output: engine }));
    return;
  }
  const env = { PULUMI_STARROCKS_ENGINE: engine.binFolder };
  await part(name, async () => ({ ...(await work(env)), output: "" }));
};

const longSuite = (
  /** @type {string} */ name,
  /** @type {readonly string[]} */ args,
  /** @type {ReturnType<typeof ensureEngine>} */ engine,
) => longPart(name, engine, (env) => runSuite(name, { args, env, onLine }));

/** Milliseconds after which the storm begins no further plan. */
const stormLimit = () => Math.max(Number(process.env.TEST_MINUTES ?? 60) * 60_000 - performance.now(), 0);

/** Failures of each part that are told whole at the end. */
const toldWhole = 3;

const summary = () => {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const sum = (/** @type {"passed" | "failed" | "skipped"} */ key) => rows.reduce((total, row) => total + row[key], 0);
  console.log("");
  // Once more at the end: of a long run only the end may be kept. The first ones whole, as others may come of them.
  for (const { name, failures } of rows) {
    for (const [index, failure] of failures.entries()) {
      const lines = failure.split("\n");
      console.log(`✗ ${name}: ${(index < toldWhole ? lines : lines.slice(0, 2)).join("\n")}\n`);
    }
  }
  for (const { name, time, passed, failed, skipped } of rows) {
    const counts = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
    console.log(`  ${name.padEnd(width)}  ${time.padStart(8)}  ${counts}`);
  }
  const skipped = sum("skipped");
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return sum("failed") > 0 ? 1 : 0;
};

const testAll = async () => {
  // Minutes on a machine without an engine; everything that needs none goes on meanwhile.
  const engine = ensureEngine();
  engine.catch(() => undefined);
  await Promise.all([ensureDependencies(), ensureFleetPackages()]);
  for (const name of Object.keys(checks)) {
    await check(name);
  }
  for (const [name, { needsEngine }] of Object.entries(suites)) {
    await (needsEngine ? longSuite(name, [], engine) : suite(name, []));
  }
  const each = Number(process.env.KILL_EACH ?? 8);
  const first = Number(process.env.KILL_FIRST ?? 1);
  await longPart("kills", engine, (env) => runKills({ each, first, env, onLine }));
  const plans = Number(process.env.STORM_PLANS ?? 4);
  const least = Number(process.env.STORM_LEAST ?? Math.min(plans, 1));
  await longPart("storm", engine, (env) => runStorm({ plans, least, limit: stormLimit(), env, onLine }));
};

const testOne = async (/** @type {string} */ name, /** @type {readonly string[]} */ args) => {
  if (!(name in suites)) {
    throw new SetupError(`Expected one of the suites ${Object.keys(suites).join(", ")}, got "${name}".`);
  }
  await Promise.all([ensureDependencies(), ensureFleetPackages()]);
  const { code, output } = await compile();
  if (code !== 0) {
    // Types that are wrong elsewhere are no reason not to run a test.
    console.log(output);
  }
  await (suites[name]?.needsEngine ? longSuite(name, args, ensureEngine()) : suite(name, args));
};

const [name, ...args] = process.argv.slice(2);

await runTool(async () => {
  assertNodeVersion();
  await (name === undefined ? testAll() : testOne(name, args));
  return summary();
});
