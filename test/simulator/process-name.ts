import { writeFileSync } from "node:fs";

/** The kernel's name of this process, which scripts look at. From 24 on Node gives its own: `MainThread`. */
export const nameProcess = (name: "java" | "starrocks_be"): void => {
  try {
    writeFileSync("/proc/self/comm", name);
  } catch {
    // Not Linux, or no /proc: then nobody can look either.
  }
};
