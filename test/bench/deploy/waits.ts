import type { JournalItem } from "../../lab/journal.js";
import type { Lab } from "../../lab/lab.js";
import type { AliveSince } from "../alive.js";

/** What nobody can shorten, in seconds. */
export interface Waits {
  /** Processes that come up one after the other: BEs at once, each follower, the leader. */
  readonly processes: number;
  /** From the leader's start script to its own first heartbeat. */
  readonly leader: number;
  /** From ADD to Alive, one follower after the other: their retry loop, then the heartbeat. */
  readonly followers: number;
  /** From ADD to Alive of the slowest BE: the heartbeat. */
  readonly backends: number;
}

/** The waits of a deployment, from what its journal did at which time and when the cluster saw it. */
export const waitsOf = (items: readonly JournalItem[], seen: AliveSince, lab: Lab, readySeconds: number): Waits => {
  const ended = (wanted: string, verb: string): number => {
    const step = items.find(({ id }) => id === wanted)?.steps.find((one) => one.verb === verb);
    if (!step) {
      throw new Error(`Expected step ${verb} of ${wanted} in the journal, got ${items.map(({ id }) => id).join(", ")}`);
    }
    return step.time;
  };
  const alive = (name: string): number => {
    const time = seen.get(lab.fleet.host(name).address);
    if (time === undefined) {
      throw new Error(`${name} was never seen Alive`);
    }
    return time;
  };
  const joins = (name: string): number => {
    const label = `${name.slice(0, 2).toUpperCase()} ${name}`;
    return Math.max(0, alive(name) - ended(`${label} in the cluster`, "add")) / 1000;
  };
  const followers = ["fe2", "fe3"];
  return {
    processes: (1 + followers.length) * readySeconds,
    leader: Math.max(readySeconds, (alive("fe1") - ended("FE fe1", "start")) / 1000),
    followers: followers.map(joins).reduce((sum, wait) => sum + wait, 0),
    backends: Math.max(...["be1", "be2", "be3"].map(joins)),
  };
};

/** BEs wait for their heartbeat while followers join. */
export const floorOf = ({ backends, followers, leader, processes }: Waits): number =>
  processes + leader + Math.max(followers, backends);
