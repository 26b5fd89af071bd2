import type { Verb } from "../../../provider/plan/steps.js";
import type { JournalEntry } from "../../lab/journal.js";
import type { Lab } from "../../lab/lab.js";
import type { AliveSince } from "../alive.js";

/** What an upgrade's time is made of, in seconds. */
export interface Parts {
  /** The nodes' own stops: from the signal to the end of the process. */
  readonly stops: number;
  /** From each start script to the heartbeat that shows the new process, or to its proof where that is earlier. */
  readonly starts: number;
  /** A metadata image of the leader. */
  readonly image: number;
  /** Elections that were asked for, to hand leadership over. */
  readonly elections: number;
  /** Waits for tablets: safe before a stop, whole after a start. */
  readonly tablets: number;
  readonly rehearsal: number;
  /** Watching what works: the canary, and all nodes at the end. */
  readonly watches: number;
  /** From the first line of the journal to the last: what is not in it is the engine's, the program's and its checks'. */
  readonly operation: number;
}

type Done = JournalEntry & { readonly step: Verb; readonly item: string; readonly milliseconds: number };

const nodeId = /^(?:FE|BE) (\S+)$/;

export const partsOf = (entries: readonly JournalEntry[], shown: AliveSince, lab: Lab): Parts => {
  const done = entries.filter((entry): entry is Done => entry.step !== undefined && entry.mark === "done");
  const sum = (...verbs: readonly Verb[]): number =>
    done.filter(({ step }) => verbs.includes(step)).reduce((all, { milliseconds }) => all + milliseconds / 1000, 0);
  const times = entries.map(({ time }) => Date.parse(time));
  const nodes = done.flatMap((stop) => {
    const name = stop.step === "stop" ? nodeId.exec(stop.item)?.[1] : undefined;
    return name === undefined ? [] : [timesOf(name, stop, done, shown, lab)];
  });
  return {
    stops: nodes.reduce((all, { stop }) => all + stop, 0),
    starts: nodes.reduce((all, { start }) => all + start, 0),
    image: sum("image"),
    elections: sum("handover"),
    tablets: sum("tablets", "heal"),
    rehearsal: sum("copy", "rehearse", "verdict", "isolate", "clean"),
    watches: sum("soak", "observe"),
    operation: (Math.max(...times) - Math.min(...times)) / 1000,
  };
};

const timesOf = (name: string, stop: Done, done: readonly Done[], shown: AliveSince, lab: Lab) => {
  const step = (verb: Verb): Done => {
    const found = done.find((entry) => entry.item === stop.item && entry.step === verb);
    if (!found) {
      throw new Error(`Expected step ${verb} of ${stop.item} in the journal, which has only its ${steps(stop, done)}`);
    }
    return found;
  };
  const start = step("start");
  const begun = Date.parse(start.time) - start.milliseconds;
  const proven = Date.parse(step("prove").time);
  const seen = shown.get(lab.fleet.host(name).address) ?? proven;
  // The node's own word of its stop; the step has our looks at it as well.
  const [, own] = /after (\d+(?:\.\d+)?) s/.exec(stop.detail ?? "") ?? [];
  return {
    stop: own === undefined ? stop.milliseconds / 1000 : Number(own),
    start: Math.max(0, Math.min(seen, proven) - begun) / 1000,
  };
};

const steps = ({ item }: Done, done: readonly Done[]): string =>
  done.flatMap((entry) => (entry.item === item ? [entry.step] : [])).join(", ");

/** What the nodes and the database take, whoever upgrades them. */
export const ownOf = ({ elections, image, starts, stops }: Parts): number => stops + starts + image + elections;
