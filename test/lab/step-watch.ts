import { type Verb, verbs } from "../../provider/plan/steps.js";
import { until } from "../../provider/wait.js";
import type { Running } from "../engine/stack.js";
import { itemsOf, type JournalItem, readJournal } from "./journal.js";
import type { Lab } from "./lab.js";
import { itemLines } from "./plan.js";

/** A step of a plan, whichever resource of its kind it is a step of. */
export interface KindOfStep {
  /** `BE`, `FE`, `BE in the cluster`, `host`, `pre-flight`, … */
  readonly kind: string;
  readonly verb: Verb;
}

/** The kind of resource that an item's id names: its id without the name. */
const kindOf = (id: string): string => id.replace(/^host .*/, "host").replace(/^(BE|FE) \S+/, "$1");

/** The kinds of step of a printed plan, in its order. */
export const kindsOfSteps = (plan: string): readonly KindOfStep[] => {
  const steps = itemLines(plan).flatMap((line) => {
    const [, id = "", list = ""] = /^(.*?)(?:, .*)?: (.*)$/.exec(line) ?? [];
    return list.split(" → ").flatMap((text) => {
      const words = text.replaceAll(/[[\]]/g, "");
      const verb = (Object.keys(verbs) as Verb[]).find((one) => verbs[one] === words);
      return verb === undefined ? [] : [{ kind: kindOf(id), verb }];
    });
  });
  const unique = new Map(steps.map((step) => [`${step.kind} ${step.verb}`, step]));
  return [...unique.values()];
};

/** The items of the operation that wrote the newest journal; none while it has not written one since there were `known`. */
export const itemsSince = (lab: Lab, known: number): readonly JournalItem[] => {
  const newest = lab.journals().slice(known).at(-1);
  return newest === undefined ? [] : itemsOf(readJournal(newest));
};

/** Whether an item is at a step, or past it. A node that needed no turn does nothing, so it is at none of those that follow. */
const isAt = ({ steps }: JournalItem, planned: readonly Verb[], verb: Verb): boolean => {
  const index = planned.indexOf(verb);
  const turn = steps.find((step) => step.verb === "turn");
  return index >= 0 && steps.length >= index && (index <= planned.indexOf("turn") || turn?.mark !== "skipped");
};

/** Resolves with true as soon as an operation is at such a step, with false when it ends before that. */
export const reached = async (lab: Lab, running: Running, known: number, step: KindOfStep): Promise<boolean> => {
  let ended = false;
  void running.ended.then(() => {
    ended = true;
  });
  return until<boolean>(
    async () => {
      const items = itemsSince(lab, known).filter(({ id }) => kindOf(id) === step.kind);
      const found = items.some((item) => isAt(item, verbsOf(item), step.verb));
      return found || ended ? { done: true, value: found } : { done: false, seen: running.output() };
    },
    { what: `${step.kind} to ${verbs[step.verb]}`, limit: 120_000, every: 5 },
  );
};

/** The steps that an item of a journal was planned to have. */
const verbsOf = ({ planned }: JournalItem): readonly Verb[] => kindsOfSteps(`1. ${planned}`).map(({ verb }) => verb);
