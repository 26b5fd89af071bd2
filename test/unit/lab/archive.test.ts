import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { givenArchives, givenRelease } from "../../lab/archive.js";
import { buildJdk } from "../../simulator/jdk.js";
import { buildRelease } from "../../simulator/release.js";

const entries = (archive: string): readonly string[] =>
  execFileSync("tar", ["-tzf", archive], { encoding: "utf8", maxBuffer: 64 << 20 }).split("\n");

/** A simulated release under another name stands for the user's own. */
describe("a release that the user gives", () => {
  let directory: string;
  let javaHome: string;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "archive-test-"));
    javaHome = await buildJdk({ directory: join(directory, "jdk"), version: 17 });
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it("is named by the environment", () => {
    assert.deepEqual(givenArchives({}), {});
    assert.deepEqual(givenArchives({ STARROCKS_ARCHIVE: "/a.tar.gz", STARROCKS_ARCHIVE_NEXT: "" }), {
      current: "/a.tar.gz",
    });
  });

  it("is used as it is when it is whole and its name tells the version", async () => {
    const built = await buildRelease({ version: "3.4.9", directory });
    const given = await givenRelease(built.archive, { directory });
    assert.deepEqual(
      [given.archive, given.version, given.real, given.sha256],
      [built.archive, "3.4.9", ["fe", "be"], built.sha256],
    );
  });

  it("tells its version itself when its name does not", async () => {
    const built = await buildRelease({ version: "3.5.9", directory, topLevel: "" });
    const renamed = join(directory, "my-build.tar.gz");
    copyFileSync(built.archive, renamed);
    const given = await givenRelease(renamed, { directory, javaHome });
    assert.deepEqual([given.archive, given.version], [renamed, "3.5.9"]);
  });

  it("gets a simulated BE of the same version when it has only an FE", async () => {
    const built = await buildRelease({ version: "3.5.6", directory, parts: ["fe"] });
    const renamed = join(directory, "only-fe.tar.gz");
    copyFileSync(built.archive, renamed);
    const given = await givenRelease(renamed, { directory, javaHome });
    assert.deepEqual([given.version, given.real], ["3.5.6", ["fe"]]);
    const names = entries(given.archive);
    assert.ok(names.includes("fe/bin/start_fe.sh") && names.includes("be/lib/starrocks_be"), names.join("\n"));
  });

  it("is refused when it is none", async () => {
    const archive = join(directory, "none.tar.gz");
    execFileSync("tar", ["-czf", archive, "-C", directory, "jdk/release"]);
    await assert.rejects(givenRelease(archive, { directory }), /Expected a StarRocks release with fe\/ or be\//);
  });
});
