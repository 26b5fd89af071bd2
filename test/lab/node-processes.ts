import { readdirSync, readFileSync } from "node:fs";
import { startTime } from "../fleet/processes.js";
import type { Fleet } from "../fleet/types.js";

/** The process of a node, as this machine sees it. */
export interface NodeProcess {
  readonly host: string;
  readonly pid: number;
  /** Tells a process from another one that was given its pid. */
  readonly started: string;
}

/** A node's command, its arguments parted by blanks: those who look for nodes have the same words in their arguments. */
export const nodeCommand =
  /^\S*\/java (.* )?com\.starrocks\.StarRocksFE( |$)|^(\S*\/node )?\S*\/lib\/starrocks_be( |$)/s;

/** Milliseconds after which a process that is no node has become none: a start script makes one of its children a node at once. */
const settledAfter = 3000;

const readOr = (read: () => string): string => {
  try {
    return read();
  } catch {
    // It has ended since it was listed.
    return "";
  }
};

/**
 * Finds the FE and BE processes of a fleet's hosts without a host's help, in a few milliseconds: often enough to see a
 * node that was down for a moment only. Linux only.
 */
export class NodeProcesses {
  /** Processes that were seen to be no node, and since when: of hundreds, few need to be looked at again. */
  #others: ReadonlyMap<number, number> = new Map();
  readonly #fleet: Pick<Fleet, "hosts">;

  constructor(fleet: Pick<Fleet, "hosts">) {
    this.#fleet = fleet;
  }

  look(): readonly NodeProcess[] {
    const now = Date.now();
    const others = new Map<number, number>();
    const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
    const nodes = pids.flatMap((pid) => {
      const since = this.#others.get(pid) ?? now;
      const isSettled = now - since > settledAfter;
      const command = isSettled ? "" : readOr(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      const isNode = nodeCommand.test(command.replaceAll("\0", " "));
      const host = isNode ? this.#fleet.hosts.find((one) => one.runs(pid))?.name : undefined;
      if (host === undefined) {
        others.set(pid, since);
        return [];
      }
      return [{ host, pid, started: startTime(pid) ?? "" }];
    });
    this.#others = others;
    return nodes;
  }

  /** Pid and start of each host's node, to be compared: what is the same was not restarted. */
  byHost(): Readonly<Record<string, string>> {
    const sorted = [...this.look()].sort((a, b) => a.host.localeCompare(b.host) || a.pid - b.pid);
    return Object.fromEntries(sorted.map(({ host, pid, started }) => [host, `${pid}@${started}`]));
  }
}

/** Hosts whose node is another process than before, or gone, or new. */
export const restarted = (
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((host) => before[host] !== after[host]).sort();
