import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { until } from "../../provider/wait.js";
import { assertDone } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { reached } from "../lab/step-watch.js";
import { told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("balancing that cannot be switched on again", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  let release: BuiltRelease;

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 2 });
    processes = new NodeProcesses(lab.fleet);
    release = await lab.release("3.5.7");
    lab.declare(lab.args(release));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const asked = async (statement: string): Promise<readonly Record<string, unknown>[]> => {
    const session = new Session({
      frontends: [{ host: lab.fleet.host("fe1").address }],
      password: rootPassword,
    });
    try {
      return await session.query(statement);
    } finally {
      session.close();
    }
  };
  const isPaused = async (): Promise<boolean> => {
    const [row] = await asked("ADMIN SHOW FRONTEND CONFIG LIKE 'tablet_sched_disable_balance'");
    return row?.Value === "true";
  };
  const fault = "/opt/starrocks/fe/sim/config.json";
  const logLevel =
    (level: string) =>
    ({ backends }: PlainArgs): void => {
      backends.config = { ...backends.config, sys_log_level: level };
    };

  it("fails the operation, though every node is well, and tells what to do", async () => {
    lab.declare(lab.args(release, logLevel("WARNING")));
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, up, known, { kind: "BE", verb: "stop" }));
    await until(
      async () => ((await isPaused()) ? { done: true, value: undefined } : { done: false, seen: "not paused" }),
      { what: "the pause", limit: 30_000 },
    );
    await lab.fleet.host("fe1").writeFile(fault, JSON.stringify({ fault: "denyConfig" }));
    const outcome = await up.ended;
    assert.notEqual(outcome.exitCode, 0, outcome.stdout);
    const text = /Balancing is still paused, .*disable_balance = false.*Access denied.*By hand, on every FE: ADMIN SET/;
    assert.match(told(outcome, "error")["sr-rollout"] ?? "", text);
    assert.match(
      told(outcome, "info").sr ?? "",
      /every node is proven, but balancing is still paused\.[\s\S]*Journal: /,
    );
    assert.match(told(outcome, "info").sr ?? "", text);
    assert.equal(await isPaused(), true);
  });

  it("is switched on by the next plain up, which has nothing else to do and restarts nothing", async () => {
    rmSync(lab.fleet.host("fe1").path(fault));
    const before = processes.byHost();
    assertDone(await lab.stack.up());
    assert.equal(await isPaused(), false);
    assert.deepEqual(restarted(before, processes.byHost()), []);
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
