import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { line } from "../../../provider/plan/rollout.js";
import { Journal } from "../../../provider/rollout/journal.js";
import { inFolder, item, linesOf } from "./items.js";

const [stop, configure, start] = item.steps as [(typeof item.steps)[0], (typeof item.steps)[0], (typeof item.steps)[0]];

describe("Journal", () => {
  it("is a file in the program's folder, named by time, cluster and process", () =>
    inFolder((folder) => {
      const journal = new Journal("lab/dev/analytics", { now: new Date("2026-11-22T10:20:30.456Z") });
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

  describe("that cannot be written", () => {
    const warned = (): { warnings: string[]; warn: (text: string) => void } => {
      const warnings: string[] = [];
      return { warnings, warn: (text) => warnings.push(text) };
    };

    it("goes on in memory when its disk is full, warns once, and says in its place that it is not whole", () =>
      inFolder(() => {
        const { warn, warnings } = warned();
        const journal = new Journal("analytics", { warn });
        journal.begin(item);
        rmSync(journal.path);
        symlinkSync("/dev/full", journal.path);
        journal.mark(item, stop, "done", 1);
        journal.mark(item, configure, "failed", 1, "no");
        journal.abandon(item);
        journal.note("nothing after it is touched");
        assert.deepEqual(
          journal.items.map(({ summary }) => summary),
          ["stop → conf (failed) → start (not reached)"],
        );
        assert.deepEqual(warnings, [
          `The journal ${journal.path} cannot be written any more (ENOSPC: no space left on device, write). ` +
            "The operation goes on, and its report has every step; make room there before the next one.",
        ]);
        assert.equal(journal.place, `${journal.path}, which is not whole: ENOSPC: no space left on device, write`);
      }));

    it("goes on in memory when its folder is removed", () =>
      inFolder(() => {
        const { warn, warnings } = warned();
        const journal = new Journal("analytics", { warn });
        journal.begin(item);
        rmSync(".pulumi-starrocks", { recursive: true });
        journal.mark(item, stop, "done", 1);
        journal.mark(item, configure, "done", 1);
        assert.match(warnings.join("\n"), /^The journal \S+\.jsonl cannot be written any more \(ENOENT: .*\)\. .*$/);
        assert.match(journal.place, /\.jsonl, which is not whole: ENOENT: /);
        assert.ok(!existsSync(journal.path));
      }));

    it("is in the folder for temporary files where the program's cannot be written, and says so", () =>
      inFolder(() => {
        writeFileSync(".pulumi-starrocks", "");
        const { warn, warnings } = warned();
        const journal = new Journal("analytics", { warn });
        journal.begin(item);
        assert.equal(linesOf(journal.path).length, 1);
        assert.ok(journal.path.startsWith(join(tmpdir(), "pulumi-starrocks-journal-")), journal.path);
        assert.equal(journal.place, journal.path);
        assert.equal(warnings.length, 1);
        assert.match(
          warnings[0] ?? "",
          /^No journal can be written to \S+\/\.pulumi-starrocks\/journal \(ENOTDIR: .*\)\. It is \S+\.jsonl\.$/,
        );
        rmSync(dirname(journal.path), { recursive: true });
      }));
  });
});
