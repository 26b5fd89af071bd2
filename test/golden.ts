import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Sources; tests run from `dist/test`. */
const sources = join(__dirname, "../..");

/**
 * Compares with a committed text; `UPDATE_GOLDEN=1` writes it instead, for a person to read the difference. A frozen one
 * is only written where there is none.
 */
export const assertGolden = (path: string, text: string, { frozen = false } = {}): void => {
  const file = join(sources, "test", path);
  if (process.env.UPDATE_GOLDEN && !(frozen && existsSync(file))) {
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, "utf8"));
};
