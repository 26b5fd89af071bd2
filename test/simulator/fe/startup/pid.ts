import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StartFailure } from "../settings/conf.js";

const tries = 3;

const procFile = (pid: number, name: string): string | undefined => {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return undefined;
  }
};

/**
 * Moment of a process's start, in ticks since the boot; undefined of one that is gone, or has ended and was not reaped yet.
 * With the pid it names a process for good: a pid is used again, and a real lock is the kernel's and ends with its process.
 */
export const startOf = (pid: number): string | undefined => {
  const fields = procFile(pid, "stat")
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields?.[0] === "Z" ? undefined : fields?.[19];
};

/** The process that wrote its pid to a file in this folder, if it is another FE with this PID_DIR and alive. */
const writerOf = (file: string): number | undefined => {
  if (!fs.existsSync(file)) {
    return undefined;
  }
  const pid = Number.parseInt(fs.readFileSync(file, "utf8"), 10);
  const isFrontend = procFile(pid, "cmdline")?.includes("StarRocksFE");
  const writesHere = procFile(pid, "environ")
    ?.split("\0")
    .includes(`PID_DIR=${path.dirname(file)}`);
  return pid !== process.pid && isFrontend && writesHere ? pid : undefined;
};

/**
 * Writes `fe.pid` (digits, no newline), and removes it when the process exits by itself: not on SIGKILL. A missing folder looks
 * like a held lock, as it does with a real one.
 */
export const lockPidFile = async (directory: string, retryMs: number): Promise<void> => {
  const file = path.join(directory, "fe.pid");
  for (let attempt = 1; ; attempt++) {
    if (fs.existsSync(directory) && writerOf(file) === undefined) {
      break;
    }
    if (attempt === tries) {
      throw new StartFailure("pid file is already locked.", "StarRocksFE.createAndLockPidFile():341");
    }
    await sleep(retryMs);
  }
  fs.writeFileSync(file, String(process.pid));
  process.on("exit", () => fs.rmSync(file, { force: true }));
};
