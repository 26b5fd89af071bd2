import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimFormat, openTablets, type TabletStore } from "../../../simulator/be/storage/tablets.js";

describe("simulator: tablets of a BE", () => {
  let folder: string;
  let roots: readonly string[];
  const open = (): TabletStore => openTablets(roots);
  const write = (store: TabletStore, version: number, key: string, more: object = {}) =>
    store.write("10", { version, prevVersion: version - 1, rows: [[key, version]], ...more });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "be-tablets-"));
    roots = ["a", "b"].map((name) => join(folder, name));
    for (const root of roots) {
      for (const name of ["data", "meta", "trash"]) {
        mkdirSync(join(root, name), { recursive: true });
      }
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("reads at any version what was written up to it, after a restart too", () => {
    const store = open();
    store.create("10", 1);
    write(store, 2, "a");
    write(store, 3, "b");
    for (const each of [store, open()]) {
      assert.deepEqual(each.read("10", 2), { status: "OK", version: 2, rows: [["a", 2]] });
      assert.deepEqual(each.read("10"), {
        status: "OK",
        version: 3,
        rows: [
          ["a", 2],
          ["b", 3],
        ],
      });
      assert.equal(each.read("10", 4).status, "FAIL");
    }
  });

  it("takes only the next version, and tells the one it has", () => {
    const store = open();
    store.create("10", 1);
    const refused = write(store, 4, "d");
    assert.ok(refused.status === "FAIL" && refused.version === 1);
    assert.equal(write(store, 2, "a").status, "OK");
    assert.equal(write(store, 2, "a").status, "FAIL");
  });

  it("can discard versions that were never committed", () => {
    const store = open();
    store.create("10", 1);
    write(store, 2, "a");
    write(store, 3, "lost");
    assert.equal(store.write("10", { version: 4, prevVersion: 2, rows: [["b", 4]], discardNewer: true }).status, "OK");
    assert.deepEqual(open().read("10"), {
      status: "OK",
      version: 4,
      rows: [
        ["a", 2],
        ["b", 4],
      ],
    });
  });

  it("cuts off a line that a kill left half written", () => {
    const store = open();
    store.create("10", 1);
    write(store, 2, "a");
    const [{ root } = { root: "" }] = store.list();
    appendFileSync(join(root, "data/10/10/rowsets.jsonl"), '{"version":3,"ro');
    const after = open();
    assert.deepEqual(after.list(), [{ id: "10", version: 2, root }]);
    assert.equal(write(after, 3, "b").status, "OK");
    assert.equal(open().list()[0]?.version, 3);
  });

  it("spreads tablets over the roots, replaces and drops them", () => {
    const store = open();
    for (const id of ["1", "2", "3", "4"]) {
      store.create(id, 1);
    }
    assert.deepEqual(
      roots.map((root) => store.list().filter((tablet) => tablet.root === root).length),
      [2, 2],
    );
    store.replace("1", 9, [["x", 1]]);
    store.drop("2");
    assert.deepEqual(
      open()
        .list()
        .map(({ id, version }) => [id, version])
        .sort(),
      [
        ["1", 9],
        ["3", 1],
        ["4", 1],
      ],
    );
  });

  it("is not opened by a build that does not know its format", () => {
    const [root = ""] = roots;
    assert.equal(claimFormat(root, 1, "3.5.7"), undefined);
    assert.equal(claimFormat(root, 2, "3.5.8"), undefined);
    assert.match(claimFormat(root, 1, "3.5.7") ?? "", /unsupported data format 2 in .*, written by 3\.5\.8/);
  });
});
