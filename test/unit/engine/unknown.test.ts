import assert from "node:assert/strict";
import { runtime } from "@pulumi/pulumi";
import { hasUnknown, isUnknown, unknownValue, valueAt } from "../../../provider/engine/unknown.js";

describe("unknownValue", () => {
  it("is the SDK's own", () => assert.equal(unknownValue, runtime.unknownValue));
});

describe("hasUnknown", () => {
  const table: readonly { what: string; value: unknown; unknown: boolean }[] = [
    { what: "a text", value: "10.0.0.1", unknown: false },
    { what: "a text that holds one", value: `a ${unknownValue}`, unknown: false },
    { what: "nothing", value: undefined, unknown: false },
    { what: "null", value: null, unknown: false },
    { what: "0", value: 0, unknown: false },
    { what: "empty things", value: { a: [], b: {} }, unknown: false },
    { what: "the value", value: unknownValue, unknown: true },
    { what: "a list with it", value: ["a", unknownValue], unknown: true },
    { what: "an object with it, deep down", value: { a: [{ b: { c: unknownValue } }] }, unknown: true },
  ];
  for (const { what, value, unknown } of table) {
    it(`${unknown ? "finds it in" : "finds none in"} ${what}`, () => {
      assert.equal(hasUnknown(value), unknown);
    });
  }
});

describe("valueAt", () => {
  const value = { ports: { http: 8030 }, nodes: [{ name: "a" }], later: unknownValue, none: null };
  const table: readonly { path: readonly PropertyKey[]; found: unknown }[] = [
    { path: [], found: value },
    { path: ["ports", "http"], found: 8030 },
    { path: ["nodes", 0, "name"], found: "a" },
    { path: ["nodes", 1, "name"], found: undefined },
    { path: ["missing", "deep"], found: undefined },
    { path: ["none", "deep"], found: null },
    { path: ["ports", "http", "deep"], found: 8030 },
    { path: ["later", "deep", 0], found: unknownValue },
  ];
  for (const { path, found } of table) {
    it(`${path.map(String).join(".") || "nowhere"}: ${JSON.stringify(found) ?? "nothing"}`, () => {
      assert.equal(valueAt(value, path), found);
      assert.equal(isUnknown(valueAt(value, path)), found === unknownValue);
    });
  }
});
