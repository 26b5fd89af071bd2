import assert from "node:assert/strict";
import type { Verb } from "../../../provider/plan/steps.js";
import type { Mark } from "../../../provider/rollout/mark.js";
import { nodeLines, stateOf } from "../../../provider/rollout/node-states.js";

const marked = (marks: Partial<Record<Verb, Mark | undefined>>) =>
  Object.entries(marks).map(([verb, mark]) => ({ verb: verb as Verb, mark }));

describe("what became of a node", () => {
  const cases = [
    { is: "not touched", what: "when nothing was begun", marks: undefined },
    {
      is: "not touched",
      what: "when its turn was refused",
      marks: { folders: "skipped", turn: "failed", stop: "not reached" },
    },
    {
      is: "failed before it was touched",
      what: "when its tablets needed it",
      marks: { turn: "done", tablets: "failed" },
    },
    {
      is: "failed",
      what: "when it was left",
      marks: { turn: "done", stop: "done", start: "failed", rollback: "failed" },
    },
    { is: "taken back", what: "when its old release runs", marks: { stop: "done", start: "failed", rollback: "done" } },
    {
      is: "rebuilt",
      what: "when its data was given up",
      marks: { start: "failed", rollback: "failed", rebuild: "done" },
    },
    { is: "under way", what: "while steps are left", marks: { stop: "done", start: undefined } },
    { is: "done", what: "when it was changed", marks: { stop: "done", start: "done", rollback: "not met" } },
    {
      is: "as declared already",
      what: "when it was found so",
      marks: { turn: "skipped", stop: "skipped", start: "skipped" },
    },
  ] as const;
  for (const { is, marks, what } of cases) {
    it(`is "${is}" ${what}`, () => assert.equal(stateOf(marks && marked(marks)), is));
  }

  it("is told in a line for all of which the same is to be said", () =>
    assert.deepEqual(
      nodeLines([
        { label: "BE 2", runs: "3.5.7", state: "not touched" },
        { label: "BE 1", runs: "3.5.7", state: "taken back" },
        { label: "FE 1", runs: undefined, state: "not touched" },
        { label: "FE 2", runs: "3.5.7", state: "not touched" },
      ]),
      ["BE 1: 3.5.7, taken back", "BE 2, FE 2: 3.5.7, not touched", "FE 1: not known what runs, not touched"],
    ));
});
