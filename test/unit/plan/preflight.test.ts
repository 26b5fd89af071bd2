import assert from "node:assert/strict";
import { mayStartOnDeclared, ranWell } from "../../../provider/plan/preflight.js";

const cases = [
  { what: "in an upgrade, once all BEs are done", declared: "3.5.8", proven: "3.5.7", backends: ["3.5.8", "3.5.8"] },
  {
    what: "on the way back, if it never came up on the newer version",
    declared: "3.5.7",
    proven: "3.5.7",
    backends: ["3.5.8"],
  },
  { what: "when it was never proven at all", declared: "3.5.7", proven: undefined, backends: [] },
  { what: "not while a BE is older", not: true, declared: "3.5.8", proven: "3.5.7", backends: ["3.5.8", "3.5.7"] },
  { what: "not back from a version that it ran", not: true, declared: "3.5.7", proven: "3.5.8", backends: ["3.5.8"] },
];

describe("an FE that was found down is started on the declared version", () => {
  for (const { what, not = false, declared, proven, backends } of cases) {
    it(what, () => assert.equal(mayStartOnDeclared(declared, { proven, backends }), !not));
  }
});

describe("a node that was found down ran well on its current release", () => {
  const states = [
    { what: "since its first start", current: "a", previous: undefined, proven: ["a"] },
    { what: "since its last change", current: "b", previous: "a", proven: ["a", "b"] },
    { what: "not when it was never proven on it", not: true, current: "b", previous: "a", proven: ["a"] },
    { what: "not when it was taken back from another one", not: true, current: "a", previous: "b", proven: ["a"] },
    {
      what: "when it was taken back from one on which it came up",
      current: "a",
      previous: "b",
      proven: ["a", "b", "a"],
    },
    { what: "not when it has none", not: true, current: undefined, previous: undefined, proven: ["a"] },
  ];
  for (const { what, not = false, ...releases } of states) {
    it(what, () => assert.equal(ranWell(releases), !not));
  }
});
