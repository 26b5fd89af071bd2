import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Hazard, Range } from "../../../../provider/plan/paths/hazard.js";
import { hazards } from "../../../../provider/plan/paths/table.js";

/** Sources; tests run from `dist/test/unit/plan/paths`. */
const page = join(__dirname, "../../../../../docs/versions.md");
const begin = "<!-- the table: UPDATE_GOLDEN=1 writes it -->\n";
const end = "<!-- end of the table -->";

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

it("docs/versions.md shows every row of the table of ways between versions", () => {
  const [head = "", rest = ""] = readFileSync(page, "utf8").split(begin);
  const [shown = "", tail = ""] = rest.split(end);
  if (process.env.UPDATE_GOLDEN) {
    writeFileSync(page, `${head}${begin}${table}${end}${tail}`);
    return;
  }
  assert.equal(shown, table);
});
