import assert from "node:assert/strict";
import { isNewer, parseStarRocksTime } from "../../../provider/starrocks/time.js";

describe("time", () => {
  const rows: [string | undefined, string | undefined, boolean, string][] = [
    ["2026-11-22 20:54:32", "2026-11-22 20:54:33", true, "a second later"],
    ["2026-11-22 20:54:32", "2026-11-22 20:54:32", false, "the same"],
    ["2026-11-22 20:54:32", undefined, false, "not heard yet"],
    [undefined, "2026-11-22 20:54:32", true, "never heard before"],
    [undefined, undefined, false, "never heard"],
    ["2026-10-25 02:59:30", "2026-10-25 02:00:10", true, "the end of daylight saving between"],
    ["2026-11-22 20:54:32", "2026-11-22 12:54:32", false, "read in another zone"],
    ["2026-11-22 20:54:32", "2026-11-22 19:54:32", false, "the same process, read in the next zone to the west"],
    ["garbage", "2026-11-22 12:54:32", true, "unreadable before"],
    ["2026-11-22 20:54:32", "garbage", false, "unreadable after"],
  ];
  for (const [before, after, newer, name] of rows) {
    it(`${newer ? "yes" : "no"}: ${name}`, () => assert.equal(isNewer(before, after), newer));
  }
  it("orders times", () => {
    assert.equal(parseStarRocksTime("1970-01-02 00:00:01"), 86_401_000);
    assert.equal(parseStarRocksTime("NULL"), undefined);
  });
});
