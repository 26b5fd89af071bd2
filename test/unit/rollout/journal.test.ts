import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { line } from "../../../provider/plan/rollout.js";
import { Journal } from "../../../provider/rollout/journal.js";
import { inFolder, item, linesOf } from "./items.js";

const [stop, configure, start] = item.steps as [(typeof item.steps)[0], (typeof item.steps)[0], (typeof item.steps)[0]];

describe("Journal", () => {
  it("is a file in the program's folder, named by time, cluster and process", () =>
    inFolder((folder) => {
      const journal = new Journal("lab/dev/analytics", undefined, new Date("2026-11-22T10:20:30.456Z"));
      assert.equal(
        journal.path,
        join(
          process.cwd(),
          ".pulumi-starrocks/journal",
          `2026-11-22T10-20-30-456Z-lab_dev_analytics-${process.pid}.jsonl`,
        ),
      );
      assert.ok(existsSync(dirname(journal.path)), folder);
    }));

  it("is the plan, and then each of its steps with its mark, written as each ends", () =>
    inFolder(() => {
      const journal = new Journal("analytics");
      journal.begin(item);
      assert.deepEqual(linesOf(journal.path), [
        { item: "BE be-1", wave: "backends", position: 0, planned: line(item) },
      ]);
      journal.mark(item, stop, "done", 1234.5);
      journal.mark(item, configure, "not met", 1, "the file says so already");
      journal.mark(item, start, "failed", 2, "BE be-1 does not run");
      assert.deepEqual(linesOf(journal.path).slice(1), [
        { item: "BE be-1", step: "stop", text: stop.text, mark: "done" },
        {
          item: "BE be-1",
          step: "configure",
          text: configure.text,
          mark: "not met",
          detail: "the file says so already",
        },
        { item: "BE be-1", step: "start", text: start.text, mark: "failed", detail: "BE be-1 does not run" },
      ]);
      const [, first] = readFileSync(journal.path, "utf8").split("\n");
      const { time, milliseconds } = JSON.parse(first ?? "") as { time: string; milliseconds: number };
      assert.equal(new Date(time).toISOString(), time);
      assert.equal(milliseconds, 1235);
    }));

  it("marks what a failure left undone as not reached", () =>
    inFolder(() => {
      const journal = new Journal("analytics");
      journal.begin(item);
      journal.mark(item, stop, "failed", 0, "no");
      journal.abandon(item);
      assert.deepEqual(
        linesOf(journal.path).map(({ step, mark }) => [step, mark]),
        [
          [undefined, undefined],
          ["stop", "failed"],
          ["configure", "not reached"],
          ["start", "not reached"],
        ],
      );
      assert.deepEqual(
        journal.items.map(({ summary }) => summary),
        ["stop (failed) → conf (not reached) → start (not reached)"],
      );
    }));

  it("counts an FE as down from the hand-over of its leadership on: its process ends by that, and its stop finds it gone", () =>
    inFolder(() => {
      const journal = new Journal("analytics");
      const verbs = ["turn", "handover", "stop", "switch", "start", "prove"] as const;
      const fe = { ...item, id: "FE fe-3", steps: verbs.map((verb) => ({ verb, text: verb })) };
      journal.begin(fe);
      for (const [index, step] of fe.steps.entries()) {
        journal.mark(fe, step, step.verb === "stop" ? "skipped" : "done", 10 ** index);
      }
      assert.equal(journal.items[0]?.down, 111_110);
    }));

  it("keeps each line whole, whatever a detail holds", () =>
    inFolder(() => {
      const journal = new Journal("analytics");
      journal.begin(item);
      journal.mark(item, stop, "failed", 0, 'two\nlines and "quotes"');
      journal.note("nothing after it is touched");
      assert.deepEqual(linesOf(journal.path).slice(1), [
        { item: "BE be-1", step: "stop", text: stop.text, mark: "failed", detail: 'two\nlines and "quotes"' },
        { note: "nothing after it is touched" },
      ]);
    }));
});
