import assert from "node:assert/strict";
import { versionChange } from "../../../provider/plan/change.js";
import { isDowngrade } from "../../../provider/plan/preflight.js";

describe("versionChange", () => {
  const table = [
    ["3.5.6", "3.5.7", "up", "patch"],
    ["3.5.9", "3.5.10", "up", "patch"],
    ["3.4.9", "3.5.0", "up", "minor"],
    ["2.5.22", "3.0.0", "up", "major"],
    ["3.5.7", "3.5.6", "down", "patch"],
    ["3.5.0", "3.4.9", "down", "minor"],
    ["3.5.7", "3.5.7", "same", "patch"],
    ["3.5.7", "3.5.7-ee", "same", "patch"],
    ["3.5.7-rc1", "3.5.7", "up", "patch"],
    ["not a version", "3.5.7", "same", "patch"],
  ] as const;
  for (const [from, to, direction, size] of table) {
    it(`${from} → ${to}: ${direction}, ${size}`, () => {
      assert.deepEqual(versionChange(from, to), { direction, size });
    });
  }
});

describe("isDowngrade", () => {
  const table: readonly { declared: string; running: readonly (string | undefined)[]; downgrade: boolean }[] = [
    { declared: "3.5.7", running: [], downgrade: false },
    { declared: "3.5.7", running: ["3.5.7", "3.5.7"], downgrade: false },
    { declared: "3.5.7", running: ["3.5.6", "3.5.7"], downgrade: false },
    { declared: "3.5.6", running: ["3.5.7", "3.5.6"], downgrade: true },
    { declared: "3.5.9", running: ["3.5.10"], downgrade: true },
    // As SHOW FRONTENDS reports them, with the commit.
    { declared: "3.5.6", running: ["3.5.7-d2da301"], downgrade: true },
    { declared: "3.5.7", running: ["3.5.7-d2da301"], downgrade: false },
    // An FE that never reported says nothing.
    { declared: "3.5.6", running: [undefined, "UNKNOWN"], downgrade: false },
  ];
  for (const { declared, running, downgrade } of table) {
    it(`${declared} over ${running.join(", ") || "nothing"}: ${downgrade ? "yes" : "no"}`, () => {
      assert.equal(isDowngrade(declared, running), downgrade);
    });
  }
});
