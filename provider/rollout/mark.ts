/**
 * What became of a step: `done`; `skipped`: what it wants was so already; `not met`: its condition was not;
 * `failed`; `not reached`: a step before it failed.
 */
export type Mark = "done" | "skipped" | "not met" | "failed" | "not reached";
