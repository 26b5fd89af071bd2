import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storedEngine, storeEngine } from "../../../tools/engine/store.mjs";

describe("storeEngine", () => {
  /** @type {string} */
  let cache;
  const before = process.env.XDG_CACHE_HOME;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), "pulumi-starrocks-"));
    process.env.XDG_CACHE_HOME = cache;
  });
  afterEach(() => {
    rmSync(cache, { recursive: true });
    process.env.XDG_CACHE_HOME = before;
    if (before === undefined) {
      delete process.env.XDG_CACHE_HOME;
    }
  });
  const store = () => join(cache, "pulumi-starrocks/engine");
  const quiet = () => undefined;

  /** A CLI that only tells its version. */
  const fill = async (/** @type {string} */ folder) => {
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/pulumi"), "#!/bin/sh\necho v3.259.0\n");
    chmodSync(join(folder, "bin/pulumi"), 0o755);
    return undefined;
  };

  it("keeps an engine under its key", async () => {
    const engine = { binFolder: join(store(), "key/bin"), version: "3.259.0", source: "test" };
    assert.equal(await storedEngine("key", "test"), undefined);
    assert.deepEqual(await storeEngine("key", "test", fill, quiet), engine);
    assert.deepEqual(await storedEngine("key", "test"), engine);
    assert.deepEqual(readdirSync(store()), ["key"]);
  });

  it("leaves nothing when it cannot be made", async () => {
    assert.equal(await storeEngine("key", "test", async () => "no network", quiet), "no network");
    assert.deepEqual(readdirSync(store()), []);
  });

  it("removes what an interrupted build and its dead process left", async () => {
    mkdirSync(join(store(), "key.part-old/bin"), { recursive: true });
    // Larger than any process number.
    writeFileSync(join(store(), "key.lock"), "99999999");
    await storeEngine("key", "test", fill, quiet);
    assert.deepEqual(readdirSync(store()), ["key"]);
  });

  it("makes an engine once for two that want it", async () => {
    let made = 0;
    const fillOnce = async (/** @type {string} */ folder) => {
      made += 1;
      return fill(folder);
    };
    const both = await Promise.all([1, 2].map(() => storeEngine("key", "test", fillOnce, quiet)));
    assert.equal(made, 1);
    assert.deepEqual(both[0], both[1]);
  });
});
