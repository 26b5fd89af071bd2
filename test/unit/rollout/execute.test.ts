import assert from "node:assert/strict";
import { UserError } from "../../../provider/error.js";
import type { Item } from "../../../provider/plan/steps.js";
import { done, Execution, notMet, skipped, type Works } from "../../../provider/rollout/execute.js";
import { Journal } from "../../../provider/rollout/journal.js";
import { inFolder, item, linesOf } from "./items.js";

/** An execution with its journal's marks and what was shown. */
const executed = async (works: Works, planned: Item = item) => {
  const journal = new Journal("analytics");
  const shown: string[] = [];
  const execution = new Execution(planned, works, journal, (text) => shown.push(text));
  const error = await execution.run().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const marks = linesOf(journal.path)
    .slice(1)
    .map(({ step, mark, detail }) => [step, mark, ...(detail === undefined ? [] : [detail])]);
  return { error, execution, marks, shown };
};

describe("Execution", () => {
  it("does the steps of the plan in its order, and marks each with what became of it", () =>
    inFolder(async () => {
      const order: string[] = [];
      const { error, marks, shown } = await executed({
        start: async ({ text }) => {
          order.push(text);
          return skipped("it runs as declared");
        },
        configure: async ({ text }) => {
          order.push(text);
          return notMet();
        },
        stop: async ({ text }) => {
          order.push(text);
          return done;
        },
      });
      assert.equal(error, undefined);
      assert.deepEqual(
        order,
        item.steps.map(({ text }) => text),
      );
      assert.deepEqual(marks, [
        ["stop", "done"],
        ["configure", "not met"],
        ["start", "skipped", "it runs as declared"],
      ]);
      assert.deepEqual(shown, ["1/3 stop", "2/3 write its conf file", "3/3 start"]);
    }));

  it("stops at a failure, marks it and what it left undone, and passes it on", () =>
    inFolder(async () => {
      const failure = new UserError("the process does not end");
      const { error, execution, marks } = await executed({
        stop: () => Promise.reject(failure),
        configure: () => assert.fail("went on"),
        start: () => assert.fail("went on"),
      });
      assert.equal(error, failure);
      assert.equal(execution.step, item.steps[0]);
      assert.deepEqual(marks, [
        ["stop", "failed", "the process does not end"],
        ["configure", "not reached"],
        ["start", "not reached"],
      ]);
    }));

  it("shows in the row which step waits for what", () =>
    inFolder(async () => {
      const journal = new Journal("analytics");
      const shown: string[] = [];
      const execution: Execution = new Execution(
        { ...item, steps: item.steps.slice(0, 1) },
        {
          stop: async () => {
            execution.report("the process is still there");
            return done;
          },
        },
        journal,
        (text) => shown.push(text),
      );
      await execution.run();
      assert.deepEqual(shown, ["1/1 stop", "1/1 stop: the process is still there"]);
    }));

  it("has no step before it begins, and none without work", () =>
    inFolder(async () => {
      const { error, execution, marks } = await executed({}, item);
      assert.match(String(error), /No work for the step "stop" of BE be-1/);
      assert.equal(execution.step, undefined);
      assert.deepEqual(marks, []);
    }));
});
