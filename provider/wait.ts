import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "./error.js";

/** What one look at the awaited thing gave: done with a value, or not yet and what was seen. */
export type Look<T> = { readonly done: true; readonly value: T } | { readonly done: false; readonly seen: string };

export interface UntilOptions {
  /** What is waited for, as it completes "waited … for": `BE be-1 to be Alive`. */
  readonly what: string;
  /** Milliseconds until the wait fails. */
  readonly limit: number;
  /** Milliseconds between two looks. */
  readonly every?: number;
  /** Called with what was seen, each time it changed. */
  readonly onProgress?: (seen: string) => void;
  /** Ends the wait early; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** What the user should do when the limit is reached. */
  readonly advice?: string;
}

/** The pause between two looks: short, as a process of the fleet is ready in 0.3 s and a look costs a few milliseconds. */
const everyDefault = 150;

/** The one wait of this package: looks until done, or fails at the limit saying what was wanted and what was last seen. */
export const until = async <T>(look: () => Promise<Look<T>>, options: UntilOptions): Promise<T> => {
  const started = performance.now();
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
    if (performance.now() - started >= options.limit) {
      throw new WaitError(options, seen);
    }
    await delay(options.every ?? everyDefault);
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
