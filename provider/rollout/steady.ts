import type { Look } from "../wait.js";

/**
 * How many equal readings in a row are a proof. They follow each other in 25 to 150 ms and rows change with a heartbeat, every
 * 5 s: they are mostly of one heartbeat. So they protect from one answer that is no longer the cluster's (another leader, an FE
 * that has not replayed yet, a row on its way to Alive and back), and not from a crash: that a process stays is seen at the
 * process (`Watch.hasServed`, `Run.lookBack`). See docs/decisions.md.
 */
const readings = 3;

/** Counts equal readings in a row. */
export class Steady {
  #last: string | undefined;
  #count = 0;

  reset(): void {
    this.#count = 0;
    this.#last = undefined;
  }

  /** Notes a reading; true when it was the same often enough. */
  note(reading: string): boolean {
    this.#count = reading === this.#last ? this.#count + 1 : 1;
    this.#last = reading;
    return this.#count >= readings;
  }
}

/**
 * For readings of SHOW FRONTENDS and SHOW BACKENDS alone: what they say changes with a heartbeat only, every 5 s, so that
 * the next look need not be far.
 */
export const isSteadySoon = (steady: Steady, reading: string): Look<void> => {
  const look = isSteady(steady, reading);
  return look.done ? look : { ...look, soon: true };
};

export const isSteady = (steady: Steady, reading: string): Look<void> =>
  steady.note(reading) ? { done: true, value: undefined } : { done: false, seen: `${reading}, once more` };
