import assert from "node:assert/strict";
import { removalItems } from "../../../provider/plan/removal.js";
import { line, planText } from "../../../provider/plan/rollout.js";

const fe = { kind: "fe", name: "a" } as const;
const be = { kind: "be", name: "a" } as const;

describe("removalItems", () => {
  it("has nothing to say while every node stays, whoever comes", () => {
    assert.deepEqual(removalItems([fe], [be, fe]), []);
  });

  it("lets each removed node leave the cluster, and then stop", () => {
    assert.deepEqual(removalItems([be, fe], []).map(line), [
      "BE a in the cluster, removed: leave the cluster",
      "BE a, removed: stop → [move its data aside]",
      "FE a in the cluster, removed: leave the cluster",
      "FE a, removed: stop → [move its data aside]",
    ]);
  });

  it("tells an FE from a BE of the same name", () => {
    assert.deepEqual(
      removalItems([be, fe], [be]).map(({ id }) => id),
      ["FE a in the cluster", "FE a"],
    );
  });

  it("is counted in the first line of a plan", () => {
    const [first] = planText("sr", removalItems([be, fe], []), { maxUnavailable: 1 }).split("\n");
    assert.equal(first, "sr: 2 nodes are removed, no other running node is stopped.");
  });
});
