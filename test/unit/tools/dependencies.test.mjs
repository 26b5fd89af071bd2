import assert from "node:assert/strict";
import { isInstalled } from "../../../tools/lib/dependencies.mjs";

describe("isInstalled", () => {
  const wanted = {
    "": { version: "0.1.0" },
    "node_modules/ssh2": { version: "1.17.0" },
    "node_modules/esbuild-win32": { version: "1.0.0", optional: true },
  };
  const ssh2 = { "node_modules/ssh2": { version: "1.17.0" } };
  const cases = /** @type {const} */ ([
    ["every package at its version, optional ones left out", ssh2, true],
    ["another version", { "node_modules/ssh2": { version: "1.16.0" } }, false],
    ["a package too few", {}, false],
    ["a package too many", { ...ssh2, "node_modules/left-pad": { version: "1.0.0" } }, false],
  ]);
  for (const [name, installed, expected] of cases) {
    it(`is ${expected} with ${name}`, () => {
      assert.equal(isInstalled(wanted, installed), expected);
    });
  }
});
