import assert from "node:assert/strict";
import { isSteady, isSteadySoon, Steady } from "../../../provider/rollout/steady.js";

const noted = (...readings: readonly string[]): boolean => {
  const steady = new Steady();
  return readings.map((reading) => steady.note(reading)).at(-1) ?? false;
};

describe("Steady", () => {
  const table: readonly { readings: readonly string[]; proof: boolean }[] = [
    { readings: ["a"], proof: false },
    { readings: ["a", "a"], proof: false },
    { readings: ["a", "a", "a"], proof: true },
    { readings: ["a", "a", "b"], proof: false },
    { readings: ["a", "a", "b", "a"], proof: false },
    { readings: ["b", "a", "a", "a", "a"], proof: true },
  ];
  for (const { readings, proof } of table) {
    it(`${proof ? "takes" : "does not take"} ${readings.join(", ")} for a proof`, () => {
      assert.equal(noted(...readings), proof);
    });
  }

  it("begins anew after something else was seen", () => {
    const steady = new Steady();
    steady.note("a");
    steady.note("a");
    steady.reset();
    assert.equal(steady.note("a"), false);
  });

  it("asks to be looked at again soon where only rows are read", () => {
    const steady = new Steady();
    assert.deepEqual(isSteadySoon(steady, "Alive"), { done: false, seen: "Alive, once more", soon: true });
    isSteadySoon(steady, "Alive");
    assert.deepEqual(isSteadySoon(steady, "Alive"), { done: true, value: undefined });
  });

  it("is a look that says what is seen once more", () => {
    const steady = new Steady();
    assert.deepEqual(isSteady(steady, "Alive"), { done: false, seen: "Alive, once more" });
    isSteady(steady, "Alive");
    assert.deepEqual(isSteady(steady, "Alive"), { done: true, value: undefined });
  });
});
