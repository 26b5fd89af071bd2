import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { matrixTests } from "../../../tools/lib/matrix-tests.mjs";
import { root } from "../../../tools/lib/root.mjs";

describe("the matrix's end-to-end tests", () => {
  for (const { file, title } of matrixTests) {
    it(`are there: ${file}`, () => {
      // A title that is another one would leave its tests out in silence.
      assert.match(readFileSync(join(root, file), "utf8"), new RegExp(`^describe\\(["\`]${title}`, "m"));
    });
  }
});
