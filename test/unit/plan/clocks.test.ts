import assert from "node:assert/strict";
import { type Clock, clockProblem } from "../../../provider/plan/clocks.js";

const clocks = (offsets: Readonly<Record<string, number>>, doubt = 0.1): readonly Clock[] =>
  Object.entries(offsets).map(([label, offset]) => ({ label, host: `host of ${label}`, offset, doubt }));

describe("clocks of the nodes", () => {
  it("may be up to 5 s apart, and ours is none of them", () => {
    assert.equal(clockProblem(clocks({ "FE 1": 3600, "FE 2": 3604, "BE 1": 3602 })), undefined);
    assert.equal(clockProblem([]), undefined);
  });

  it("are compared with each other, not all with the first", () => {
    assert.match(
      clockProblem(clocks({ "FE 1": 0, "FE 2": -4, "FE 3": 4 })) ?? "",
      /^The clock of FE 3 is 8 s ahead of that of FE 2; at most 5 s are allowed between any two nodes\. Against this machine's they are at \+4\.0 s \(host of FE 3\) and -4\.0 s \(host of FE 2\)\. Set the clocks/,
    );
  });

  it("of BEs count too", () => {
    assert.match(clockProblem(clocks({ "FE 1": 0, "BE 1": 60 })) ?? "", /BE 1 is 60 s ahead of that of FE 1/);
  });

  it("that were read slowly are not refused for the slowness", () => {
    assert.equal(clockProblem(clocks({ "FE 1": 0, "BE 1": 8 }, 2)), undefined);
  });
});
