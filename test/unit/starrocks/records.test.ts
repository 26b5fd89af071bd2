import assert from "node:assert/strict";
import { bytes, emitFunction, fieldsOf, groupsOf, integer, recordsOf } from "../../../provider/starrocks/records.js";
import { localHost } from "./local-host.js";

describe("records", () => {
  it("carry any path and text", async () => {
    const value = 'it\'s a "path"\nwith $HOME and ünïcode\n';
    const { stdout } = await localHost().script(`${emitFunction} emit key "$1"; emit empty ''`, [value]);
    assert.deepEqual(recordsOf(stdout), [
      ["key", value],
      ["empty", ""],
    ]);
  });

  it("come in groups", () => {
    const records = [
      ["user", "u"],
      ["folder", "/a"],
      ["state", "empty"],
      ["folder", "/b"],
    ] as const;
    assert.deepEqual(
      groupsOf(records, "folder").map((group) => Object.fromEntries(group)),
      [{ folder: "/a", state: "empty" }, { folder: "/b" }],
    );
    assert.equal(fieldsOf(records).get("folder"), "/b");
  });

  it("of which the last one is dropped when a script died in its midst", () => {
    assert.deepEqual(recordsOf("a\x001\x00b"), [["a", "1"]]);
  });

  it("hold whole numbers or none", () => {
    assert.deepEqual(["7", "", "-1", "1.5", undefined].map(integer), [7, undefined, undefined, undefined, undefined]);
  });

  it("are shown with units", () => {
    assert.deepEqual([0, 999, 1500, 12_345_678, 3.14e9, 5e15].map(bytes), [
      "0 B",
      "999 B",
      "1.5 kB",
      "12 MB",
      "3.1 GB",
      "5000 TB",
    ]);
  });
});
