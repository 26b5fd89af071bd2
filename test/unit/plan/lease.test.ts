import assert from "node:assert/strict";
import { type Claim, describeOwner, type Owner, ownerOf, standingOf } from "../../../provider/plan/lease.js";

const anna: Owner = {
  id: "a",
  host: "laptop",
  user: "anna",
  pid: 4711,
  what: "stack dev",
  since: "2026-11-22T20:54:32Z",
};
const claim = (wish: Partial<Claim> = {}): Claim => ({
  generation: 3,
  now: 1000,
  expires: 2000,
  text: JSON.stringify(anna),
  ...wish,
});

describe("plan/lease", () => {
  const annaWords = "anna@laptop (process 4711, stack dev) since 2026-11-22T20:54:32Z";
  const unknown = "an operator that this version of pulumi-starrocks cannot name";
  const cases: [string, Claim, string, boolean, unknown][] = [
    ["nobody ever had it", claim({ generation: 0, expires: undefined, text: "" }), "b", false, { type: "free" }],
    ["another has it", claim(), "b", false, { type: "held", by: annaWords }],
    ["it has expired by the host's clock", claim({ now: 2000 }), "b", false, { type: "free" }],
    ["its owner is a dead process here", claim(), "b", true, { type: "free" }],
    ["it is our own", claim(), "a", false, { type: "mine" }],
    ["our own has expired", claim({ now: 3000 }), "a", false, { type: "free" }],
    [
      "it cannot be read, and may be in force",
      claim({ expires: undefined }),
      "b",
      false,
      { type: "held", by: annaWords },
    ],
    ["a newer version of this package has it", claim({ text: "?" }), "b", true, { type: "held", by: unknown }],
  ];
  const day = 86_400_000;
  const hour = 3_600_000;
  const patient = JSON.stringify({ ...anna, lifetime: hour });
  const tooLong: [string, Claim, number, unknown][] = [
    ["it ends when a lease may end", claim({ expires: 61_000 }), day, { type: "held", by: annaWords }],
    ["it lasts too long, seen for the first time", claim({ expires: day }), 0, { type: "doubtful", by: annaWords }],
    [
      "it lasts too long, and may still be renewed",
      claim({ expires: day }),
      60_000,
      { type: "doubtful", by: annaWords },
    ],
    ["it lasts too long, and was not renewed in time", claim({ expires: day }), 67_000, { type: "free" }],
    [
      "it lasts as long as its owner said",
      claim({ expires: hour, text: patient }),
      day,
      { type: "held", by: annaWords },
    ],
    [
      "nobody knows how long its owner renews it",
      claim({ expires: day, text: "?" }),
      day,
      { type: "held", by: unknown },
    ],
  ];
  for (const [name, found, unchanged, standing] of tooLong) {
    it(`tells of a claim that has stood for ${unchanged} ms: ${name}`, () => {
      assert.deepEqual(
        standingOf(found, "b", () => false, unchanged),
        standing,
      );
    });
  }

  for (const [name, found, me, dead, standing] of cases) {
    it(`knows that ${name}`, () => {
      assert.deepEqual(
        standingOf(found, me, () => dead),
        standing,
      );
    });
  }

  it("names an owner as far as it can", () => {
    assert.equal(describeOwner(ownerOf(claim())), annaWords);
    assert.equal(describeOwner(ownerOf(claim({ text: "{}" }))), unknown);
  });
});
