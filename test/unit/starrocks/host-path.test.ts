import assert from "node:assert/strict";
import { hostPathProblem } from "../../../provider/starrocks/host-path.js";

describe("the characters of a path on a host", () => {
  for (const path of ["/opt/starrocks", "/opt/StarRocks_3.5-x/@1+a=b", "/données/sr"]) {
    it(`may be ${path}`, () => assert.equal(hostPathProblem(path), undefined));
  }

  const cases: readonly (readonly [odd: string, name: string])[] = [
    [" ", "a blank"],
    ["\t", "a tab"],
    ["\n", "a line break"],
    ["\r", "a line break"],
    ["\u0000", "the character U+0000"],
    ["\u00a0", "the character U+00A0"],
    ["\u200b", "the character U+200B"],
    ...[..."\"'`$\\;,#:*?&|<>(){}[]!~%^"].map((odd) => [odd, `the character ${odd}`] as const),
  ];
  for (const [odd, name] of cases) {
    it(`may not be ${JSON.stringify(odd)}`, () => {
      assert.ok(hostPathProblem(`/opt/star${odd}rocks`)?.startsWith(`has ${name} in it: `));
    });
  }
});
