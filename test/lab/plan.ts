import assert from "node:assert/strict";
import { type Direction, verbs, wavesOf } from "../../provider/plan/steps.js";
import { itemsOf, type JournalEntry, type JournalItem } from "./journal.js";

/** What the CLI printed under Diagnostics for a resource of this type; undefined when it has no row there. */
export const diagnosticsOf = (stdout: string, type = "starrocks:index:Cluster"): string | undefined => {
  const lines = stdout.split("\n");
  const begin = lines.findIndex((line) => line.startsWith(`  ${type} (`));
  if (begin < 0) {
    return undefined;
  }
  const end = lines.findIndex((line, index) => index > begin && !line.startsWith("    "));
  return lines
    .slice(begin + 1, end)
    .map((line) => line.slice(4))
    .join("\n");
};

/** The lines of a printed plan that stand for items, without their numbers, in order. */
export const itemLines = (plan: string): readonly string[] =>
  plan
    .replaceAll(/\n {8}(?=→ )/g, " ")
    .split("\n")
    .flatMap((line) => /^ *\d+\. (.*)$/.exec(line)?.[1] ?? []);

const lineOf = ({ steps, planned }: JournalItem): string => {
  const change = planned.slice(0, planned.lastIndexOf(": "));
  return `${change}: ${steps.map(({ verb }) => verbs[verb]).join(" → ")}`;
};

/** A plan's line without the marks of steps that are conditional. */
const withoutBrackets = (line: string): string => line.replaceAll(/[[\]]/g, "");

/**
 * The promise of one planner: what a run did is the list that its preview printed. Same items, same order, same steps,
 * each marked done, skipped or not met. What a step of an item had to do besides (start a node found down) is no item.
 */
export const assertRunFollowedPlan = (
  plan: string,
  journal: readonly JournalEntry[],
  direction: Direction = "upgrade",
): void => {
  const items = itemsOf(journal, direction).filter(({ within }) => within === undefined);
  const printed = itemLines(plan);
  assert.deepEqual(
    items.map(({ planned }) => planned),
    printed,
    "the journal's items are the plan's",
  );
  assert.deepEqual(items.map(lineOf), printed.map(withoutBrackets), "every step of the plan was run, in its order");
  const unmarked = items.flatMap(({ id, steps }) =>
    steps
      .filter(({ mark }) => !["done", "skipped", "not met"].includes(mark))
      .map(({ verb, mark }) => `${id}: ${verb} ${mark}`),
  );
  assert.deepEqual(unmarked, [], "every step was done, skipped or not met");
  assertWavesInOrder(items, direction);
};

/** Steps that only look or wait may run while the wave before is under way. */
const harmless = new Set(["turn", "folders", "inspect"]);

/** The gate stands before the nodes in a plan and is passed at the first turn, with the first node begun. */
const assertWavesInOrder = (items: readonly JournalItem[], direction: Direction): void => {
  const spans = wavesOf(direction).map((wave) => {
    const times = items
      .filter((item) => item.wave === wave && item.id !== "gate")
      .flatMap(({ steps }) => steps.filter(({ verb, mark }) => mark === "done" && !harmless.has(verb)))
      .map(({ time }) => time);
    return { wave, first: Math.min(...times), last: Math.max(...times) };
  });
  const done = spans.filter(({ last }) => Number.isFinite(last));
  for (const [index, { wave, first }] of done.entries()) {
    const before = done[index - 1];
    assert.ok(!before || before.last <= first, `the ${wave} came before all ${before?.wave} were done`);
  }
};
