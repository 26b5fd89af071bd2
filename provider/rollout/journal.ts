import { appendFileSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../error.js";
import { line } from "../plan/rollout.js";
import { type Item, type Step, type Verb, verbs } from "../plan/steps.js";
import type { Mark } from "./mark.js";
import { type NodeState, stateOf } from "./node-states.js";

/** The cluster in a few figures: nodes that it sees Alive, of how many. */
export interface Health {
  readonly frontends: string;
  readonly backends: string;
  readonly leader: string | undefined;
  readonly versions: readonly string[];
}

interface Line {
  readonly item: Item;
  /** What its node was taken back to, for people. */
  back?: string;
  readonly marks: Map<Step, { mark: Mark; milliseconds: number; detail?: string }>;
}

interface JournalOptions {
  readonly now?: Date;
  /** Told once what keeps it from being written. */
  readonly warn?: (text: string) => void;
}

/**
 * The plan with each step marked, as JSON lines under the program's folder. A line is written when a step ends, so that
 * what an interrupted run did can be read. No operation fails of its journal: what cannot be written is in the report.
 */
export class Journal {
  readonly path: string;
  readonly #lines = new Map<string, Line>();
  readonly #started = performance.now();
  readonly #warn: (text: string) => void;
  /** Why nothing is written any more. */
  #failure: string | undefined;

  constructor(cluster: string, { now = new Date(), warn = () => undefined }: JournalOptions = {}) {
    this.#warn = warn;
    const stamp = now.toISOString().replaceAll(/[:.]/g, "-");
    const name = `${stamp}-${cluster.replaceAll(/[^\w.-]+/g, "_")}-${process.pid}.jsonl`;
    this.path = this.#create(join(process.cwd(), ".pulumi-starrocks", "journal"), name);
  }

  /** Gives the new file's path, in another folder where this one cannot be written. */
  #create(folder: string, name: string): string {
    const wanted = join(folder, name);
    try {
      mkdirSync(folder, { recursive: true });
      appendFileSync(wanted, "");
      return wanted;
    } catch (error) {
      const path = this.#createElsewhere(name);
      const where = path === undefined ? "There is none" : `It is ${path}`;
      this.#failure = path === undefined ? messageOf(error) : undefined;
      this.#warn(`No journal can be written to ${folder} (${messageOf(error)}). ${where}.`);
      return path ?? wanted;
    }
  }

  #createElsewhere(name: string): string | undefined {
    try {
      const path = join(mkdtempSync(join(tmpdir(), "pulumi-starrocks-journal-")), name);
      appendFileSync(path, "");
      return path;
    } catch {
      // What matters is why the program's own folder cannot be written.
      return undefined;
    }
  }

  /** Where it is to be read, for people. */
  get place(): string {
    return this.#failure === undefined ? this.path : `${this.path}, which is not whole: ${this.#failure}`;
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

  /** Notes what the node of an item was taken back to: its settings, or a release, which need not be the one that its plan began with. */
  tookBack(item: Item, what: string): void {
    const entry = this.#lines.get(item.id);
    if (entry) {
      entry.back = what;
    }
  }

  /** Marks what a failure left undone, but for the steps that are there for it. */
  abandon(item: Item, except: readonly Verb[] = []): void {
    for (const step of item.steps.filter(({ verb }) => !except.includes(verb))) {
      this.markOpen(item, step, "not reached");
    }
  }

  /** Marks a step that has no mark yet. */
  markOpen(item: Item, step: Step, mark: Mark, detail?: string): void {
    if (!this.#lines.get(item.id)?.marks.has(step)) {
      this.mark(item, step, mark, 0, detail);
    }
  }

  /** What the cluster says of its nodes at one end of the operation. */
  health(when: "before" | "after", seen: Health): void {
    this.#write({ health: when, ...seen });
  }

  note(text: string): void {
    this.#write({ note: text });
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** The items of this run with their marks, in no order. */
  get items(): readonly {
    readonly item: Item;
    readonly summary: string;
    readonly down: number;
    readonly back: string | undefined;
  }[] {
    return [...this.#lines.values()].map((entry) => ({
      item: entry.item,
      summary: summaryOf(entry),
      down: downOf(entry),
      back: entry.back,
    }));
  }

  /** Marks an item of which nothing had to be done. */
  skip(item: Item, detail: string): void {
    this.begin(item);
    for (const step of item.steps) {
      this.mark(item, step, "not met", 0, detail);
    }
  }

  /** What became of the node whose item this is, by the last item that is about it. */
  stateOf(id: string): NodeState {
    const entry = [...this.#lines.values()].filter(({ item }) => item.id === id || item.node === id).at(-1);
    return stateOf(entry?.item.steps.map((step) => ({ verb: step.verb, mark: entry.marks.get(step)?.mark })));
  }

  /** Whether anything was noted of an item. */
  has(id: string): boolean {
    return this.#lines.has(id);
  }

  /** Whether every step of an item has its mark. */
  ended(id: string): boolean {
    const entry = this.#lines.get(id);
    return entry?.item.steps.every((step) => entry.marks.has(step)) ?? false;
  }

  #write(entry: object): void {
    if (this.#failure !== undefined) {
      return;
    }
    try {
      // Synchronous: the process may be killed at any moment, and a journal is for just that case.
      appendFileSync(this.path, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
    } catch (error) {
      this.#failure = messageOf(error);
      this.#warn(
        `The journal ${this.path} cannot be written any more (${this.#failure}). ` +
          "The operation goes on, and its report has every step; make room there before the next one.",
      );
    }
  }
}

const markAt = ({ item, marks }: Line, at: number): Mark | undefined => {
  const step = item.steps[at];
  return step && marks.get(step)?.mark;
};

/**
 * Milliseconds for which a node did not serve: from its stop to its proof, or to that of the release it was taken back to.
 * An FE that has handed the leadership over has ended by itself.
 */
const downOf = ({ item, marks }: Line): number => {
  const stop = item.steps.findIndex(
    ({ verb }, at) => (verb === "stop" || verb === "handover") && markAt({ item, marks }, at) === "done",
  );
  if (stop < 0) {
    return 0;
  }
  const serving = item.steps.findIndex(({ verb }, at) => verb === "prove" && markAt({ item, marks }, at) === "done");
  const away = item.steps.filter(
    ({ verb }, at) => at >= stop && (serving < 0 || at <= serving || verb === "rollback" || verb === "rebuild"),
  );
  return away.reduce((sum, step) => sum + (marks.get(step)?.milliseconds ?? 0), 0);
};

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
