import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { join } from "node:path";
import { root } from "./root.mjs";

/**
 * Runs a compiled program of ours in this terminal, and tells it where the engine is.
 *
 * @param {string} path below dist/
 * @param {readonly string[]} args
 * @param {import("../engine.mjs").Engine} engine
 * @returns {Promise<number>} its exit code
 */
export const runProgram = async (path, args, engine) => {
  const child = spawn(process.execPath, ["--enable-source-maps", join(root, "dist", path), ...args], {
    cwd: root,
    env: { ...process.env, PULUMI_STARROCKS_ENGINE: engine.binFolder },
    stdio: "inherit",
  });
  // The terminal sends Ctrl-C to both; the program cleans up and then ends, and only then does this one.
  const wait = () => undefined;
  process.on("SIGINT", wait);
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP"])) {
    process.on(signal, () => child.kill(signal));
  }
  const [code, signal] = await once(child, "exit");
  return code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
};
