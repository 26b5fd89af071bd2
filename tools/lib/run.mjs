import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";
import { createInterface } from "node:readline";
import { root } from "./root.mjs";

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] default: the repository
 * @property {NodeJS.ProcessEnv} [env] on top of this process's
 * @property {number} [limit] milliseconds until the process and its children are killed
 * @property {number} [niceness] of the process and its children: 10 lets others go first
 * @property {(line: string) => void} [onLine] called for each line of stdout and stderr
 *
 * @typedef {object} RunResult
 * @property {number} code 127 when the program is not there, 124 when the limit was reached
 * @property {string} stdout
 * @property {string} output stdout and stderr as they came
 */

/** Groups of processes that must not outlive this one, however it ends. @type {Set<number>} */
const groups = new Set();

const signalGroup = (/** @type {number} */ leader, /** @type {NodeJS.Signals} */ signal) => {
  try {
    process.kill(-leader, signal);
  } catch {
    // It has ended by itself.
  }
};

/** Milliseconds for a program to end what it has begun elsewhere, as this one does: a tool may run another tool, a test has hosts. */
const grace = 5000;

/** Whether nothing of a process runs any more. Nobody waits for it here, so it stays as a zombie; only Linux shows that. */
const hasEnded = (/** @type {number} */ pid) => {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return process.platform === "linux";
  }
};

/** Without leaving this thread, which is about to end. */
const killGroups = () => {
  for (const leader of groups) {
    signalGroup(leader, "SIGTERM");
  }
  const ends = Date.now() + grace;
  while (![...groups].every(hasEnded) && Date.now() < ends) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  for (const leader of groups) {
    signalGroup(leader, "SIGKILL");
  }
};
const leave = (/** @type {NodeJS.Signals} */ signal) => process.exit(128 + constants.signals[signal]);
const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

const watch = (/** @type {number} */ leader) => {
  if (groups.size === 0) {
    process.on("exit", killGroups);
    for (const signal of signals) {
      process.on(signal, leave);
    }
  }
  groups.add(leader);
};

const unwatch = (/** @type {number} */ leader) => {
  groups.delete(leader);
  if (groups.size === 0) {
    process.off("exit", killGroups);
    for (const signal of signals) {
      process.off(signal, leave);
    }
  }
};

/**
 * Runs a program to its end, with no stdin. Never throws for its exit code.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {RunOptions} [options]
 * @returns {Promise<RunResult>}
 */
export const run = async ([program, ...args], { cwd = root, env = {}, limit, niceness = 0, onLine } = {}) => {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that a limit or an interrupt ends its children too.
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) {
    const [error] = await once(child, "error");
    return { code: 127, stdout: "", output: error.message };
  }
  watch(pid);
  // A child has its parent's. Only root may go below that.
  if (niceness > getPriority()) {
    setPriority(pid, niceness);
  }
  let stdout = "";
  let output = "";
  const read = (/** @type {import("node:stream").Readable} */ stream, /** @type {boolean} */ isStdout) => {
    stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      output += text;
      stdout += isStdout ? text : "";
    });
    if (onLine) {
      createInterface({ input: stream }).on("line", onLine);
    }
  };
  read(child.stdout, true);
  read(child.stderr, false);
  let late = false;
  /** @type {NodeJS.Timeout | undefined} */
  let certain;
  const timer =
    limit &&
    setTimeout(() => {
      late = true;
      signalGroup(pid, "SIGTERM");
      certain = setTimeout(() => signalGroup(pid, "SIGKILL"), grace);
    }, limit);
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  clearTimeout(certain);
  unwatch(pid);
  if (late) {
    return { code: 124, stdout, output: `${output}\nstopped after ${Number(limit) / 1000} s` };
  }
  return { code: code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)], stdout, output };
};

/** The last lines of a program's output, for an error message. */
export const tail = (/** @type {string} */ output, lines = 12) => output.trimEnd().split("\n").slice(-lines).join("\n");

/** The first lines, where npm says what is wrong. */
export const head = (/** @type {string} */ output, lines = 12) => output.trim().split("\n").slice(0, lines).join("\n");
