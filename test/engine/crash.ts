import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../provider/wait.js";
import { kill } from "./processes.js";

/**
 * Kills an engine in the middle of whatever it does, but not in the middle of writing a stack's file: Pulumi's file backend
 * writes its `.attrs` in place, and a stack whose file was cut is lost (`failed to load checkpoint: EOF`), whoever's
 * resources it holds. So the engine is suspended first, and goes on for a moment when that is what it was doing.
 */
export const crash = (pid: number, backend: string): Promise<void> =>
  until(
    async () => {
      await suspend(pid);
      if (filesAreWhole(join(backend, ".pulumi", "stacks"))) {
        kill(pid, "SIGKILL");
        return { done: true, value: undefined };
      }
      kill(pid, "SIGCONT");
      return { done: false, seen: "it writes the stack" };
    },
    { what: "the engine to have written the stack", limit: 10_000, every: 2 },
  );

const suspend = (pid: number): Promise<void> => {
  kill(pid, "SIGSTOP");
  return until(
    async () => {
      const state = stateOf(pid);
      return state === undefined || "TZ".includes(state)
        ? { done: true, value: undefined }
        : { done: false, seen: state };
    },
    { what: "the engine to be suspended", limit: 10_000, every: 1 },
  );
};

/** The letter that Linux gives to what a process does; undefined when it is gone, and where there is no /proc. */
const stateOf = (pid: number): string | undefined => {
  try {
    return /\) (\S) /.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
};

const filesAreWhole = (folder: string): boolean =>
  !existsSync(folder) ||
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.json(\.attrs)?$/.test(entry.name))
    .every((entry) => isJson(readFileSync(join(entry.parentPath, entry.name), "utf8")));

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
