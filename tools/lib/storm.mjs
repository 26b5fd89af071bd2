import { join } from "node:path";
import { root } from "./root.mjs";
import { run } from "./run.mjs";

/**
 * What a storm says in its last line.
 *
 * @typedef {{ storm: number, plans: number, failedSeeds: readonly number[] }} Totals
 */

/** Milliseconds for what is under way when no further plan begins: an operation has 4 minutes, a plan several of them. */
const grace = 12 * 60_000;

/**
 * @param {string} stdout
 * @returns {Totals | undefined}
 */
const totalsOf = (stdout) => {
  try {
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  } catch {
    return undefined;
  }
};

/**
 * Plays the plans of the seeds from 1 on (docs/storm.md), each as one test; those that did not fit are counted as skipped.
 *
 * @param {{ plans: number, limit: number, env: NodeJS.ProcessEnv, onLine: (line: string) => void }} options limit:
 *   milliseconds after which no further plan begins
 * @returns {Promise<import("./suites.mjs").Counts & { output: string }>}
 */
export const runStorm = async ({ plans, limit, env, onLine }) => {
  const main = join(root, "dist/test/e2e/storm/main.js");
  const { code, stdout, output } = await run(
    [process.execPath, main, String(plans), "--from", "1", "--minutes", String(limit / 60_000)],
    { env, limit: limit + grace, onLine },
  );
  const totals = totalsOf(stdout);
  if (totals === undefined) {
    return { passed: 0, failed: 1, skipped: 0, failures: [`the storm ended with exit code ${code}`], output };
  }
  const failed = totals.failedSeeds.length;
  return {
    passed: totals.plans - failed,
    failed,
    skipped: totals.storm - totals.plans,
    failures: output.split("\n").filter((line) => line.startsWith("✗ seed ")),
    output,
  };
};
