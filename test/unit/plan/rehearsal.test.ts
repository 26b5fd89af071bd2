import assert from "node:assert/strict";
import {
  needlessBecause,
  nowRehearsed,
  type Ran,
  type RehearsalWish,
  type Rehearsed,
  rehearsalItem,
  rehearsedAlready,
} from "../../../provider/plan/rehearsal.js";

const release = (version: string, build = "a") => ({ id: `${version}-${build}`, version });
/** What a change that was made leaves recorded. */
const made = (version: string, build?: string): Rehearsed => rehearsedAlready(release(version, build));
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
      const item = rehearsalItem(wish, { from: made(from), to: release(to) }, place);
      assert.equal(item.steps.length, steps);
      assert.ok(item.steps.every(({ when }) => when === undefined));
    });
  }

  it("always: another build of the same version too", () => {
    assert.equal(rehearsalItem("always", { from: made("3.5.7"), to: release("3.5.7", "b") }, place).steps.length, 5);
  });

  /** The last rehearsal was of `to`, on FEs that ran `against`; whether they were changed after it is not known. */
  const rehearsed = (to: string, against: string | undefined) => ({
    to: release(to),
    against: against === undefined ? undefined : release(against),
  });
  const when = (wish: RehearsalWish, from: Rehearsed, to = release("3.5.8")): readonly unknown[] => {
    const { steps } = rehearsalItem(wish, { from, to }, place);
    return [steps.length, ...new Set(steps.map((step) => step.when))];
  };

  it("of a patch, where the FEs may still run the line that was to be left, only if they do", () => {
    assert.deepEqual(when("auto", rehearsed("3.5.7", "3.4.9")), [5, "if the FEs still run 3.4.9"]);
    assert.deepEqual(when("auto", rehearsed("3.5.7", "3.4.9"), release("3.5.7", "mended")), [
      5,
      "if the FEs still run 3.4.9",
    ]);
    assert.deepEqual(when("auto", rehearsed("3.5.7", "3.5.6")), [0]);
  });
  it("of the line that was to be left, only if the FEs have left it", () => {
    assert.deepEqual(when("auto", rehearsed("3.5.7", "3.4.9"), release("3.4.10")), [5, "if the FEs run 3.5.7"]);
  });
  it("of yet another line, always", () => {
    assert.deepEqual(when("auto", rehearsed("3.5.7", "3.4.9"), release("4.0.1")), [5, undefined]);
    assert.deepEqual(when("always", rehearsed("3.5.7", "3.4.9")), [5, undefined]);
  });
  it("of what was rehearsed last, never again", () => {
    assert.deepEqual(when("auto", rehearsed("3.5.7", "3.4.9"), release("3.5.7")), [0]);
    assert.deepEqual(when("always", rehearsed("3.5.7", undefined), release("3.5.7")), [0]);
  });
  it("depends on what runs where a state of before does not tell", () => {
    assert.deepEqual(when("auto", rehearsed("3.5.7", undefined)), [5, "if the FEs run another minor version"]);
    assert.deepEqual(when("auto", rehearsed("3.4.9", undefined)), [5, undefined]);
  });

  it("cannot be told where nothing is recorded: each step has its condition", () => {
    const { steps } = rehearsalItem("auto", { from: undefined, to: release("3.5.7") }, place);
    assert.equal(steps.length, 5);
    assert.ok(steps.every(({ when }) => when === "if a cluster runs already, with another version"));
  });
});

describe("what the leader runs", () => {
  const because = (wish: RehearsalWish, leader: string, from?: string) =>
    needlessBecause(wish, { from: from === undefined ? undefined : made(from), to: release("3.5.8", "b") }, leader);

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
  it("is another build where it is known to be, and none where it is gone back to", () => {
    const from = { to: release("3.5.9"), against: release("3.5.8", "a") };
    const again = (build: string) => needlessBecause("always", { from, to: release("3.5.8", build) }, "3.5.8");
    assert.match(again("a") ?? "", /the leader runs 3\.5\.8/);
    assert.equal(again("b"), undefined);
  });
});

describe("what is recorded of a rehearsal", () => {
  const to = release("3.5.8");
  const cases: readonly { what: string; from: Rehearsed | undefined; leader?: string; against: Ran | undefined }[] = [
    {
      what: "what the leader runs, as that build that is known",
      from: { to: release("3.5.7"), against: release("3.4.9") },
      leader: "3.4.9",
      against: release("3.4.9"),
    },
    {
      what: "its version alone where it is no known one",
      from: made("3.5.7"),
      leader: "3.4.8",
      against: { version: "3.4.8" },
    },
    { what: "its version where nothing was recorded", from: undefined, leader: "3.4.9", against: { version: "3.4.9" } },
    { what: "the release itself where nothing runs", from: undefined, against: to },
    {
      what: "the last one where none was asked, as it was a patch away",
      from: made("3.5.7"),
      against: release("3.5.7"),
    },
    {
      what: "the same as before where only the way to it was changed",
      from: { to, against: release("3.4.9") },
      against: release("3.4.9"),
    },
    { what: "no more than before of a state that did not tell", from: { to, against: undefined }, against: undefined },
  ];
  for (const { what, from, leader, against } of cases) {
    it(`is ${what}`, () => assert.deepEqual(nowRehearsed({ from, to }, leader), { to, against }));
  }

  it("keeps what still runs through one failed change after the other", () => {
    let from: Rehearsed = made("3.4.9");
    for (const version of ["3.5.7", "3.5.8", "3.5.9"]) {
      const { steps } = rehearsalItem("auto", { from, to: release(version) }, place);
      assert.equal(steps.length, 5, version);
      assert.equal(needlessBecause("auto", { from, to: release(version) }, "3.4.9"), undefined);
      from = nowRehearsed({ from, to: release(version) }, "3.4.9");
    }
  });
});
