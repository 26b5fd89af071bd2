import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../provider/error.js";
import { type ComposeOptions, composeRelease } from "../../../provider/starrocks/compose.js";
import { pruneReleases } from "../../../provider/starrocks/prune.js";
import { observeRelease } from "../../../provider/starrocks/release.js";
import { onlyDeclaredPrograms } from "./declared-programs.js";
import { type Bench, buildToy, isRoot, nobody, openBench, type ToyArchive } from "./toy.js";

const jarOf = (version: string): string => `Build version: ${version}\nCommit hash: abcdef0\n`;
const binaryOf = (version: string): string => `#!/bin/bash\necho ${version}-abcdef0\n`;

describe("composeRelease", function () {
  onlyDeclaredPrograms();
  this.timeout(30_000);
  let bench: Bench;
  let toy: ToyArchive;
  beforeEach(async () => {
    bench = openBench();
    toy = buildToy(bench.folder, { version: "3.5.7" });
    await bench.stage(toy);
  });
  afterEach(() => bench.clear());

  const options = (content: string, more: Partial<ComposeOptions> = {}): ComposeOptions => {
    const archive = join(bench.folder, `hotfix ${Math.random().toString(36).slice(2)}`);
    writeFileSync(archive, content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    return {
      deployDir: bench.deployDir,
      base: { id: toy.releaseId, version: toy.version },
      releaseId: "3.5.7-hotfix1-000000000001",
      version: "3.5.7-hotfix1",
      sha256: "1".repeat(64),
      part: "fe",
      files: [{ path: "fe/lib/starrocks-fe.jar", archive, sha256 }],
      javaHome: bench.javaHome,
      ...more,
    };
  };
  const inRelease = (id: string, ...path: string[]): string => join(bench.deployDir, "releases", id, ...path);
  const composed = (...path: string[]): string => inRelease("3.5.7-hotfix1-000000000001", ...path);
  const incoming = (): readonly string[] => readdirSync(inRelease(".incoming"));

  it("replaces the file in a sealed, read-only copy of the part, and leaves the base as it is", async () => {
    const jar = inRelease(toy.releaseId, "fe/lib/starrocks-fe.jar");
    const before = readFileSync(jar, "utf8");
    const seals = await observeRelease(bench.host, bench.deployDir, toy.releaseId);
    assert.equal(await composeRelease(bench.host, options(jarOf("3.5.7-hotfix1"))), "composed");
    assert.deepEqual(readdirSync(composed()), ["fe"], "the other part is the base's");
    assert.equal(readFileSync(composed("fe/lib/starrocks-fe.jar"), "utf8"), jarOf("3.5.7-hotfix1"));
    assert.deepEqual(await observeRelease(bench.host, bench.deployDir, "3.5.7-hotfix1-000000000001"), [
      { version: "3.5.7-hotfix1", commit: "abcdef0", sha256: "1".repeat(64), part: "fe" },
    ]);
    for (const path of ["fe", "fe/lib", "fe/lib/starrocks-fe.jar", "fe/.sealed", "fe/bin/start_fe.sh"]) {
      assert.equal(lstatSync(composed(path)).mode & 0o222, 0, path);
    }
    assert.equal(
      lstatSync(composed("fe/bin/start_fe.sh")).ino,
      lstatSync(inRelease(toy.releaseId, "fe/bin/start_fe.sh")).ino,
    );
    assert.equal(readFileSync(jar, "utf8"), before);
    assert.deepEqual(await observeRelease(bench.host, bench.deployDir, toy.releaseId), seals);
    assert.deepEqual(incoming(), []);
  });

  it("keeps the file's mode: a program stays one", async () => {
    const files = options(binaryOf("3.5.7")).files.map((file) => ({ ...file, path: "be/lib/starrocks_be" }));
    await composeRelease(bench.host, options("", { part: "be", version: "3.5.7", files }));
    assert.equal(lstatSync(composed("be/lib/starrocks_be")).mode & 0o777, 0o555);
  });

  it("does nothing in one round trip where it is there, without the file", async () => {
    await composeRelease(bench.host, options(jarOf("3.5.7-hotfix1")));
    const { trips } = bench.host;
    const files = [{ path: "fe/lib/starrocks-fe.jar", archive: "/nowhere", sha256: "2".repeat(64) }];
    assert.equal(await composeRelease(bench.host, options("", { files })), "present");
    assert.equal(bench.host.trips, trips + 1);
  });

  it("outlives its base, and is removed like any release", async () => {
    await composeRelease(bench.host, options(jarOf("3.5.7-hotfix1")));
    await pruneReleases(bench.host, { deployDir: bench.deployDir, keep: ["3.5.7-hotfix1-000000000001"] });
    assert.equal(existsSync(inRelease(toy.releaseId)), false);
    assert.ok(readFileSync(composed("fe/bin/start_fe.sh"), "utf8").startsWith("#!/bin/bash"));
    await pruneReleases(bench.host, { deployDir: bench.deployDir, keep: [] });
    assert.equal(existsSync(composed()), false);
  });

  it("sends nothing that would replace no file, and names it", async () => {
    const [file] = options("x").files as [ComposeOptions["files"][number]];
    for (const path of ["fe/lib/no.jar", "fe/lib"]) {
      const { trips } = bench.host;
      await assert.rejects(composeRelease(bench.host, options("x", { files: [{ ...file, path }] })), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, new RegExp(`release\\.overlay\\["${path}"\\].*the release has no file ${path}\\.`));
        return true;
      });
      assert.equal(bench.host.trips, trips + 1);
    }
  });

  it("refuses a file that says another version than is declared, before any node runs it", async () => {
    for (const [said, version] of [
      ["3.5.7-hotfix2", "3.5.7-hotfix1"],
      ["3.5.7-hotfix1", "3.5.7"],
      ["3.5.7", "3.5.7-hotfix1"],
    ] as const) {
      await assert.rejects(
        composeRelease(bench.host, options(jarOf(said), { version })),
        new RegExp(`with it the FE says ${said}, declared ${version}\\. Set its \`version\``),
      );
    }
    await assert.rejects(
      composeRelease(bench.host, options("no jar")),
      /show_fe_version\.sh should tell the version, but said: no jar/,
    );
    assert.equal(existsSync(composed("fe")), false);
    assert.ok(incoming().every((name) => name.endsWith(".overlay")));
  });

  it("refuses a file of another digest", async () => {
    const [file] = options(jarOf("3.5.7")).files as [ComposeOptions["files"][number]];
    const files = [{ ...file, sha256: "0".repeat(64) }];
    await assert.rejects(composeRelease(bench.host, options("", { files })), /[Ee]xpected (sha256 )?0{4}/);
    assert.equal(existsSync(composed("fe")), false);
  });

  it("is harmless when two compose the same at once, and after a folder that was never sealed", async () => {
    const wish = options(jarOf("3.5.7-hotfix1"));
    await Promise.allSettled([composeRelease(bench.host, wish), composeRelease(bench.host, wish)]);
    await composeRelease(bench.host, wish);
    assert.equal((await observeRelease(bench.host, bench.deployDir, wish.releaseId)).length, 1);
    assert.deepEqual(incoming(), []);
  });

  it("works as a user who is not root", async function () {
    if (!isRoot) {
      this.skip();
    }
    const other = openBench(nobody);
    try {
      const own = buildToy(other.folder, { version: "3.5.7" });
      await other.stage(own);
      const wish = options(jarOf("3.5.7-hotfix1"), {
        deployDir: other.deployDir,
        javaHome: other.javaHome,
        base: { id: own.releaseId, version: own.version },
      });
      assert.equal(await composeRelease(other.host, wish), "composed");
    } finally {
      await other.clear();
    }
  });
});
