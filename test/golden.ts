import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Sources; tests run from `dist/test`. */
const sources = join(__dirname, "../..");

/** Compares with a committed text; `UPDATE_GOLDEN=1` writes it instead, for a person to read the difference. */
export const assertGolden = (path: string, text: string): void => {
  const file = join(sources, "test", path);
  if (process.env.UPDATE_GOLDEN) {
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, "utf8"));
};
