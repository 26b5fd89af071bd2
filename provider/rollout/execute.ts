import { messageOf } from "../error.js";
import { deeds, type Item, type Step, type Verb } from "../plan/steps.js";
import type { Journal } from "./journal.js";

/** What a step's work found out; `skipped` with the reason when it was so already. */
export type Outcome =
  | { readonly mark: "done"; readonly detail?: string }
  | { readonly mark: "skipped"; readonly detail?: string }
  | { readonly mark: "not met"; readonly detail?: string };

export const done: Outcome = { mark: "done" };
export const skipped = (detail?: string): Outcome => ({ mark: "skipped", ...(detail !== undefined && { detail }) });
export const notMet = (detail?: string): Outcome => ({ mark: "not met", ...(detail !== undefined && { detail }) });

export type Work = (step: Step) => Promise<Outcome>;
export type Works = Partial<Readonly<Record<Verb, Work>>>;

/** The steps of one item on their way: the very list that the preview printed, executed in its order. */
export class Execution {
  readonly item: Item;
  readonly #journal: Journal;
  readonly #progress: (text: string) => void;
  readonly #works: Works;
  readonly #before: (step: Step) => Promise<void>;
  #current: Step | undefined;
  #shown = "";

  /** `before` is called before each step of `run`, and fails it by throwing. */
  constructor(
    item: Item,
    works: Works,
    journal: Journal,
    progress: (text: string) => void,
    before: (step: Step) => Promise<void> = async () => undefined,
  ) {
    this.#before = before;
    this.item = item;
    this.#works = works;
    this.#journal = journal;
    this.#progress = progress;
    journal.begin(item);
  }

  /** The step that ran last, for an error's text. */
  get step(): Step | undefined {
    return this.#current;
  }

  /** Tells in the resource's row what is being waited for: `3/6 start: no answer yet`. */
  readonly report = (seen: string): void => this.#show(seen ? `: ${seen}` : "");

  #show(found: string): void {
    const index = this.#current ? this.item.steps.indexOf(this.#current) + 1 : 0;
    const deed = this.#current ? deeds[this.#current.verb] : "";
    const text = `${index}/${this.item.steps.length} ${deed}${found}`;
    if (text !== this.#shown) {
      this.#shown = text;
      this.#progress(text);
    }
  }

  /** The row must not end with what was waited for, nor with what was not done. */
  #showOutcome({ detail, mark }: Outcome): void {
    if (mark === "not met") {
      this.#show(` (not met${detail ? `: ${detail}` : ""})`);
    } else {
      this.report(detail ?? "");
    }
  }

  async run(steps: readonly Step[] = this.item.steps): Promise<void> {
    for (const step of steps) {
      await this.#one(step);
    }
  }

  /** Work between two steps that is part of none; its failure leaves those that were not begun so. */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#journal.abandon(this.item, recovering);
      throw error;
    }
  }

  /** Marks the steps that were not begun, where none of them is needed. */
  skip(detail: string): void {
    for (const step of this.item.steps) {
      this.#journal.markOpen(this.item, step, "skipped", detail);
    }
  }

  /**
   * Runs the step that the plan has for the case that another one failed, if it has one. The step that failed stays the
   * one of an error's text.
   */
  async recover(verb: Verb, work: Work): Promise<Outcome | undefined> {
    const step = this.item.steps.find((one) => one.verb === verb);
    if (!step) {
      return undefined;
    }
    const failed = this.#current;
    this.#current = step;
    this.report("");
    try {
      return await this.#mark(step, work);
    } finally {
      this.#current = failed;
    }
  }

  /** Marks the steps for a failure that were not needed, or could not be tried. */
  settle(detail: string): void {
    for (const step of this.item.steps.filter(({ verb }) => recovering.includes(verb))) {
      this.#journal.markOpen(this.item, step, "not met", detail);
    }
  }

  async #one(step: Step): Promise<void> {
    const work = this.#works[step.verb];
    if (!work) {
      throw new Error(`No work for the step "${step.verb}" of ${this.item.id}`);
    }
    this.#current = step;
    // Whether a step with a condition is done is known when it ends, or tells what it waits for.
    if (step.when === undefined) {
      this.report("");
    }
    try {
      const outcome = await this.#mark(step, async () => {
        await this.#before(step);
        return work(step);
      });
      // Else the row of a node that is well would end with "be taken back".
      if (!recovering.includes(step.verb)) {
        this.#showOutcome(outcome);
      }
    } catch (error) {
      this.#journal.abandon(this.item, recovering);
      throw error;
    }
  }

  async #mark(step: Step, work: Work): Promise<Outcome> {
    const started = performance.now();
    try {
      const outcome = await work(step);
      this.#journal.mark(this.item, step, outcome.mark, performance.now() - started, outcome.detail);
      return outcome;
    } catch (error) {
      this.#journal.mark(this.item, step, "failed", performance.now() - started, messageOf(error));
      throw error;
    }
  }
}

/** Steps that stand in a plan for the case that another one fails. */
const recovering: readonly Verb[] = ["rollback", "rebuild"];
