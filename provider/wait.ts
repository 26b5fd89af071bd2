import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "./error.js";

/** What one look at the awaited thing gave: done with a value, or not yet and what was seen. */
export type Look<T> =
  | { readonly done: true; readonly value: T }
  /** `soon`: what was seen need only be seen again. `moves`: this is no standstill, and the limit starts again. */
  | { readonly done: false; readonly seen: string; readonly soon?: boolean; readonly moves?: boolean };

export interface UntilOptions {
  /** What is waited for, as it completes "waited … for": `BE be-1 to be Alive`. */
  readonly what: string;
  /** Milliseconds until the wait fails, from its begin or from the last look at which something moved. */
  readonly limit: number;
  /** Milliseconds between two looks. Default: short at first, and longer the longer it takes. */
  readonly every?: number;
  /** Called with what was seen, each time it changed. */
  readonly onProgress?: (seen: string) => void;
  /** Ends the wait early; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** What the user should do when the limit is reached. */
  readonly advice?: string;
}

/** Milliseconds between two looks at most and at least: a look costs a few, and most waits are over at once or take seconds. */
const pauses = { most: 150, least: 25, soon: 50 } as const;

/** A part of the time that was waited already, so that no wait is much longer for its pauses. */
const growing = (waited: number): number => Math.min(pauses.most, Math.max(pauses.least, waited / 4));

/** The one wait of this package: looks until done, or fails at the limit saying what was wanted and what was last seen. */
export const until = async <T>(look: () => Promise<Look<T>>, options: UntilOptions): Promise<T> => {
  const started = performance.now();
  let moved = started;
  let seen = "";
  for (;;) {
    options.signal?.throwIfAborted();
    const result = await look();
    if (result.done) {
      return result.value;
    }
    if (result.seen !== seen) {
      seen = result.seen;
      options.onProgress?.(seen);
    }
    const now = performance.now();
    if (result.moves) {
      moved = now;
    } else if (now - moved >= options.limit) {
      throw new WaitError(options, seen);
    }
    await delay(result.soon ? pauses.soon : (options.every ?? growing(now - started)));
  }
};

/** The limit of a wait was reached. */
export class WaitError extends UserError {
  constructor(options: UntilOptions, seen: string) {
    const advice = options.advice ? ` ${options.advice}` : "";
    super(`Waited ${seconds(options.limit)} for ${options.what}; last seen: ${seen || "nothing"}.${advice}`);
  }
}

/** `1500` → `1.5 s`, for messages. */
export const seconds = (milliseconds: number): string => `${Number((milliseconds / 1000).toFixed(1))} s`;
