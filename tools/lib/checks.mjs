import { join } from "node:path";
import { compile } from "./compile.mjs";
import { root } from "./root.mjs";
import { run } from "./run.mjs";

const bin = (/** @type {string} */ path) => join(root, "node_modules", path);
const node = process.execPath;

/**
 * What must hold for the sources besides their tests. The compiler comes first: it writes what the tests run.
 *
 * @type {Record<string, () => Promise<import("./run.mjs").RunResult>>}
 */
export const checks = {
  types: async () => {
    const compiled = await compile();
    return compiled.code === 0 ? run([node, bin("typescript/bin/tsc"), "--project", "tools"]) : compiled;
  },
  format: () => run([node, bin("@biomejs/biome/bin/biome"), "format", "--colors=off", "."]),
  lint: () => run([node, bin("@biomejs/biome/bin/biome"), "lint", "--colors=off", "--error-on-warnings", "."]),
  dependencies: () =>
    run([
      node,
      bin("dependency-cruiser/bin/dependency-cruise.mjs"),
      "--config",
      ".dependency-cruiser.cjs",
      ...["sdk", "provider", "test", "tools"],
    ]),
};
