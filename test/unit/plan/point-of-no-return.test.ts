import assert from "node:assert/strict";
import { passedBy, pointAhead } from "../../../provider/plan/point-of-no-return.js";
import { planText } from "../../../provider/plan/rollout.js";
import { item } from "../rollout/items.js";

describe("the point of no return", () => {
  const leader = { ...item, id: "FE fe-1", wave: "leader", from: "3.4.5", to: "3.5.7" } as const;

  it("is told before a change of the line of FEs, and only then", () => {
    assert.match(
      planText("lab", [item, leader], { maxUnavailable: 1 }),
      /^Point of no return: the first FE of 3\.5\.7 that leads; until then a node that fails is taken back to 3\.4\.5 \(docs\/changes\.md\)\.$/m,
    );
    assert.match(
      pointAhead([{ ...leader, from: "2.5.21", to: "3.0.9" }]).join(),
      /is taken back to 2\.5\.21, but for an FE that was started with 3\.0\.9: 2\.5\.21 cannot open its bdb any more \(docs/,
    );
    assert.deepEqual(pointAhead([{ ...leader, from: "3.5.6" }]), [], "a patch");
    assert.deepEqual(pointAhead([{ ...leader, from: "3.5.7", to: "3.4.5" }]), [], "a downgrade");
    assert.deepEqual(pointAhead([{ ...leader, wave: "backends" }]), [], "no FE");
  });

  const passed = { from: "3.4.5", to: "3.5.7" };
  const cases = [
    {
      what: "by a change of the line, however often it was resumed",
      recorded: { version: "3.4.5" },
      to: "3.5.7",
      passed,
    },
    { what: "not by a first deployment", recorded: {}, to: "3.5.7", passed: undefined },
    {
      what: "not by a patch, which keeps what was passed",
      recorded: { version: "3.5.7", passed },
      to: "3.5.8",
      passed,
    },
    { what: "no more after a downgrade", recorded: { version: "3.5.8", passed }, to: "3.4.9", passed: undefined },
    { what: "still after a patch down", recorded: { version: "3.5.8", passed }, to: "3.5.7", passed },
  ];
  for (const { what, recorded, to, passed: expected } of cases) {
    it(`is passed ${what}`, () => assert.deepEqual(passedBy(recorded, to), expected));
  }
});
