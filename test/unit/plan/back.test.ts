import assert from "node:assert/strict";
import { type Failed, noWayBack } from "../../../provider/plan/back.js";

const failed: Failed = { kind: "fe", from: "3.4.9", to: "3.5.7", leader: "3.4.9-abcdef0", led: false, voters: 3 };

describe("noWayBack", () => {
  it("lets a BE and a patch jump go back always", () => {
    assert.equal(noWayBack({ ...failed, kind: "be", leader: "3.5.7-abcdef0" }), undefined);
    assert.equal(noWayBack({ ...failed, from: "3.5.6", leader: "3.5.7-abcdef0", led: true }), undefined);
  });

  it("lets an FE go back while an old one leads", () => {
    assert.equal(noWayBack(failed), undefined);
  });

  it("keeps an FE on the new version once one of that version leads, or it led itself", () => {
    assert.match(noWayBack({ ...failed, leader: "3.5.7-abcdef0" }) ?? "", /leader runs 3\.5\.7-abcdef0/);
    assert.match(noWayBack({ ...failed, led: true }) ?? "", /has led the group with 3\.5\.7/);
  });

  it("keeps an FE where a group has no leader to tell; an FE alone that never led goes back", () => {
    assert.match(noWayBack({ ...failed, leader: undefined }) ?? "", /no leader/);
    assert.equal(noWayBack({ ...failed, leader: undefined, voters: 1 }), undefined);
  });
});
