import assert from "node:assert/strict";
import { packedLike, unpacked } from "../../../provider/engine/packed.js";
import { unknownValue } from "../../../provider/engine/unknown.js";

describe("packed inputs", () => {
  const packed = { name: "be-1", config: '{"mem_limit":"80%"}', storage: '["/disk1"]' };
  const values = { name: "be-1", config: { mem_limit: "80%" }, storage: ["/disk1"] };

  it("are values for handlers, and texts again in what they answer", () => {
    assert.deepEqual(unpacked(packed), values);
    assert.deepEqual(packedLike(packed, { ...values, status: "running" }), { ...packed, status: "running" });
  });

  it("stay values where an earlier release recorded values", () => {
    assert.deepEqual(unpacked(values), values);
    assert.deepEqual(packedLike(values, values), values);
  });

  it("stay as they are where they are unknown, or no value of values was given", () => {
    const inputs = { config: unknownValue, storage: JSON.stringify("/disk1"), limits: "null" };
    assert.deepEqual(unpacked(inputs), inputs);
  });

  it("are no other inputs, however they begin", () => {
    assert.deepEqual(unpacked({ address: "[::1]" }), { address: "[::1]" });
  });

  it("are left out of the answer where handlers leave them out", () => {
    assert.deepEqual(packedLike(packed, { name: "be-1" }), { name: "be-1" });
  });

  it("are the same objects for the same texts, which nobody can change for the others", () => {
    const { config } = unpacked(packed) as { readonly config: Record<string, string> };
    assert.equal(unpacked({ ...packed, name: "be-2" }).config, config);
    assert.throws(() => {
      config.mem_limit = "10%";
    }, TypeError);
  });
});
