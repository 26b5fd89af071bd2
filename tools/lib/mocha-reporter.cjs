// Mocha's own "spec" reporter, which also leaves its counts, and what failed, in a file for tools/test.mjs.

const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/** A process that does not end by itself after its tests leaks what a provider process would leak. */
const grace = 10_000;

/** Lines of each error: an operation's whole output may be in it. */
const shownLines = 40;

module.exports = class extends reporters.Spec {
  /**
   * @param {import("mocha").Runner} runner
   * @param {import("mocha").MochaOptions} options
   */
  constructor(runner, options) {
    super(runner, options);
    /** @type {string[]} */
    const failures = [];
    runner.on("fail", (test, error) => {
      const lines = String(error?.message ?? error).split("\n");
      failures.push(
        [test.titlePath().join(": "), ...lines.slice(0, shownLines).map((line) => `    ${line}`)].join("\n"),
      );
    });
    runner.once("end", () => {
      const { passes, failures: failed, pending } = this.stats;
      writeFileSync(
        String(process.env.MOCHA_COUNTS),
        JSON.stringify({ passed: passes, failed, skipped: pending, failures }),
      );
      setTimeout(() => {
        console.error(`The tests ended but left open: ${process.getActiveResourcesInfo().join(", ")}`);
        process.exit(1);
      }, grace).unref();
    });
  }
};
