import { progressOf, tell, warn } from "../../../provider/engine/log.js";

// A test, or a script that uses the handlers, has no engine: nothing is shown and nothing fails.
describe("the log without an engine", () => {
  const urn = "urn:pulumi:dev::lab::starrocks:index:Cluster::analytics";

  it("takes messages and warnings", async () => {
    await tell(urn, "a plan");
    await tell(undefined, "a plan");
    await warn(urn, "a warning");
  });

  it("takes progress", () => {
    const progress = progressOf(urn);
    progress("1/3 stop");
    progress("2/3 start");
  });
});
