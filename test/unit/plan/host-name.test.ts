import assert from "node:assert/strict";
import { isHostName } from "../../../provider/plan/host-name.js";

describe("isHostName", () => {
  for (const host of [
    "10.0.0.21",
    "255.255.255.255",
    "be1",
    "be-1.example.com",
    "10-0-0-21.lan",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
  ]) {
    it(`takes ${host}`, () => assert.ok(isHostName(host)));
  }
  for (const host of ["10.0.0.300", "10.0.0", "1", "be1:22", "10.0.0.21:22", "http://be1", "be 1", "-be1", ""]) {
    it(`refuses "${host}"`, () => assert.ok(!isHostName(host)));
  }
});
