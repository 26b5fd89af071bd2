import assert from "node:assert/strict";
import { type DiskEntry, parseStorage, storageText } from "../../../provider/starrocks/storage.js";

describe("storage", () => {
  const read: [DiskEntry[], string][] = [
    [["/disk1/starrocks"], "/disk1/starrocks"],
    [["/disk1/", "/disk2"], "/disk1;/disk2"],
    [["/disk1,medium:ssd", { path: "/disk2", medium: "HDD" }], "/disk1,medium:SSD;/disk2,medium:HDD"],
    [[{ path: "/data/sr-3.5", medium: "HDD" }], "/data/sr-3.5,medium:HDD"],
    [["/disk.1/starrocks"], "/disk.1/starrocks"],
    [["/disk1/a", "/disk1/ab"], "/disk1/a;/disk1/ab"],
  ];
  for (const [entries, text] of read) {
    it(`writes ${JSON.stringify(entries)} as ${text}`, () => {
      const { storage, problems } = parseStorage(entries);
      assert.deepEqual(problems, []);
      assert.equal(storageText(storage), text);
    });
  }

  const refused: [DiskEntry[], RegExp][] = [
    [[], /at least one/],
    [["disk1"], /absolute/],
    [["/"], /root of the host/],
    [["/data/sr-3.5"], /ending "\.5" as the storage medium.*medium: "HDD"/],
    [["/d1.ssd"], /ending "\.ssd"/],
    [["/d1;/d2"], /has the character ;/],
    [[{ path: "/d1,medium:SSD" }], /has the character ,/],
    [["/d1 "], /has a blank/],
    [["/a/../b"], /such as "\/b"/],
    [["/a//b"], /such as "\/a\/b"/],
    [["/d1,capacity:100"], /capacity is ignored/],
    [["/d1,SSD"], /expected a path, or a path and "medium:HDD"/],
    [["/d1,medium:SSD,medium:HDD"], /expected a path/],
    [[{ path: "/d1", medium: "NVME" }], /HDD or SSD, got "NVME"/],
    [["/d1", "/d1/"], /"\/d1" is there twice/],
    [["/d1/a", "/d1"], /"\/d1\/a" lies inside "\/d1"/],
  ];
  for (const [entries, message] of refused) {
    it(`refuses ${JSON.stringify(entries)}`, () => {
      const { problems } = parseStorage(entries);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", message);
    });
  }

  it("names all problems and gives the entries it could read", () => {
    const { storage, problems } = parseStorage(["relative", "/ok", "/d.x"]);
    assert.equal(problems.length, 2);
    assert.deepEqual(storage, [{ path: "/ok" }]);
  });
});
