import assert from "node:assert/strict";
import { backendWaves } from "../../../provider/plan/backend-waves.js";

const named = (...names: string[]) => names.map((name) => ({ name }));

describe("backendWaves", () => {
  it("is one BE after the other by default, the canary first", () => {
    assert.deepEqual(backendWaves(named("a", "b", "c"), { maxUnavailable: 1, canary: "b" }), [["b"], ["a"], ["c"]]);
  });

  it("lets as many go together as may be down at once", () => {
    const bounds = { maxUnavailable: 2, canary: "a" } as const;
    assert.deepEqual(backendWaves(named("a", "b", "c", "d"), bounds), [["a"], ["b", "c"], ["d"]]);
  });

  it("never mixes racks, in the order in which the program names them; a BE without one goes alone", () => {
    const backends = [{ name: "a", rack: "r2" }, { name: "b", rack: "r1" }, { name: "c" }, { name: "d", rack: "r2" }];
    assert.deepEqual(backendWaves(backends, { maxUnavailable: 4, canary: false }), [["a", "d"], ["b"], ["c"]]);
  });
});
