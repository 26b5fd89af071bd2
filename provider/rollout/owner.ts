import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { Owner } from "../plan/lease.js";

/** This process, as others are told of it. `what` names the operation: the stack, the cluster. */
export const ownerHere = (what: string): Owner => {
  const place = placeHere();
  const started = startOf(process.pid);
  return {
    id: randomUUID(),
    host: hostname().slice(0, 100),
    user: userInfo().username.slice(0, 60),
    pid: process.pid,
    what: what.slice(0, 200),
    since: `${new Date().toISOString().slice(0, 19)}Z`,
    ...(place !== undefined && { place }),
    ...(started !== undefined && { started }),
  };
};

/** Whether an owner is a process of this machine that has ended. Where that cannot be told, it is not. */
export const isDeadHere = ({ pid, place, started }: Owner): boolean =>
  place !== undefined && started !== undefined && place === placeHere() && startOf(pid) !== started;

/** One boot of one machine and one process namespace: there a pid means the same process. Linux only. */
const placeHere = (): string | undefined => {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
};

/** Clock ticks from boot to the start of a living process. A zombie has ended. */
const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : fields[18];
  } catch {
    return undefined;
  }
};
