import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Notes } from "../../../provider/rollout/notes.js";
import { Keepers } from "./keepers.js";

describe("Notes", () => {
  let keepers: Keepers;
  let notes: Notes;
  const cut = (...indexes: readonly number[]): void => {
    for (const [index, keeper] of keepers.all.entries()) {
      keeper.cut = indexes.includes(index);
    }
  };
  beforeEach(() => {
    keepers = new Keepers(3);
    notes = new Notes(keepers.all);
  });
  afterEach(() => keepers.close());

  it("are empty where nothing was ever installed", async () => {
    assert.deepEqual(await notes.read(), {});
  });

  it("keep entries for the next operation", async () => {
    await notes.set("balance", { disable_balance: "false" });
    await notes.set("other", 1);
    await notes.remove("other");
    assert.deepEqual(await new Notes(keepers.all).read(), { balance: { disable_balance: "false" } });
  });

  it("lose nothing of two changes at once", async () => {
    await Promise.all([notes.set("a", 1), notes.set("b", 2), notes.set("c", 3)]);
    assert.deepEqual(await notes.read(), { a: 1, b: 2, c: 3 });
  });

  it("are what a majority was told last, whichever host was away", async () => {
    await notes.set("a", "old");
    cut(2);
    await notes.set("a", "new");
    cut(0);
    assert.deepEqual(await notes.read(), { a: "new" });
    cut(1);
    assert.deepEqual(await notes.read(), { a: "new" });
    await notes.remove("a");
    cut(0);
    assert.deepEqual(await notes.read(), {});
  });

  it("are not guessed where no majority answers, and say who does not", async () => {
    cut(1, 2);
    const silent = /Expected 2 of 3 FE hosts to .*only 1 could.*\nFE fe-2: fe-2: connection refused\nFE fe-3: /s;
    await assert.rejects(notes.read(), silent);
    await assert.rejects(notes.set("a", 1), silent);
  });

  it("survive a damaged file on one host", async () => {
    await notes.set("a", 1);
    const [first] = keepers.all;
    assert(first);
    const path = join(first.folder, "notes.json");
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 20));
    assert.deepEqual(await notes.read(), { a: 1 });
    await notes.set("a", 2);
    assert.equal(JSON.parse(readFileSync(path, "utf8")).entries.a, 2);
  });

  it("work with a single FE", async () => {
    const alone = new Notes(keepers.all.slice(0, 1));
    await alone.set("a", 1);
    assert.deepEqual(await alone.read(), { a: 1 });
  });
});
