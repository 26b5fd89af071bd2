import assert from "node:assert/strict";
import { overlayProblems, releaseOfPart, withParts } from "../../../provider/plan/overlay.js";
import { releaseIdOf } from "../../../provider/plan/release-id.js";

const digest = (letter: string): string => letter.repeat(64);
const base = { version: "3.5.7", sha256: digest("a") };
const jar = { archive: "./starrocks-fe.jar", sha256: digest("b") };
const binary = { archive: "./starrocks_be", sha256: digest("c"), version: "3.5.7-hotfix1" };
const fe = { "fe/lib/starrocks-fe.jar": jar };
const be = { "be/lib/starrocks_be": binary };

describe("what nodes of a part run", () => {
  const own = { id: releaseIdOf(base.version, base.sha256), version: base.version };

  it("is the release itself, unless an overlay is over that part", () => {
    assert.deepEqual(releaseOfPart(base, "fe"), own);
    assert.deepEqual(releaseOfPart({ ...base, overlay: {} }, "fe"), own);
    assert.deepEqual(releaseOfPart({ ...base, overlay: fe }, "be"), own);
    assert.deepEqual(releaseOfPart({ ...base, overlay: be }, "fe"), own);
  });

  it("is a release with an id of its own: it stands in users' state", () => {
    assert.deepEqual(releaseOfPart({ ...base, overlay: { ...fe, ...be } }, "fe"), {
      id: "3.5.7-c1545e97ff88",
      version: "3.5.7",
    });
    assert.deepEqual(releaseOfPart({ ...base, overlay: { ...fe, ...be } }, "be"), {
      id: "3.5.7-hotfix1-80c13c0d6d64",
      version: "3.5.7-hotfix1",
    });
  });

  it("depends on the base and on the part's files, not on their order or on where they are from", () => {
    const idOf = (release: Parameters<typeof releaseOfPart>[0]): string => releaseOfPart(release, "fe").id;
    const two = { ...fe, "fe/lib/other.jar": { ...jar, sha256: digest("d") } };
    const reversed = Object.fromEntries(Object.entries(two).reverse());
    const moved = { "fe/lib/starrocks-fe.jar": { ...jar, archive: "/elsewhere" } };
    assert.equal(idOf({ ...base, overlay: two }), idOf({ ...base, overlay: reversed }));
    assert.equal(idOf({ ...base, overlay: fe }), idOf({ ...base, overlay: moved }));
    const ids = [
      { ...base, overlay: fe },
      { ...base, overlay: two },
      { ...base, sha256: digest("e"), overlay: fe },
      { ...base, overlay: { "fe/lib/starrocks-fe.jar": { ...jar, sha256: digest("d") } } },
      { ...base, overlay: { "fe/lib/other.jar": jar } },
    ].map(idOf);
    assert.equal(new Set(ids).size, ids.length);
  });

  it("is what its host needs to know of it", () => {
    assert.deepEqual(withParts({ ...base, overlay: { ...fe, ...be } }, ["fe"]), { ...base, overlay: fe });
    assert.deepEqual(withParts({ ...base, overlay: fe }, ["be"]), base);
    assert.deepEqual(withParts(base, ["fe", "be"]), base);
  });
});

describe("overlayProblems", () => {
  for (const path of [
    "fe/lib/starrocks-fe.jar",
    "be/lib/starrocks_be",
    "be/lib/hadoop/common/a.jar",
    "fe/bin/start_fe.sh",
  ]) {
    it(`takes ${path}`, () => assert.deepEqual(overlayProblems("3.5.7", { [path]: jar }), []));
  }

  for (const path of [
    "starrocks_be",
    "/be/lib/starrocks_be",
    "cn/lib/starrocks_be",
    "be",
    "be/",
    "be/lib/",
    "be//lib/x",
    "be/./lib/x",
    "be/../../x",
    "be/lib/..",
    "be/lib/a\nb",
    "",
  ]) {
    it(`refuses ${JSON.stringify(path)}`, () => {
      const [problem, ...more] = overlayProblems("3.5.7", { [path]: jar });
      assert.match(problem?.reason ?? "", /must be the path of a file inside the release/);
      assert.deepEqual(more, []);
    });
  }

  it("wants one version for all files of a part", () => {
    const other = { "be/lib/other": { version: "3.5.7-hotfix2" } };
    const [problem, ...more] = overlayProblems("3.5.7", { ...be, ...other, ...fe });
    assert.match(problem?.reason ?? "", /has the version 3\.5\.7-hotfix1, but be\/lib\/other has 3\.5\.7-hotfix2/);
    assert.deepEqual(more, []);
  });

  it("wants a build of the base: another release is no single file", () => {
    const [problem] = overlayProblems("3.5.7", { "be/lib/starrocks_be": { version: "3.5.8" } });
    assert.match(problem?.reason ?? "", /has the version 3\.5\.8, which is no build of 3\.5\.7/);
    assert.deepEqual(overlayProblems("3.5.7", { "be/lib/starrocks_be": { version: "3.5.7-d2da301" } }), []);
  });
});
