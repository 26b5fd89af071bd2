import { readdirSync, readFileSync } from "node:fs";

/** Every process that an engine starts inherits this variable: a killed engine's provider is still found by it. */
export const markerName = "PULUMI_STARROCKS_TEST_STACK";

export interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
}

/** The living processes of a stack's engine. Linux only; elsewhere none are found. */
export const markedProcesses = (marker: string): readonly MarkedProcess[] =>
  process.platform === "linux"
    ? readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
        .filter((pid) => read(pid, "environ").includes(`${markerName}=${marker}`))
        .map((pid) => ({ pid: Number(pid), command: read(pid, "cmdline").join(" ") }))
    : [];

/** The entries of a file of /proc; none when the process has just ended (a zombie's are empty). */
const read = (pid: string, file: "environ" | "cmdline"): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0");
  } catch {
    return [];
  }
};

/** Kills them all until they are gone, without leaving this thread: it also runs while this process exits. */
export const killMarked = (marker: string): void => {
  const giveUp = Date.now() + 10_000;
  for (let found = markedProcesses(marker); found.length > 0; found = markedProcesses(marker)) {
    if (Date.now() > giveUp) {
      throw new Error(`Cannot kill ${found.map(({ pid, command }) => `${pid} ${command}`).join("; ")}`);
    }
    for (const { pid } of found) {
      kill(pid, "SIGKILL");
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
};

/** Sends a signal; a process that has already ended is fine. */
export const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
};
