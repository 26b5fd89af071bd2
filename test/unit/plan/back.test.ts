import assert from "node:assert/strict";
import { type Failed, type Group, mayBeTooLate, noWayBack } from "../../../provider/plan/back.js";

const failed: Failed = { kind: "fe", from: "3.4.9", to: "3.5.7", opened: true };
const group: Group = { leader: "3.4.9-abcdef0", led: false, others: ["3.4.9", "3.4.9"] };

describe("noWayBack", () => {
  it("lets a BE, a patch jump and a downgrade go back always", () => {
    const tooLate: Group = { leader: "3.5.7-abcdef0", led: true, others: [undefined] };
    for (const one of [
      { ...failed, kind: "be" as const },
      { ...failed, from: "3.5.6" },
      { ...failed, from: "3.5.7", to: "3.4.9" },
    ]) {
      assert.equal(mayBeTooLate(one), false);
      assert.equal(noWayBack(one, tooLate), undefined);
    }
    assert.equal(mayBeTooLate(failed), true);
  });

  it("lets an FE go back while an old one leads, whatever else is not known", () => {
    assert.equal(noWayBack(failed, group), undefined);
    assert.equal(noWayBack(failed, { ...group, others: [undefined, "3.5.7"] }), undefined);
  });

  it("keeps an FE on the new version once one of that version leads, or it led itself", () => {
    assert.match(noWayBack(failed, { ...group, leader: "3.5.7-abcdef0" }) ?? "", /leader runs 3\.5\.7-abcdef0/);
    assert.match(noWayBack(failed, { ...group, led: true }) ?? "", /has led the group with 3\.5\.7/);
  });

  it("lets an FE of a group that has no leader without it go back, as no other one can have led with the new version", () => {
    assert.equal(noWayBack(failed, { leader: undefined, led: false, others: ["3.4.9"] }), undefined);
    assert.equal(noWayBack(failed, { leader: undefined, led: false, others: [] }), undefined);
  });

  it("keeps an FE on 3.0 once it has started with it: its bdb is closed to the library of 2.5, whoever leads", () => {
    const old: Group = { leader: "2.5.21-abcdef0", led: false, others: ["2.5.21"] };
    const from25 = { ...failed, from: "2.5.21", to: "3.0.9" };
    assert.match(noWayBack(from25, old) ?? "", /it was started with 3\.0\.9, .*\(bdb\) that of 2\.5\.21 cannot open/);
    assert.equal(noWayBack({ ...from25, opened: false }, old), undefined, "it failed before its start");
    assert.equal(noWayBack({ ...from25, kind: "be" }, old), undefined);
    assert.equal(noWayBack({ ...from25, from: "3.0.8", to: "3.1.2" }, { ...old, leader: "3.0.8" }), undefined);
  });

  it("keeps an FE where nobody leads and another one may have led with the new version", () => {
    const without = { leader: undefined, led: false };
    assert.match(noWayBack(failed, { ...without, others: ["3.4.9", "3.5.7"] }) ?? "", /another voting FE has 3\.5\.7/);
    assert.match(noWayBack(failed, { ...without, others: ["3.4.9", undefined] }) ?? "", /could not be looked at/);
    assert.match(noWayBack(failed, { leader: undefined, led: true, others: ["3.4.9"] }) ?? "", /has led the group/);
  });
});
