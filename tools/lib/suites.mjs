import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { root } from "./root.mjs";
import { run } from "./run.mjs";

/**
 * @typedef {{ passed: number, failed: number, skipped: number, failures?: readonly string[] }} Counts failures: the
 *   title of each in one line, and what was seen in those after it
 *
 * @typedef {object} Suite
 * @property {readonly string[]} folders of the test files: compiled ones, and those of the tools, which are not compiled
 * @property {readonly string[]} args for mocha
 * @property {number} limit milliseconds
 * @property {boolean} needsEngine
 */

const minutes = 60_000;

/** @type {Record<string, Suite>} */
export const suites = {
  unit: {
    folders: ["dist/test/unit", "test/unit/tools"],
    args: ["--parallel", "--jobs", "2"],
    limit: 15 * minutes,
    needsEngine: false,
  },
  contract: {
    folders: ["dist/test/contract"],
    // Each test file starts provider processes, half a second each.
    args: ["--timeout", "30000"],
    limit: 10 * minutes,
    needsEngine: false,
  },
  e2e: {
    folders: ["dist/test/engine", "dist/test/stand-ins", "dist/test/e2e"],
    // A test deploys whole clusters; two files at a time, as they wait for processes more than they compute.
    args: ["--timeout", "300000", "--parallel", "--jobs", process.env.E2E_JOBS ?? "2"],
    limit: 60 * minutes,
    needsEngine: true,
  },
};

const testFiles = (/** @type {string} */ folder) =>
  !existsSync(join(root, folder))
    ? []
    : readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .map((file) => relative(root, join(file.parentPath ?? file.path, file.name)))
        .filter((path) => /[.]test[.]m?js$/.test(path))
        .sort();

/**
 * Runs a suite with mocha.
 *
 * @param {string} name
 * @param {{ args?: readonly string[], env?: NodeJS.ProcessEnv, onLine?: (line: string) => void }} options
 * @returns {Promise<Counts & { output: string }>} a suite that cannot be run or has no tests counts as one failure
 */
export const runSuite = async (name, { args = [], env = {}, onLine }) => {
  const suite = suites[name];
  const files = suite?.folders.flatMap(testFiles) ?? [];
  if (suite === undefined || files.length === 0) {
    const output = `There are no ${name} tests.`;
    onLine?.(output);
    return { passed: 0, failed: 1, skipped: 0, output };
  }
  const folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-"));
  const counts = join(folder, "counts.json");
  try {
    const mocha = join(root, "node_modules/mocha/bin/mocha.js");
    const reporter = join(root, "tools/lib/mocha-reporter.cjs");
    const { code, output } = await run(
      [process.execPath, mocha, "--no-color", "--reporter", reporter, ...suite.args, ...args, ...files],
      { env: { ...env, MOCHA_COUNTS: counts }, limit: suite.limit, ...(onLine && { onLine }) },
    );
    const counted = existsSync(counts)
      ? JSON.parse(readFileSync(counts, "utf8"))
      : { passed: 0, failed: 0, skipped: 0 };
    // A runner that fails beside its tests (it did not load, or did not end) is a failure that nothing else counts.
    return { ...counted, failed: counted.failed || (code === 0 ? 0 : 1), output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
