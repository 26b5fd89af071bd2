import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.mjs";
import { SetupError } from "./steps.mjs";

/** Whether `version` is at least `floor`; both as `20.19.0`, parts that are not given count as 0. */
export const isAtLeast = (/** @type {string} */ version, /** @type {string} */ floor) => {
  const [actual, wanted] = [version, floor].map((text) =>
    text
      .replace(/^[^\d]*/, "")
      .split(/[.+-]/)
      .map(Number),
  );
  for (const index of [0, 1, 2]) {
    const difference = (actual?.[index] ?? 0) - (wanted?.[index] ?? 0);
    if (difference !== 0) {
      return difference > 0;
    }
  }
  return true;
};

/** Asserts the `engines.node` of package.json, the one place that says the oldest Node. */
export const assertNodeVersion = () => {
  const floor = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).engines.node;
  if (!isAtLeast(process.versions.node, floor)) {
    throw new SetupError(
      `Expected Node ${floor}, got ${process.versions.node} (${process.execPath}).\n` +
        "Install a supported release of Node.js (20.19 or later; 22 and 24 are tested too) and run the command again.",
    );
  }
};
