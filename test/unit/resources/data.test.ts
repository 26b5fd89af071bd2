import assert from "node:assert/strict";
import { dataProblem } from "../../../provider/resources/node/data.js";
import type { DataFolder } from "../../../provider/starrocks/folders.js";
import type { HomeMarker } from "../../../provider/starrocks/marker.js";
import { be, fe } from "../plan/specs.js";

const owner = { schema: 1, cluster: "lab/dev/analytics", node: "be-1", kind: "be" } as const;
const proven: HomeMarker = { ...owner, releases: [{ id: "3.5.6-aaaaaaaaaaaa", version: "3.5.6", at: "" }] };
const conf = (storage: string) => ({ text: `storage_root_path = ${storage}\n`, sha256: "", modifiedAt: 0 });
const content = { hasVersion: false, count: 1, names: ["cluster_id"] };
const ours = (path: string): DataFolder => ({ path, state: "data", marker: owner, content });
const missing = (path: string): DataFolder => ({ path, state: "missing" });

describe("data folders of a BE", () => {
  const spec = be({ storage: ["/disk1/starrocks", "/disk2/starrocks,medium:SSD"] });
  const data = [ours("/disk1/starrocks"), missing("/disk2/starrocks")];
  const notMounted = /^\/disk2\/starrocks on h is missing, but BE be-1 has run before: is its disk not mounted\?/;

  it("may be new ones beside those that it was proven with", () => {
    const marker = { ...proven, data: ["/disk1/starrocks"] };
    assert.equal(dataProblem(spec, "h", { marker, data }), undefined);
    // It wrote its conf file and did not start: still no data was ever in it.
    const empty: DataFolder = { path: "/disk2/starrocks", state: "empty", marker: owner };
    const written = conf("/disk1/starrocks;/disk2/starrocks");
    assert.equal(dataProblem(spec, "h", { marker, conf: written, data: [ours("/disk1/starrocks"), empty] }), undefined);
  });

  it("are not started without one of them", () => {
    const marker = { ...proven, data: ["/disk1/starrocks", "/disk2/starrocks"] };
    assert.match(dataProblem(spec, "h", { marker, data }) ?? "", notMounted);
    assert.equal(dataProblem({ ...spec, adopt: true }, "h", { marker, data }), undefined);
    assert.equal(
      dataProblem(spec, "h", { marker: { ...marker, left: { how: "decommissioned", at: "" } }, data }),
      undefined,
    );
  });

  it("may be those of another node's home that its cluster let go", () => {
    const left: HomeMarker = { ...proven, node: "be-9", left: { how: "decommissioned", at: "" } };
    assert.equal(dataProblem(spec, "h", { marker: left, data: [missing("/disk1/starrocks")] }), undefined);
    const { left: _, ...living } = left;
    assert.match(dataProblem(spec, "h", { marker: living, data: [] }) ?? "", /is the home of BE "be-9"/);
  });

  for (const [how, written, expected] of [
    ["names a folder", conf("/disk1/starrocks;/disk2/starrocks,medium:SSD;"), notMounted],
    ["does not name it", conf("/disk1/starrocks"), undefined],
    ["is gone", undefined, notMounted],
  ] as const) {
    it(`of an earlier package's home are known where its be.conf ${how}`, () => {
      const problem = dataProblem(spec, "h", { marker: proven, ...(written && { conf: written }), data });
      assert.ok(expected ? expected.test(problem ?? "") : problem === undefined, problem);
    });
  }
});

describe("the metadata folder of an FE", () => {
  it("may be lost: it joins its group again", () => {
    const marker: HomeMarker = { ...proven, node: "fe-1", kind: "fe", data: ["/opt/starrocks/fe/meta"] };
    assert.equal(dataProblem(fe(), "h", { marker, data: [missing("/opt/starrocks/fe/meta")] }), undefined);
  });
});
