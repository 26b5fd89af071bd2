import type { Verb } from "../plan/steps.js";
import type { Mark } from "./mark.js";

/** What became of a node in an operation, as far as it came. */
export type NodeState =
  | "done"
  | "as declared already"
  | "taken back"
  | "rebuilt"
  | "failed"
  | "failed before it was touched"
  | "under way"
  | "not touched";

/** A step of a node's item; without a mark it has not ended. */
export interface Marked {
  readonly verb: Verb;
  readonly mark: Mark | undefined;
}

/** Steps that change a node. */
const touching: readonly Verb[] = ["handover", "stop", "switch", "configure", "start"];

/** Undefined steps: nothing was begun. */
export const stateOf = (steps: readonly Marked[] | undefined): NodeState => {
  const has = (mark: Mark, verbs?: readonly Verb[]): boolean =>
    steps?.some((step) => step.mark === mark && verbs?.includes(step.verb) !== false) ?? false;
  if (!steps || has("failed", ["turn"])) {
    return "not touched";
  }
  const touched = has("done", touching);
  if (has("done", ["rebuild"])) {
    return "rebuilt";
  }
  if (has("done", ["rollback"])) {
    return "taken back";
  }
  if (has("failed")) {
    return touched || has("failed", touching) ? "failed" : "failed before it was touched";
  }
  if (steps.some(({ mark }) => mark === undefined)) {
    return "under way";
  }
  return touched ? "done" : "as declared already";
};

/** A declared node at the end of an operation. */
export interface NodeNow {
  readonly label: string;
  /** What it runs, for people: `3.5.7`, `stopped`; undefined where nobody could tell. */
  readonly runs: string | undefined;
  readonly state: NodeState;
}

/** A line for all nodes of which the same is to be said; what was done first, then what was not touched. */
export const nodeLines = (nodes: readonly NodeNow[]): readonly string[] => {
  const groups = new Map<string, string[]>();
  const untouched = ({ state }: NodeNow): number => (state === "not touched" ? 1 : 0);
  for (const { label, runs, state } of [...nodes].sort((a, b) => untouched(a) - untouched(b))) {
    const text = `${runs ?? "not known what runs"}, ${state}`;
    groups.set(text, [...(groups.get(text) ?? []), label]);
  }
  return [...groups].map(([text, labels]) => `${labels.join(", ")}: ${text}`);
};
