import assert from "node:assert/strict";
import { parseRootPath, parseRootPaths } from "../../../simulator/be/storage/root-path.js";

const asItIs = (path: string): string => path;

describe("simulator: storage_root_path", () => {
  for (const [text, path, medium] of [
    ["/data1", "/data1", "HDD"],
    ["/data1/", "/data1", "HDD"],
    ["/data1,medium:SSD", "/data1", "SSD"],
    ["/data1, medium : ssd ", "/data1", "SSD"],
    ["/data1,medium:HDD,capacity:50", "/data1", "HDD"],
    ["/d1.ssd", "/d1.ssd", "SSD"],
    ["/d1.HDD", "/d1.HDD", "HDD"],
    ["/data/sr-3.5,medium:SSD", "/data/sr-3.5", "SSD"],
    ["/data.old/sr", "/data.old/sr", "HDD"],
  ] as const) {
    it(`\`${text}\` is ${path} on ${medium}`, () => {
      assert.deepEqual(parseRootPath(text, asItIs), { ok: true, root: { path, medium } });
    });
  }

  for (const [text, status] of [
    ["/data/sr-3.5", "Invalid storage medium"],
    ["/data/.starrocks", "Invalid storage medium"],
    ["/data1,medium:NVME", "Invalid storage medium"],
    ["data1", "Invalid store path"],
    ["/", "Invalid store path"],
    ["/data1,50", "Invalid property of store path"],
    ["/data1,size:50", "Invalid property of store path"],
  ] as const) {
    it(`\`${text}\` is refused: ${status}`, () => {
      const result = parseRootPath(text, asItIs);
      assert.ok(!result.ok && result.status.includes(status));
    });
  }

  it("reads the extension of the folder that a link leads to", () => {
    const result = parseRootPath("/data", () => "/mnt/disk.ssd");
    assert.deepEqual(result, { ok: true, root: { path: "/data", medium: "SSD" } });
  });

  it("has one result for each path, empty ones left out", () => {
    assert.deepEqual(
      parseRootPaths("/a;/b.x;;/c;", asItIs).map(({ ok }) => ok),
      [true, false, true],
    );
  });
});
