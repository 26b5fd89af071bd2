import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StartFailure } from "../settings/conf.js";

const tries = 3;

const isFrontendProcess = (pid: number): boolean => {
  try {
    return pid !== process.pid && fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("StarRocksFE");
  } catch {
    return false;
  }
};

/** The process of a lock or pid file, if it is one of ours and alive. */
export const holderOf = (file: string): number | undefined => {
  if (!fs.existsSync(file)) {
    return undefined;
  }
  const pid = Number.parseInt(fs.readFileSync(file, "utf8"), 10);
  return isFrontendProcess(pid) ? pid : undefined;
};

/**
 * Writes `fe.pid` (digits, no newline), and removes it when the process exits by itself: not on SIGKILL. A missing folder looks
 * like a held lock, as it does with a real one.
 */
export const lockPidFile = async (directory: string, retryMs: number): Promise<void> => {
  const file = path.join(directory, "fe.pid");
  for (let attempt = 1; ; attempt++) {
    if (fs.existsSync(directory) && holderOf(file) === undefined) {
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
