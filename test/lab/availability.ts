import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet } from "../fleet/types.js";
import { Session } from "../simulator/client/session.js";
import { NodeProcesses } from "./node-processes.js";

/** What was seen of a cluster's nodes while something was done to it. */
export interface Availability {
  /** Hosts in the order in which their processes ended. */
  readonly stopped: readonly string[];
  /** Milliseconds between the first and the last look that found a host without its process, where it came back: at least. */
  readonly away: Readonly<Record<string, number>>;
  /** The most nodes without a process at one moment. */
  readonly mostWithoutProcess: number;
  /** The most nodes that SHOW FRONTENDS and SHOW BACKENDS had as not Alive in one reading. */
  readonly mostNotAlive: number;
  readonly samples: number;
  readonly readings: number;
}

/** Milliseconds between two looks at the processes: a simulated node is down for several hundred. */
const lookEvery = 50;
/** Milliseconds between two readings of SHOW FRONTENDS and SHOW BACKENDS. */
const readEvery = 100;

/** Watches all nodes of a fleet, by their processes and by SQL, until the function that it gives is called. */
export const watchAvailability = async (
  { fleet }: { readonly fleet: Fleet },
  login: Login,
): Promise<() => Promise<Availability>> => {
  const processes = new NodeProcesses(fleet);
  const watched = processes.look().map(({ host }) => host);
  const session = new Session(login);
  const stopped: string[] = [];
  const away: Record<string, number> = {};
  const since = new Map<string, number>();
  const seen = { mostWithoutProcess: 0, mostNotAlive: 0, samples: 0, readings: 0 };
  let before = new Set(watched);
  let ended = false;

  const look = (): void => {
    const running = new Set(processes.look().map(({ host }) => host));
    stopped.push(...[...before].filter((host) => !running.has(host)));
    before = running;
    const now = performance.now();
    for (const host of watched) {
      if (running.has(host)) {
        since.delete(host);
      } else {
        since.set(host, since.get(host) ?? now);
        away[host] = Math.max(away[host] ?? 0, now - (since.get(host) ?? now));
      }
    }
    seen.samples += 1;
    seen.mostWithoutProcess = Math.max(seen.mostWithoutProcess, watched.filter((host) => !running.has(host)).length);
  };

  const read = async (): Promise<void> => {
    const rows = [...(await session.query("SHOW FRONTENDS")), ...(await session.query("SHOW BACKENDS"))];
    seen.readings += 1;
    seen.mostNotAlive = Math.max(seen.mostNotAlive, rows.filter(({ Alive }) => Alive !== "true").length);
  };

  const repeat = async (action: () => unknown, pause: number): Promise<void> => {
    while (!ended) {
      await action();
      await sleep(pause);
    }
  };
  // The FE that is asked is stopped, too, and a group without a leader answers nobody: the next reading asks another one.
  const loops = [repeat(look, lookEvery), repeat(() => read().catch(() => undefined), readEvery)];

  return async () => {
    ended = true;
    await Promise.all(loops);
    session.close();
    return { stopped, away, ...seen };
  };
};

type Login = ConstructorParameters<typeof Session>[0];
