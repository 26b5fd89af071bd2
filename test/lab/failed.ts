import assert from "node:assert/strict";
import type { Outcome } from "../engine/stack.js";
import { told } from "./told.js";

/** An update failed; each message under a resource's row is what its pattern says, and there are no others. */
export const assertFailed = (outcome: Outcome, patterns: Readonly<Record<string, RegExp>>): void => {
  assert.notEqual(outcome.exitCode, 0, outcome.stdout);
  const { "": operation, ...errors } = told(outcome, "error");
  assert.equal(operation, "update failed");
  assert.deepEqual(Object.keys(errors).sort(), Object.keys(patterns).sort(), outcome.stdout);
  for (const [name, pattern] of Object.entries(patterns)) {
    assert.match(errors[name] ?? "", pattern);
  }
};

/** An update did what it had to. */
export const assertDone = (outcome: Outcome): void => {
  assert.equal(outcome.exitCode, 0, outcome.stdout);
  assert.match(told(outcome, "info").sr ?? "", /sr: done in \d+ s; every node is proven\./);
};
