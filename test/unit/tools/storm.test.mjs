import assert from "node:assert/strict";
import { countsOf, failedStories } from "../../../tools/lib/storm.mjs";

const totals = { storm: 200, plans: 200, throughEngine: 10, failedSeeds: [] };

describe("the storm of npm test", () => {
  it("counts its plans as tests, and those that did not fit as skipped", () => {
    assert.deepEqual(countsOf({ ...totals, plans: 150, failedSeeds: [7] }, 100), {
      ...{ passed: 149, failed: 1, skipped: 50, failures: [] },
    });
  });

  for (const [least, played, problem] of /** @type {const} */ ([
    [1, { plans: 0, throughEngine: 0 }, /^0 of 200 plans were played, wanted were at least 1:/],
    [100, { plans: 99 }, /^99 of 200 plans were played, wanted were at least 100: allow more time \(TEST_MINUTES\)/],
    [100, { throughEngine: 9 }, /^9 plans were played through the real engine, wanted were at least 10:/],
  ])) {
    it(`fails when too little was played: ${JSON.stringify(played)}`, () => {
      const { failed, failures } = countsOf({ ...totals, ...played }, least);
      assert.equal(failed, 1);
      assert.match(failures.join("\n"), problem);
    });
  }

  it("tells the story of what failed once more, and of nothing else", () => {
    const output = [
      "✓ seed 1, handlers, 9.0 s: 1 FE + 1 BE",
      "    1.0 s told with --verbose",
      "✗ seed 2, handlers, 8.0 s: 1 FE + 2 BE",
      "    1.0 s struck: process killed",
      "    2.0 s UNTRUE: recorded is 3.5.8",
      "✗ step 3, handlers, 7.0 s: 1 FE + 2 BE",
      "replay: npm run storm -- --seed 2",
    ].join("\n");
    assert.deepEqual(failedStories(output), [
      "✗ seed 2, handlers, 8.0 s: 1 FE + 2 BE\n    1.0 s struck: process killed\n    2.0 s UNTRUE: recorded is 3.5.8",
      "✗ step 3, handlers, 7.0 s: 1 FE + 2 BE",
    ]);
  });
});
