import assert from "node:assert/strict";
import { type Reporting, strangers } from "../../../provider/plan/expected.js";

const node = (reported: string | undefined, known: readonly string[]): Reporting => ({
  label: "BE 1",
  reported,
  declared: "3.5.8",
  known,
  planned: undefined,
});

describe("a node of a version that nobody gave it", () => {
  for (const reported of ["3.4.9-0123abc", "3.5.7-ee-0123abc"]) {
    it(`is named: ${reported}`, () =>
      assert.deepEqual(strangers([node(reported, ["3.5.7"])]), [`BE 1 runs ${reported}, expected is 3.5.7 or 3.5.8`]));
  }

  it("is not one of the version before, of the declared one, or of one that was switched to on the way", () => {
    const nodes = ["3.5.7-0123abc", "3.5.8-0123abc", "3.5.9-0123abc"].map((text) => node(text, ["3.5.7", "3.5.9"]));
    assert.deepEqual(strangers(nodes), []);
  });

  it("is not one of the version that the state has", () => {
    assert.deepEqual(strangers([{ ...node("3.5.6-0123abc", ["3.5.8"]), planned: "3.5.6" }]), []);
  });

  it("is not one that was never heard, or was never changed by this program", () => {
    assert.deepEqual(strangers([node(undefined, ["3.5.7"]), node("3.4.9-0123abc", [])]), []);
  });
});
