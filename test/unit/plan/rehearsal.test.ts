import assert from "node:assert/strict";
import { needlessBecause, type RehearsalWish, rehearsalItem } from "../../../provider/plan/rehearsal.js";

const release = (version: string, build = "a") => ({ id: `${version}-${build}`, version });
const place = { host: "10.0.0.12", memory: "1g", position: 0 };

describe("whether a new FE is rehearsed", () => {
  const cases: readonly { wish: RehearsalWish; from: string; to: string; steps: number }[] = [
    { wish: "auto", from: "3.5.7", to: "3.5.8", steps: 0 },
    { wish: "auto", from: "3.4.9", to: "3.5.7", steps: 5 },
    { wish: "auto", from: "3.5.7", to: "4.0.1", steps: 5 },
    { wish: "auto", from: "3.5.7", to: "3.5.7", steps: 0 },
    { wish: "always", from: "3.5.7", to: "3.5.8", steps: 5 },
    { wish: "always", from: "3.5.7", to: "3.5.7", steps: 0 },
  ];
  for (const { wish, from, to, steps } of cases) {
    it(`${wish}, ${from} → ${to}: ${steps > 0 ? "yes" : "no"}`, () => {
      const item = rehearsalItem(wish, { from: release(from), to: release(to) }, place);
      assert.equal(item.steps.length, steps);
      assert.ok(item.steps.every(({ when }) => when === undefined));
    });
  }

  it("always: another build of the same version too", () => {
    assert.equal(rehearsalItem("always", { from: release("3.5.7"), to: release("3.5.7", "b") }, place).steps.length, 5);
  });

  it("cannot be told where nothing is recorded: each step has its condition", () => {
    const { steps } = rehearsalItem("auto", { from: undefined, to: release("3.5.7") }, place);
    assert.equal(steps.length, 5);
    assert.ok(steps.every(({ when }) => when === "if a cluster runs already, with another version"));
  });
});

describe("what the leader runs", () => {
  const because = (wish: RehearsalWish, leader: string, from?: string) =>
    needlessBecause(wish, { from: from === undefined ? undefined : release(from), to: release("3.5.8", "b") }, leader);

  it("needs no rehearsal when it is the declared version", () => {
    assert.match(because("always", "3.5.8", "3.5.7") ?? "", /the leader runs 3\.5\.8/);
  });
  it("needs one for another build of it", () => {
    assert.equal(because("always", "3.5.8", "3.5.8"), undefined);
  });
  it("needs none when it is a patch away, unless always", () => {
    assert.match(because("auto", "3.5.7") ?? "", /3\.5\.7 → 3\.5\.8 is a patch/);
    assert.equal(because("always", "3.5.7"), undefined);
  });
  it("needs one when it is a minor version away", () => {
    assert.equal(because("auto", "3.4.9"), undefined);
  });
});
