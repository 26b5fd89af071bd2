import assert from "node:assert/strict";
import { UserError } from "../../../provider/error.js";
import type { Item } from "../../../provider/plan/steps.js";
import { done, Execution, notMet, type Outcome, skipped, type Works } from "../../../provider/rollout/execute.js";
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
      assert.deepEqual(shown, [
        "1/3 stop",
        "2/3 write its conf file (not met)",
        "3/3 start",
        "3/3 start: it runs as declared",
      ]);
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
      assert.deepEqual(shown, ["1/1 stop", "1/1 stop: the process is still there", "1/1 stop"]);
    }));

  it("shows at its end what was found out, not what was waited for", () =>
    inFolder(async () => {
      const shownOf = async (outcome: Outcome): Promise<string | undefined> => {
        const shown: string[] = [];
        const execution: Execution = new Execution(
          { ...item, steps: item.steps.slice(0, 1) },
          {
            stop: async () => {
              execution.report("connection refused");
              return outcome;
            },
          },
          new Journal("analytics"),
          (text) => shown.push(text),
        );
        await execution.run();
        return shown.at(-1);
      };
      assert.equal(await shownOf({ mark: "done", detail: "it ended in 2 s" }), "1/1 stop: it ended in 2 s");
      assert.equal(await shownOf(done), "1/1 stop");
    }));

  it("shows a step that may be needless once it is known not to be", () =>
    inFolder(async () => {
      const step = { verb: "trash", text: "move its data", when: "if its cluster let it go" } as const;
      const shownOf = async (outcome: Outcome) =>
        (await executed({ trash: async () => outcome }, { ...item, steps: [step] })).shown;
      assert.deepEqual(await shownOf(notMet("the cluster still has it")), [
        "1/1 move its data aside (not met: the cluster still has it)",
      ]);
      assert.deepEqual(await shownOf(done), ["1/1 move its data aside"]);
    }));

  it("has no step before it begins, and none without work", () =>
    inFolder(async () => {
      const { error, execution, marks } = await executed({}, item);
      assert.match(String(error), /No work for the step "stop" of BE be-1/);
      assert.equal(execution.step, undefined);
      assert.deepEqual(marks, []);
    }));
});
