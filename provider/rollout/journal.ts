import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { line } from "../plan/rollout.js";
import { type Item, type Step, verbs } from "../plan/steps.js";

/**
 * What became of a step: `done`; `skipped`: what it wants was so already; `not met`: its condition was not;
 * `failed`; `not reached`: a step before it failed.
 */
export type Mark = "done" | "skipped" | "not met" | "failed" | "not reached";

interface Line {
  readonly item: Item;
  readonly marks: Map<Step, { mark: Mark; milliseconds: number; detail?: string }>;
}

/**
 * The plan with each step marked, as JSON lines under the program's folder. A line is written when a step ends, so that
 * what an interrupted run did can be read.
 */
export class Journal {
  readonly path: string;
  readonly #lines = new Map<string, Line>();
  readonly #started = performance.now();

  constructor(cluster: string, folder = join(process.cwd(), ".pulumi-starrocks", "journal"), now = new Date()) {
    mkdirSync(folder, { recursive: true });
    const stamp = now.toISOString().replaceAll(/[:.]/g, "-");
    this.path = join(folder, `${stamp}-${cluster.replaceAll(/[^\w.-]+/g, "_")}-${process.pid}.jsonl`);
  }

  /** Notes what is going to be done to a resource, before it is. */
  begin(item: Item): void {
    this.#lines.set(item.id, { item, marks: new Map() });
    this.#write({
      item: item.id,
      wave: item.wave,
      position: item.position,
      planned: line(item),
      ...(item.within !== undefined && { within: item.within }),
    });
  }

  mark(item: Item, step: Step, mark: Mark, milliseconds: number, detail?: string): void {
    this.#lines.get(item.id)?.marks.set(step, { mark, milliseconds, ...(detail !== undefined && { detail }) });
    this.#write({
      item: item.id,
      step: step.verb,
      text: step.text,
      mark,
      milliseconds: Math.round(milliseconds),
      ...(detail !== undefined && { detail }),
    });
  }

  /** Marks what a failure left undone. */
  abandon(item: Item): void {
    const marks = this.#lines.get(item.id)?.marks;
    for (const step of item.steps) {
      if (!marks?.has(step)) {
        this.mark(item, step, "not reached", 0);
      }
    }
  }

  note(text: string): void {
    this.#write({ note: text });
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** The items of this run with their marks, in no order. */
  get items(): readonly { readonly item: Item; readonly summary: string }[] {
    return [...this.#lines.values()].map((entry) => ({ item: entry.item, summary: summaryOf(entry) }));
  }

  /** Marks an item of which nothing had to be done. */
  skip(item: Item, detail: string): void {
    this.begin(item);
    for (const step of item.steps) {
      this.mark(item, step, "not met", 0, detail);
    }
  }

  /** Whether anything was noted of an item. */
  has(id: string): boolean {
    return this.#lines.has(id);
  }

  #write(entry: object): void {
    // Synchronous: the process may be killed at any moment, and a journal is for just that case.
    appendFileSync(this.path, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
  }
}

/** The steps with their marks; those that have not ended when the report is made stand apart. */
const summaryOf = ({ item, marks }: Line): string => {
  const words = (step: Step): string => {
    const mark = marks.get(step)?.mark ?? "done";
    return `${verbs[step.verb]}${mark === "done" ? "" : ` (${mark})`}`;
  };
  const ended = item.steps.filter((step) => marks.has(step)).map(words);
  const open = item.steps.filter((step) => !marks.has(step)).map(words);
  return [
    ...(ended.length > 0 ? [ended.join(" → ")] : []),
    ...(open.length > 0 ? [`not yet: ${open.join(" → ")}`] : []),
  ].join("; ");
};
