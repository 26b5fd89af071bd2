import { join } from "node:path";
import { root } from "./root.mjs";
import { run } from "./run.mjs";

/**
 * What a storm says in its last line.
 *
 * @typedef {object} Totals
 * @property {number} storm plans asked for
 * @property {number} plans plans played
 * @property {number} throughEngine of these
 * @property {readonly number[]} failedSeeds
 */

/** Milliseconds for what is under way when no further plan begins: an operation has 4 minutes, a plan rarely two of that length. */
const grace = 7 * 60_000;

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
 * Each plan is a test, those that did not fit are skipped; too few played are a failure: a storm without plans proves nothing.
 *
 * @param {Totals} totals
 * @param {number} least plans that must have been played, a tenth of them through the real engine
 * @returns {import("./suites.mjs").Counts & { failures: readonly string[] }}
 */
export const countsOf = ({ failedSeeds, plans, storm, throughEngine }, least) => {
  const leastByEngine = Math.floor(least / 10);
  const tooFew = [
    ...(plans < least ? [`${plans} of ${storm} plans were played, wanted were at least ${least}`] : []),
    ...(throughEngine < leastByEngine
      ? [`${throughEngine} plans were played through the real engine, wanted were at least ${leastByEngine}`]
      : []),
  ];
  return {
    passed: plans - failedSeeds.length,
    failed: failedSeeds.length + tooFew.length,
    skipped: storm - plans,
    failures: tooFew.map((problem) => `${problem}: allow more time (TEST_MINUTES), or fewer plans (STORM_LEAST)`),
  };
};

/** Lines of a plan's story that are told once more at the end. */
const shownLines = 40;

/**
 * What failed, each with its story: of a long run only the end may be kept.
 *
 * @param {string} output
 * @returns {readonly string[]}
 */
export const failedStories = (output) => {
  const lines = output.split("\n");
  return lines.flatMap((line, index) => {
    if (!/^✗ (?:seed|step) /.test(line)) {
      return [];
    }
    const rest = lines.slice(index + 1);
    const end = rest.findIndex((one) => !one.startsWith("    "));
    return [[line, ...rest.slice(0, end === -1 ? undefined : end).slice(-shownLines)].join("\n")];
  });
};

/**
 * @param {{ args: readonly string[], least: number, limit: number, env: NodeJS.ProcessEnv, onLine: (line: string) => void }} options
 * @returns {Promise<import("./suites.mjs").Counts & { output: string }>}
 */
const play = async ({ args, least, limit, env, onLine }) => {
  const main = join(root, "dist/test/e2e/storm/main.js");
  const { code, stdout, output } = await run([process.execPath, main, ...args], { env, limit, onLine });
  const totals = totalsOf(stdout);
  if (totals === undefined) {
    return { passed: 0, failed: 1, skipped: 0, failures: [`it ended with exit code ${code}`], output };
  }
  const { failures, ...counts } = countsOf(totals, least);
  if (code !== 0 && counts.failed === 0) {
    return { ...counts, failed: 1, failures: [`it ended with exit code ${code}`], output };
  }
  return { ...counts, failures: [...failedStories(output), ...failures], output };
};

/**
 * Plays the plans of the seeds from 1 on (docs/storm.md).
 *
 * @param {{ plans: number, least: number, limit: number, env: NodeJS.ProcessEnv, onLine: (line: string) => void }} options
 *   limit: milliseconds after which no further plan begins
 */
export const runStorm = ({ plans, limit, ...options }) =>
  play({
    ...options,
    args: [String(plans), "--from", "1", "--minutes", String(limit / 60_000)],
    limit: limit + grace,
  });

/** Milliseconds for all plans in which the operator is killed. */
const killsLimit = 40 * 60_000;

/**
 * Kills the operator of a change at each of its steps, or at each nth of them (docs/storm.md).
 *
 * @param {{ each: number, first: number, env: NodeJS.ProcessEnv, onLine: (line: string) => void }} options
 */
export const runKills = ({ each, first, ...options }) =>
  play({
    ...options,
    args: ["--every-step", "--each", String(each), "--first", String(first)],
    least: 1,
    limit: killsLimit,
  });
