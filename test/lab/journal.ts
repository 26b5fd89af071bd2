import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Direction, type Verb, type Wave, wavesOf } from "../../provider/plan/steps.js";
import type { Mark } from "../../provider/rollout/mark.js";

/** A line of a journal: an item that begins, a step that ended, a note, or the health of the cluster. */
export interface JournalEntry {
  readonly time: string;
  readonly item?: string;
  readonly wave?: Wave;
  readonly position?: number;
  readonly planned?: string;
  readonly within?: string;
  readonly step?: Verb;
  readonly text?: string;
  readonly mark?: Mark;
  readonly milliseconds?: number;
  readonly detail?: string;
  readonly note?: string;
  /** What the cluster said of its nodes at one end of the operation. */
  readonly health?: "before" | "after";
  readonly frontends?: string;
  readonly backends?: string;
  readonly leader?: string;
  readonly versions?: readonly string[];
}

/** What was done to one resource. */
export interface JournalItem {
  readonly id: string;
  readonly wave: Wave;
  readonly position: number;
  /** Its line of the plan. */
  readonly planned: string;
  /** The item of which a step began this one. */
  readonly within: string | undefined;
  readonly steps: readonly {
    readonly verb: Verb;
    readonly mark: Mark;
    readonly time: number;
    readonly detail: string;
  }[];
}

/** The journals of the operations on the program in this folder, oldest first. */
export const journalsIn = (program: string): readonly string[] => {
  const folder = join(program, ".pulumi-starrocks", "journal");
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => join(folder, name))
    : [];
};

/** Only whole lines: the last one may just be being written. */
export const readJournal = (file: string): readonly JournalEntry[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** The items of a journal in the order of a plan: by wave, then by position. */
export const itemsOf = (entries: readonly JournalEntry[], direction: Direction = "upgrade"): readonly JournalItem[] => {
  const waves = wavesOf(direction);
  return entries
    .flatMap(({ item, wave, position = 0, planned, within }) =>
      item !== undefined && wave !== undefined && planned !== undefined
        ? [{ id: item, wave, position, planned, within, steps: stepsOf(item, entries) }]
        : [],
    )
    .sort(
      (a, b) => waves.indexOf(a.wave) - waves.indexOf(b.wave) || a.position - b.position || a.id.localeCompare(b.id),
    );
};

const stepsOf = (id: string, entries: readonly JournalEntry[]): JournalItem["steps"] =>
  entries.flatMap(({ item, step, mark, time, detail = "" }) =>
    item === id && step !== undefined && mark !== undefined
      ? [{ verb: step, mark, time: Date.parse(time), detail }]
      : [],
  );
