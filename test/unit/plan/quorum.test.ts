import assert from "node:assert/strict";
import { describeQuorum, pauseText, quorumProblem, type Voter } from "../../../provider/plan/quorum.js";

/** FEs as text: `1* 2 3- 4? 5o` are leader, follower, dead, not joined, observer. */
const group = (text: string): readonly Voter[] =>
  text.split(" ").map((one) => {
    const roles = { "*": "leader", o: "observer" } as const;
    const role = roles[one.slice(1) as keyof typeof roles] ?? "follower";
    return { name: one.charAt(0), role, join: !one.endsWith("?"), alive: !one.endsWith("-") };
  });

describe("quorum", () => {
  const cases: [string, string, boolean][] = [
    ["1* 2 3", "2", true],
    ["1* 2 3", "1", true],
    ["1* 2 3-", "2", false],
    ["1* 2 3-", "3", true],
    ["1* 2 3?", "2", false],
    ["1* 2 3", "2 3", false],
    ["1* 2 3 4o 5o", "2", true],
    ["1* 2 3- 4o 5o", "2", false],
    ["1* 2 3- 4o 5o", "4 5", true],
    ["1* 2 3 4 5-", "2", true],
    ["1* 2 3 4- 5-", "2", false],
    ["1* 2 3 4", "2", true],
    ["1* 2 3 4-", "2", false],
    ["1*", "1", true],
    ["1* 2", "2", true],
    ["1* 2-", "1", true],
  ];
  for (const [frontends, leaving, may] of cases) {
    it(`${may ? "lets" : "does not let"} ${leaving} of ${frontends} stop`, () => {
      const problem = quorumProblem(group(frontends), new Set(leaving.split(" ")));
      assert.equal(problem === undefined, may);
    });
  }

  it("says what would remain and what is missing", () => {
    const problem = quorumProblem(group("1* 2 3-"), new Set(["2"]));
    assert.ok(problem);
    assert.equal(
      describeQuorum(problem),
      "only 1 of the 2 voting FEs needed would remain (1); 3 is not alive or has not joined",
    );
  });

  it("says in advance which groups pause", () => {
    assert.match(pauseText(1) ?? "", /group of one voting FE has no majority/);
    assert.match(pauseText(2) ?? "", /group of two voting FEs has no majority/);
    assert.deepEqual([0, 3, 4, 5].map(pauseText), [undefined, undefined, undefined, undefined]);
  });
});
