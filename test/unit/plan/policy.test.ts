import assert from "node:assert/strict";
import {
  duration,
  policySchema,
  unavailable,
  unavailableOf,
  unavailableWarnings,
} from "../../../provider/plan/policy.js";

describe("duration", () => {
  const table = [
    { given: 90, seconds: 90 },
    { given: "90s", seconds: 90 },
    { given: "500ms", seconds: 0.5 },
    { given: "1.5m", seconds: 90 },
    { given: "2h", seconds: 7200 },
  ];
  for (const { given, seconds } of table) {
    it(`takes ${JSON.stringify(given)}`, () => assert.equal(duration.parse(given), seconds));
  }

  it("refuses what is none, with examples", () => {
    for (const given of ["soon", "5 minutes", -1, "", "5d"]) {
      assert.match(duration.safeParse(given).error?.message ?? "", /seconds, or a text with its unit/);
    }
  });
});

describe("unavailable", () => {
  it("takes a number or a share of the nodes, never less than one", () => {
    assert.equal(unavailableOf(unavailable.parse(2), 10), 2);
    assert.equal(unavailableOf(unavailable.parse("25%"), 10), 2);
    assert.equal(unavailableOf(unavailable.parse("10%"), 3), 1);
    assert.equal(unavailableOf(unavailable.parse("100%"), 3), 3);
    assert.equal(unavailableOf(unavailable.parse(10), 3), 3);
    assert.equal(unavailableOf(unavailable.parse(1), 0), 1);
  });

  it("warns of a number that spares no BE, however it is said", () => {
    for (const given of [3, 10, "100%"]) {
      assert.deepEqual(unavailableWarnings(unavailable.parse(given), [{}, {}, {}]), [
        `backends.rollout.maxUnavailable: ${given} spares none of 3 BEs. Only what their tablets can do without keeps them from being down together.`,
      ]);
    }
    assert.deepEqual(unavailableWarnings(unavailable.parse(2), [{}, {}, {}]), []);
    assert.deepEqual(unavailableWarnings(unavailable.parse("100%"), [{}]), []);
    assert.deepEqual(unavailableWarnings(unavailable.parse(2), [{ rack: "r1" }, { rack: "r2" }]), []);
  });

  it("refuses nothing, and more than all", () => {
    for (const given of [0, "0%", "101%", "many", 1.5]) {
      assert.equal(unavailable.safeParse(given).success, false, String(given));
    }
  });
});

describe("policySchema", () => {
  it("takes a query alone or with its rows", () => {
    const { verify } = policySchema.parse({ verify: ["SELECT 1", { sql: "SELECT 2", expect: [[2]] }] });
    assert.deepEqual(verify, [
      { sql: "SELECT 1", expect: undefined },
      { sql: "SELECT 2", expect: [[2]] },
    ]);
  });

  it("says what a query may be", () => {
    for (const query of [{ sql: "SELECT 1", expect: [1] }, { query: "SELECT 1" }, 1, ""]) {
      assert.deepEqual(
        policySchema.safeParse({ verify: [query] }).error?.issues.map(({ message, path }) => [path.join("."), message]),
        [["verify.0", "expected a query, or `{ sql, expect: [[…row…]] }`"]],
      );
    }
  });
});
