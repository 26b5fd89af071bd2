// npm run test:matrix: the suites on other releases of Node and of @pulumi/pulumi, each in a copy of the repository.
// npm run test:matrix -- SUITE… runs only these.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { ensureEngine } from "./engine.mjs";
import { matrixTests } from "./lib/matrix-tests.mjs";
import { assertNodeVersion } from "./lib/node-version.mjs";
import { cacheFolder, root } from "./lib/root.mjs";
import { head, run, tail } from "./lib/run.mjs";
import { runTool, SetupError, step } from "./lib/steps.mjs";

/**
 * @typedef {object} Environment
 * @property {string} node a release line, or "this" for the one that runs the matrix
 * @property {string} pulumi a version of @pulumi/pulumi, or "locked" for the lockfile's
 */

/** @type {readonly Environment[]} */
const environments = [
  { node: "22", pulumi: "locked" },
  { node: "24", pulumi: "locked" },
  // The first whose `read` returns inputs, which refresh needs.
  { node: "this", pulumi: "3.216.0" },
  // Its engines field asks for Node 22.
  { node: "24", pulumi: "latest" },
];

const extraArgs = {
  unit: [],
  contract: [],
  e2e: ["--grep", process.env.MATRIX_E2E ?? matrixTests.map(({ title }) => title).join("|")],
};

const wanted = process.argv.slice(2);
const suites = Object.entries(extraArgs).filter(([suite]) => wanted.length === 0 || wanted.includes(suite));

const installLimit = 600_000;
const suiteLimit = 1_800_000;

/** The npm package `node` brings the executable of a release; it is kept between runs. */
const nodeFolder = async (/** @type {string} */ line) => {
  if (line === "this") {
    return dirname(process.execPath);
  }
  const folder = join(cacheFolder(), "node", line);
  const executable = join(folder, "node_modules/node/bin/node");
  if (!existsSync(executable)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), "{}");
    await npm(["install", `node@${line}`], folder, {});
  }
  return dirname(executable);
};

const npm = async (
  /** @type {readonly string[]} */ args,
  /** @type {string} */ cwd,
  /** @type {NodeJS.ProcessEnv} */ env,
) => {
  const { code, output } = await run(["npm", ...args, "--no-audit", "--no-fund"], { cwd, env, limit: installLimit });
  if (code !== 0) {
    throw new SetupError(`npm ${args.join(" ")} failed:\n${head(output)}`);
  }
};

/** What git has or would take: sources, and nothing that an earlier run left. */
const copyRepository = async (/** @type {string} */ target) => {
  const { stdout } = await run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
  for (const path of stdout.split("\0").filter((name) => name !== "" && existsSync(join(root, name)))) {
    cpSync(join(root, path), join(target, path));
  }
};

/**
 * @param {Environment} environment
 * @param {string} folder an empty one
 * @param {(detail: string) => void} progress
 * @returns {Promise<readonly string[]>} a row of the table
 */
const testIn = async ({ node, pulumi }, folder, progress) => {
  const env = { PATH: `${await nodeFolder(node)}${delimiter}${process.env.PATH}` };
  await copyRepository(folder);
  if (pulumi !== "locked") {
    await npm(["install", "--save-dev", "--save-exact", `@pulumi/pulumi@${pulumi}`], folder, env);
  }
  const results = [];
  for (const [suite, args] of suites) {
    progress(suite);
    const command = /** @type {const} */ (["node", join(folder, "tools/test.mjs"), suite, ...args]);
    const { code, output } = await run([...command], { cwd: folder, env, limit: suiteLimit });
    if (code !== 0) {
      console.log(tail(output, 60));
    }
    results.push(tail(output, 1));
  }
  const { stdout } = await run(["node", "--version"], { env });
  const installed = readFileSync(join(folder, "node_modules/@pulumi/pulumi/package.json"), "utf8");
  return [stdout.trim(), JSON.parse(installed).version, ...results];
};

const print = (/** @type {readonly (readonly string[])[]} */ rows) => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
};

await runTool(async () => {
  assertNodeVersion();
  await ensureEngine();
  const rows = [["Node", "@pulumi/pulumi", ...suites.map(([suite]) => suite)]];
  for (const environment of environments) {
    const folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-matrix-"));
    const remove = () => rmSync(folder, { recursive: true, force: true });
    process.on("exit", remove);
    try {
      const name = `Node ${environment.node}, @pulumi/pulumi ${environment.pulumi}`;
      rows.push([...(await step(name, (progress) => testIn(environment, folder, progress)))]);
    } finally {
      remove();
      process.off("exit", remove);
    }
  }
  console.log("");
  print(rows);
  return rows.slice(1).every((row) => row.slice(2).every((counts) => /^[1-9]\d* passed, 0 failed/.test(counts)))
    ? 0
    : 1;
});
