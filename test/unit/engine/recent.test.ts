import assert from "node:assert/strict";
import { Recent } from "../../../provider/engine/recent.js";

describe("recent values", () => {
  const making = () => {
    const made: string[] = [];
    const recent = new Recent<string, string>(2);
    const get = (key: string): string =>
      recent.get(key, () => {
        made.push(key);
        return key.toUpperCase();
      });
    return { get, made };
  };

  it("are made once", () => {
    const { get, made } = making();
    assert.deepEqual([get("a"), get("a"), get("a")], ["A", "A", "A"]);
    assert.deepEqual(made, ["a"]);
  });

  it("are forgotten when others were asked for since, the longest unasked first", () => {
    const { get, made } = making();
    for (const key of ["a", "b", "a", "c", "a", "b"]) {
      get(key);
    }
    assert.deepEqual(made, ["a", "b", "c", "b"]);
  });
});
