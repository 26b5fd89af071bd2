import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./root.mjs";
import { run } from "./run.mjs";

const compilerLimit = 300_000;

/** Compiles sdk/, provider/ and test/ into dist/, only what changed. Output is written even when types are wrong. */
export const compile = async () => {
  removeOutputWithoutSource(join(root, "dist"));
  return run([process.execPath, join(root, "node_modules/typescript/bin/tsc"), "--pretty", "false"], {
    limit: compilerLimit,
  });
};

/** tsc leaves the output of a removed file where it is, and the test runner would still run it. */
const removeOutputWithoutSource = (/** @type {string} */ dist) => {
  if (!existsSync(dist)) {
    return;
  }
  for (const file of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const output = join(file.parentPath ?? file.path, file.name);
    const source = join(root, relative(dist, output)).replace(/([.]d)?[.](js|ts)([.]map)?$/, ".ts");
    if (file.isFile() && source.endsWith(".ts") && !existsSync(source)) {
      rmSync(output);
    }
  }
};
