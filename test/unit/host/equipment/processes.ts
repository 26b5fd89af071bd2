import { readdirSync, readFileSync } from "node:fs";

/** Environment variable by which everything that a server started is found again, wherever it went. */
export const markVariable = "STARROCKS_TEST_SERVER";

const read = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // The process has gone, or is another user's.
    return "";
  }
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has gone already.
  }
};

/** Ends what carries the mark, until nothing does: a process may start another while we look. */
export const killMarked = (mark: string): void => {
  const wanted = `${markVariable}=${mark}\0`;
  for (let found = true; found; ) {
    const pids = readdirSync("/proc").filter(
      (name) => /^\d+$/.test(name) && read(`/proc/${name}/environ`).includes(wanted),
    );
    found = pids.length > 0;
    for (const pid of pids) {
      signal(Number(pid), "SIGKILL");
    }
  }
};

/** All processes under one, as sshd puts each session into a process group of its own. */
export const descendants = (pid: number): number[] => {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [...descendants(child), child]);
};

export const signalTree = (pid: number | undefined, name: NodeJS.Signals): void => {
  for (const each of pid === undefined ? [] : [...descendants(pid), pid]) {
    signal(each, name);
  }
};
