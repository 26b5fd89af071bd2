import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Hazard, Range } from "../../../../provider/plan/paths/hazard.js";
import { hazards, versionRows } from "../../../../provider/plan/paths/table.js";
import { compareVersions, versionOf } from "../../../../provider/starrocks/versions.js";

/** Sources; tests run from `dist/test/unit/plan/paths`. */
const page = join(__dirname, "../../../../../docs/versions.md");

const range = (word: string, { since, before }: Range = {}): readonly string[] =>
  since === undefined && before === undefined
    ? []
    : [`${word} ${[since && `≥ ${since}`, before && `< ${before}`].filter(Boolean).join(" and ")}`];

const directions = { up: "up", down: "down", change: "up or down", arrival: "to it, first deployment too" } as const;

const whenText = ({ looks, must, when }: Hazard): string =>
  [
    when.direction === undefined ? "any time" : directions[when.direction],
    ...range("from", when.from),
    ...range("to", when.to),
    ...(when.size === undefined ? [] : ["not between patches"]),
    ...(when.lines === undefined ? [] : [`${when.lines} lines apart or more`]),
    ...(when.fqdn ? ["FEs by DNS name"] : []),
    ...(when.overlay ? ["single files replaced"] : []),
    ...(when.leaving ? ["nodes are taken out, too"] : []),
    ...(when.runModeChanges ? ["another `run_mode`"] : []),
    ...(when.runMode === undefined ? [] : [`\`run_mode = ${when.runMode}\``]),
    ...(looks === undefined ? [] : [`if found${must ? ", refused" : ""}: ${looks}`]),
  ].join("; ");

const table = [
  "| id | severity | when | what | source |",
  "| --- | --- | --- | --- | --- |",
  ...hazards.map(
    (hazard) => `| \`${hazard.id}\` | ${hazard.severity} | ${whenText(hazard)} | ${hazard.text} | ${hazard.source} |`,
  ),
  "",
].join("\n");

const rows = [
  "| subject | since | what | source |",
  "| --- | --- | --- | --- |",
  ...Object.entries(versionRows).flatMap(([subject, all]) =>
    all.map(
      ({ since, source, text }) => `| ${subject} | ${since === "0.0.0" ? "the first" : since} | ${text} | ${source} |`,
    ),
  ),
  "",
].join("\n");

const shown = (begin: string, end: string, wanted: string): void => {
  const [head = "", rest = ""] = readFileSync(page, "utf8").split(begin);
  const [text = "", tail = ""] = rest.split(end);
  if (process.env.UPDATE_GOLDEN) {
    writeFileSync(page, `${head}${begin}${wanted}${end}${tail}`);
    return;
  }
  assert.equal(text, wanted);
};

describe("docs/versions.md", () => {
  it("shows every row of the table of ways between versions", () =>
    shown("<!-- the table: UPDATE_GOLDEN=1 writes it -->\n", "<!-- end of the table -->", table));

  it("shows every row of what a version takes", () =>
    shown("<!-- the rows of versions: UPDATE_GOLDEN=1 writes them -->\n", "<!-- end of the rows -->", rows));

  it("names no source that is not StarRocks'", () => {
    assert.doesNotMatch(readFileSync(page, "utf8"), /\bfacts\b/i);
  });

  it("has rows in the order of their versions, the first of each subject for all before the second", () => {
    for (const [subject, all] of Object.entries(versionRows)) {
      const versions = all.map(({ since }) => versionOf(since));
      assert.equal(all[0]?.since, "0.0.0", subject);
      assert.deepEqual([...versions].sort(compareVersions), versions, subject);
    }
  });
});
