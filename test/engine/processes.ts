import { readdirSync, readFileSync } from "node:fs";
import { until } from "../../provider/wait.js";

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

/** Kills them all and waits until they are gone, so that nothing of one test touches the next. */
export const killMarked = async (marker: string): Promise<void> => {
  await until(
    async () => {
      const alive = markedProcesses(marker);
      for (const { pid } of alive) {
        kill(pid, "SIGKILL");
      }
      return alive.length === 0
        ? { done: true, value: undefined }
        : { done: false, seen: alive.map(({ pid, command }) => `${pid} ${command}`).join("; ") };
    },
    { what: "the processes of a test's engine to end", limit: 10_000, every: 20 },
  );
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
