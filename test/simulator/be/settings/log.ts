import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

export interface Log {
  readonly info: (where: string, text: string) => void;
  readonly warning: (where: string, text: string) => void;
  /** Also on stderr, which the start script sends to be.out. */
  readonly error: (where: string, text: string) => void;
  /** As `error`, then the process aborts. */
  readonly fatal: (where: string, text: string) => never;
}

/** Ends the process as glog's FATAL does: 128 + SIGABRT. */
const ABORTED = 134;

const stamp = (): { readonly day: string; readonly time: string } => {
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString();
  return { day: local.slice(0, 10).replaceAll("-", ""), time: `${local.slice(11, 23)}000` };
};

/** glog's files: `be.INFO` is a link to `be.INFO.log.<start>`; the lower levels contain the higher ones. */
export const openLog = (directory: string, name: "be" | "cn"): Log => {
  mkdirSync(directory, { recursive: true });
  const { day, time } = stamp();
  const started = `${day}-${time.slice(0, 8).replaceAll(":", "")}`;
  const opened = new Set<string>();
  const write = (level: string, line: string): void => {
    const file = `${name}.${level}.log.${started}`;
    if (!opened.has(level)) {
      rmSync(join(directory, `${name}.${level}`), { force: true });
      symlinkSync(file, join(directory, `${name}.${level}`));
      opened.add(level);
    }
    appendFileSync(join(directory, file), line);
  };
  const levels = ["INFO", "WARNING", "ERROR", "FATAL"] as const;
  const log = (level: 0 | 1 | 2 | 3, where: string, text: string): void => {
    const at = stamp();
    const line = `${levels[level][0]}${at.day} ${at.time} ${process.pid} ${where}] ${text}\n`;
    for (const below of levels.slice(0, level + 1)) {
      write(below, line);
    }
    if (level >= 2) {
      writeSync(2, line);
    }
  };
  return {
    info: (where, text) => log(0, where, text),
    warning: (where, text) => log(1, where, text),
    error: (where, text) => log(2, where, text),
    fatal: (where, text) => {
      log(3, where, text);
      writeSync(2, "*** Check failure stack trace: ***\n");
      process.exit(ABORTED);
    },
  };
};
