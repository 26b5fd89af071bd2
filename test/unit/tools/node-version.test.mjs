import assert from "node:assert/strict";
import { isAtLeast } from "../../../tools/lib/node-version.mjs";

describe("isAtLeast", () => {
  const cases = /** @type {const} */ ([
    ["20.19.0", ">=20.19", true],
    ["20.20.2", ">=20.19", true],
    ["24.0.0", ">=20.19", true],
    ["20.18.3", ">=20.19", false],
    ["18.99.0", ">=20.19", false],
    ["go1.26.8", "1.25.11", true],
    ["go1.25", "1.25.11", false],
    ["3.216.0-alpha.1", "3.216.0", true],
    ["v3.215.9", "3.216.0", false],
  ]);
  for (const [version, floor, expected] of cases) {
    it(`${version} is ${expected ? "" : "not "}at least ${floor}`, () => {
      assert.equal(isAtLeast(version, floor), expected);
    });
  }
});
