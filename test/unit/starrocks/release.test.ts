import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LimitError } from "../../../provider/host/errors.js";
import type { Host } from "../../../provider/host/types.js";
import { observeRelease, type StageOptions, stageRelease } from "../../../provider/starrocks/release.js";
import { onlyDeclaredPrograms, programOf } from "./declared-programs.js";
import { type Bench, buildToy, isRoot, nobody, openBench, type ToyArchive } from "./toy.js";

describe("release", function () {
  onlyDeclaredPrograms();
  this.timeout(30_000);
  let bench: Bench;
  beforeEach(() => {
    bench = openBench();
  });
  afterEach(() => bench.clear());

  const options = (toy: ToyArchive, more: Partial<StageOptions> = {}): StageOptions => ({
    deployDir: bench.deployDir,
    releaseId: toy.releaseId,
    version: toy.version,
    sha256: toy.sha256,
    source: { archive: toy.archive },
    parts: ["fe", "be"],
    javaHome: bench.javaHome,
    ...more,
  });
  const releases = (): string => join(bench.deployDir, "releases");
  const inRelease = (toy: ToyArchive, ...path: string[]): string => join(releases(), toy.releaseId, ...path);
  const incoming = (): readonly string[] => readdirSync(join(releases(), ".incoming"));

  for (const names of [undefined, "dotted", "flat"] as const) {
    it(`stages the wanted part alone, sealed and read-only (names in the archive: ${names ?? "plain"})`, async () => {
      const toy = buildToy(bench.folder, { version: "3.5.7", ...(names ? { names } : {}) });
      const trips = bench.host.trips;
      const staged = await stageRelease(bench.host, options(toy, { parts: ["be"] }));
      assert.equal(bench.host.trips, trips + 3);
      const seal = { version: "3.5.7-d2da301", commit: "d2da301", sha256: toy.sha256, part: "be" } as const;
      assert.deepEqual(staged, { did: "staged", parts: [seal] });
      assert.deepEqual(await observeRelease(bench.host, bench.deployDir, toy.releaseId), [seal]);
      assert.deepEqual(readdirSync(inRelease(toy)), ["be"]);
      for (const path of ["be", "be/lib", "be/lib/starrocks_be", "be/.sealed"]) {
        assert.equal(lstatSync(inRelease(toy, path)).mode & 0o222, 0, path);
      }
      assert.deepEqual(incoming(), []);
    });
  }

  it("adds a missing part to what is there, and sends nothing when all is", async () => {
    const toy = buildToy(bench.folder, { version: "3.5.7" });
    await stageRelease(bench.host, options(toy, { parts: ["be"] }));
    const both = await stageRelease(bench.host, options(toy));
    assert.deepEqual(
      both.parts.map(({ part, version }) => [part, version]),
      [
        ["be", "3.5.7-d2da301"],
        ["fe", "3.5.7"],
      ],
    );
    const trips = bench.host.trips;
    const again = await stageRelease(bench.host, options(toy, { source: { archive: "/nowhere" } }));
    assert.deepEqual([again.did, again.parts.length, bench.host.trips], ["present", 2, trips + 1]);
  });

  it("takes the declared commit into account", async () => {
    const toy = buildToy(bench.folder, { version: "3.5.7" });
    await stageRelease(bench.host, options(toy, { version: "3.5.7-d2da301" }));
    await assert.rejects(
      stageRelease(bench.host, options(toy, { releaseId: "other", version: "3.5.7-0000000" })),
      /archive says 3\.5\.7\S*, declared 3\.5\.7-0000000/,
    );
  });

  for (const part of ["fe", "be"] as const) {
    it(`refuses another version inside ${part}, and leaves nothing unpacked`, async () => {
      const toy = buildToy(bench.folder, { version: "3.5.7", inside: "3.5.70" });
      await assert.rejects(
        stageRelease(bench.host, options(toy, { parts: [part] })),
        /archive says 3\.5\.70\S*, declared 3\.5\.7 .* Correct `release\.version`/,
      );
      assert.deepEqual(incoming(), [`${toy.sha256}.tar.gz`]);
      assert.equal(existsSync(inRelease(toy, part)), false);
    });
  }

  it("refuses what is no release, or cannot tell its version", async () => {
    const cases = [
      [{ version: "3.5.7", without: ["be/lib/starrocks_be"] }, /has no be\/lib\/starrocks_be\. Is it a StarRocks/],
      [{ version: "3.5.7", more: { "be/lib/starrocks_be": "#!/bin/bash\necho GLIBC\nexit 1\n" } }, /but said: GLIBC/],
    ] as const;
    for (const [toy, message] of cases) {
      await assert.rejects(stageRelease(bench.host, options(buildToy(bench.folder, toy), { parts: ["be"] })), message);
    }
    const noJdk = options(buildToy(bench.folder, { version: "3.5.7" }), { javaHome: "/nowhere" });
    await assert.rejects(stageRelease(bench.host, noJdk), /show_fe_version\.sh .* set `javaHome`/s);
    const bytes = "not an archive";
    const archive = join(bench.folder, "x.tar.gz");
    writeFileSync(archive, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const wrong = options({ archive, sha256, version: "3.5.7", releaseId: "3.5.7-x" });
    await assert.rejects(stageRelease(bench.host, wrong), /cannot unpack fe and be from .*not in gzip format/s);
  });

  it("does not unpack an archive of another digest", async () => {
    const toy = buildToy(bench.folder, { version: "3.5.7" });
    await assert.rejects(
      stageRelease(bench.host, options(toy, { sha256: "0".repeat(64) })),
      /Expected sha256 0000.* got [0-9a-f]{64}/,
    );
    assert.equal(existsSync(inRelease(toy)), false);
  });

  it("goes on after an interruption, and clears what the dead run left", async () => {
    const toy = buildToy(bench.folder, { version: "3.5.7" });
    const leftover = join(releases(), ".incoming/unpack.4194305-1.work/be");
    mkdirSync(leftover, { recursive: true });
    // The script of a run that lives is this test itself.
    const stat = readFileSync(`/proc/${process.pid}/stat`, "utf8");
    const alive = `unpack.${process.pid}-${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}.work`;
    mkdirSync(join(releases(), ".incoming", alive));
    mkdirSync(inRelease(toy, "be/lib"), { recursive: true });
    writeFileSync(inRelease(toy, "be/lib/half"), "");
    assert.deepEqual(await observeRelease(bench.host, bench.deployDir, toy.releaseId), []);
    await stageRelease(bench.host, options(toy, { parts: ["be"] }));
    assert.equal(existsSync(inRelease(toy, "be/lib/half")), false);
    assert.deepEqual(incoming(), [alive]);
  });

  it("is harmless when two stage the same at once", async () => {
    const toy = buildToy(bench.folder, { version: "3.5.7" });
    await Promise.allSettled([stageRelease(bench.host, options(toy)), stageRelease(bench.host, options(toy))]);
    await stageRelease(bench.host, options(toy));
    assert.equal((await observeRelease(bench.host, bench.deployDir, toy.releaseId)).length, 2);
    assert.deepEqual(incoming(), []);
  });

  it("bounds the way of the archive to the host, and says which limit to raise", async () => {
    const toy = buildToy(bench.folder, { version: "3.5.7" });
    const failure = { host: "local", command: "upload", stdout: "", stderr: "" };
    const slow: Host = {
      ...bench.host,
      upload: async (_local, _remote, { limit }) => {
        throw new LimitError(`was ended after ${limit} ms`, failure);
      },
    };
    const options = { deployDir: bench.deployDir, parts: ["be"], source: { archive: toy.archive }, ...toy } as const;
    await assert.rejects(
      stageRelease(slow, { ...options, limits: { transfer: 1234 } }),
      /was ended after 1234 ms\. Is the way to the host slow\? `limits\.transfer` bounds all of it/,
    );
  });

  it("works as a user who is not root: unpacked folders are renamed before they lose their write bit", async function () {
    if (!isRoot) {
      this.skip();
    }
    const other = openBench(nobody);
    try {
      const toy = buildToy(other.folder, { version: "3.5.7" });
      await other.stage(toy);
      const release = join(other.deployDir, "releases", toy.releaseId);
      assert.equal(lstatSync(join(release, "be")).mode & 0o222, 0);
    } finally {
      await other.clear();
    }
  });

  it("tells of a full disk before sending, or removes what it unpacked", async function () {
    if (!isRoot) {
      this.skip();
    }
    const deployDir = join(bench.folder, "small");
    mkdirSync(deployDir);
    execFileSync(programOf("mount") ?? "mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", deployDir]);
    try {
      const noise = { "be/lib/noise": Buffer.alloc(3_000_000, "noise") };
      const bomb = buildToy(bench.folder, { version: "3.5.7", more: noise });
      await assert.rejects(
        stageRelease(bench.host, options(bomb, { deployDir, parts: ["be"] })),
        /no space left on .*small \(\S+ of 2\.0M free after removing/,
      );
      assert.deepEqual(readdirSync(join(deployDir, "releases/.incoming")), [`${bomb.sha256}.tar.gz`]);
      rmSync(join(deployDir, "releases"), { recursive: true });
      const random = randomBytes(1_500_000);
      const big = buildToy(bench.folder, { version: "3.5.7", more: { "be/lib/noise": random } });
      await assert.rejects(
        stageRelease(bench.host, options(big, { deployDir, parts: ["be"] })),
        /needs about 5\.\d MB below .*small\/releases, but 2(\.\d)? MB are free\. Nothing was sent/,
      );
      assert.equal(existsSync(join(deployDir, "releases")), false);
    } finally {
      execFileSync(programOf("umount") ?? "umount", [deployDir]);
    }
  });
});
