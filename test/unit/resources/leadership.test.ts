import assert from "node:assert/strict";
import { UserError } from "../../../provider/error.js";
import { limitsOf } from "../../../provider/plan/limits.js";
import type { FeSpec } from "../../../provider/plan/spec.js";
import type { NodeContext } from "../../../provider/resources/node/context.js";
import { stopLeader } from "../../../provider/resources/node/leadership.js";
import { done, skipped } from "../../../provider/rollout/execute.js";
import { fe } from "../plan/specs.js";

describe("the stop of an FE that leads", () => {
  /** A group that answers each question with the next of these leaders; the last one goes on to lead. */
  const group = (...leaders: readonly (string | undefined)[]): NodeContext<FeSpec> => {
    let asked = 0;
    const rows = async () => {
      const address = leaders[Math.min(asked++, leaders.length - 1)];
      return address === undefined ? undefined : { frontends: [{ role: "leader", address, editLogPort: 9010 }] };
    };
    const limits = { ...limitsOf({}), stop: 0, leader: 200 };
    return { spec: fe(), limits, frontends: { rows } } as unknown as NodeContext<FeSpec>;
  };
  const ignored = (): void => undefined;

  it("waits for the election, and tells how long nobody led", async () => {
    const outcome = await stopLeader(group("10.0.0.11", undefined, "10.0.0.12"), async () => done, ignored);
    assert.match(outcome.detail ?? "", /^10\.0\.0\.12 leads after [\d.]+ s without a leader$/);
  });

  it("goes on where nobody is elected: the group needs this FE again", async () => {
    const outcome = await stopLeader(group(undefined), async () => done, ignored);
    assert.equal(outcome.mark, "done");
    assert.match(outcome.detail ?? "", /^Waited 0\.2 s for the other FEs to elect a leader; last seen: nobody leads\./);
  });

  it("waits for nobody where it was not stopped, or could not be", async () => {
    assert.deepEqual(
      await stopLeader(group("10.0.0.11"), async () => skipped("it does not run"), ignored),
      skipped("it does not run"),
    );
    const fails = async () => {
      throw new UserError("it does not end");
    };
    await assert.rejects(stopLeader(group("10.0.0.11"), fails, ignored), /it does not end/);
  });
});
