import assert from "node:assert/strict";
import { until } from "../../provider/wait.js";
import { assertDone } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, rootPassword } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { reached } from "../lab/step-watch.js";
import { Session } from "../simulator/client/session.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("an engine that is killed while a proven canary is watched for ten minutes", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  let next: BuiltRelease;
  const declare = (soak: string): void =>
    lab.declare(
      lab.args(next, ({ backends, limits }) => {
        backends.rollout = { ...backends.rollout, soak };
        Object.assign(limits as object, { lease: 1 });
      }),
    );

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 2 });
    processes = new NodeProcesses(lab.fleet);
    lab.declare(lab.args(await lab.release("3.5.7")));
    await lab.stack.up();
    next = await lab.release("3.5.8");
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("leaves a provider that lets go within a minute: balancing goes on, the lease is free", async () => {
    declare("10m");
    const before = processes.byHost();
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, up, known, { kind: "BE", verb: "soak" }));
    await lab.stack.crash(up);
    await up.ended;
    await until(
      async () => {
        const left = lab.stack.processes().filter(({ command }) => /dynamic-provider/.test(command));
        return left.length === 0 ? { done: true, value: undefined } : { done: false, seen: `${left.length} left` };
      },
      { what: "the provider of the killed engine to end by itself", limit: 60_000 },
    );
    assert.equal(restarted(before, processes.byHost()).length, 1);
    const session = new Session({ frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword });
    const [row] = await session.query("ADMIN SHOW FRONTEND CONFIG LIKE 'tablet_sched_disable_balance'");
    session.close();
    assert.equal(row?.Value, "false");
  });

  it("is made up for by a plain up, which leaves the canary running", async () => {
    await lab.stack.cancel();
    declare("1s");
    const before = processes.byHost();
    assertDone(await lab.stack.up());
    assert.equal(restarted(before, processes.byHost()).length, 2, "the other BE, and the FE");
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
