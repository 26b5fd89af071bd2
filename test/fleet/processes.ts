import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { type Look, until } from "../../provider/wait.js";

/** A process as this machine sees it. */
export interface MachineProcess {
  readonly pid: number;
  readonly uid: number;
  readonly command: string;
}

const tagName = "STARROCKS_FLEET_HOST";

/** The environment variable by which processes of a `loopback` host are found again, daemons included. */
export const tagVariable = (tag: string): Record<string, string> => ({ [tagName]: tag });

/** All processes of this machine of which `which(pid)` says yes. A process that ends meanwhile is left out. */
export const machineProcesses = (which: (pid: number) => boolean): MachineProcess[] =>
  readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    try {
      if (!Number.isInteger(pid) || !which(pid)) {
        return [];
      }
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trimEnd();
      // Nothing there: a zombie, or a thread of the kernel.
      return command === "" ? [] : [{ pid, uid: statSync(`/proc/${pid}`).uid, command }];
    } catch {
      return [];
    }
  });

/** Whether this process has a tag that starts with `tag`; not for macOS, which shows no environment of a single one. */
export const hasTag = (pid: number, tag: string): boolean => {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`.includes(`\0${tagName}=${tag}`);
  } catch {
    return false;
  }
};

/** Processes whose environment has a tag that starts with `tag`. Those of other users are not seen, unless by root. */
export const taggedProcesses = (tag: string): MachineProcess[] => {
  const entry = `${tagName}=${tag}`;
  if (process.platform === "linux") {
    return machineProcesses((pid) => hasTag(pid, tag));
  }
  // macOS has no /proc; its ps shows the environment of one's own processes behind their arguments.
  const list = execFileSync("ps", ["-axwwE", "-o", "pid=,uid=,command="], { encoding: "utf8", maxBuffer: 64 << 20 });
  return list.split("\n").flatMap((line) => {
    const [, pid, uid, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command?.includes(` ${entry}`) ? [{ pid: Number(pid), uid: Number(uid), command }] : [];
  });
};

/** Kills the tagged processes until there are none (one may have forked while the list was made), without leaving this thread. */
export const killTagged = (tag: string): void => {
  const giveUp = Date.now() + 5000;
  for (let found = taggedProcesses(tag); found.length > 0 && Date.now() < giveUp; found = taggedProcesses(tag)) {
    for (const { pid } of found) {
      signal(pid, "SIGKILL");
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
};

/** Signals those of `list()` that match; gives how many. Returns after those that SIGKILL ends are gone. */
export const killMatching = async (
  list: () => readonly MachineProcess[],
  matches: (found: MachineProcess) => boolean,
  name: NodeJS.Signals,
): Promise<number> => {
  const killed = list().filter((found) => matches(found) && signal(found.pid, name));
  if (name === "SIGKILL") {
    const pids = new Set(killed.map(({ pid }) => pid));
    await until(async () => gone(list().filter(({ pid }) => pids.has(pid))), {
      ...{ what: "killed processes to end", limit: 5000, every: 5 },
    });
  }
  return killed.length;
};

const gone = (left: readonly MachineProcess[]): Look<true> =>
  left.length === 0
    ? { done: true, value: true }
    : { done: false, seen: left.map(({ command }) => command).join(", ") };

export const commandMatches = (command: string, which: string | RegExp): boolean =>
  typeof which === "string" ? command.includes(which) : which.test(command);

/** False when there is no such process any more. */
export const signal = (pid: number, name: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
};

/** When the process started, as a text to compare: with it, a pid that was given to another process is told apart. */
export const startTime = (pid: number): string | undefined => {
  try {
    if (process.platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // Field 22; the second one, a name in parentheses, may hold spaces.
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    }
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
};

export const linkOf = (pid: number, namespace: string): string => readlinkSync(`/proc/${pid}/ns/${namespace}`);
