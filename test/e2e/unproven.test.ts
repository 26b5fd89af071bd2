import assert from "node:assert/strict";
import { assertDone } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { told } from "../lab/told.js";
import type { BuiltRelease } from "../simulator/release.js";

/** Nodes that run, and of which the cluster or a clock says something that is not right. */
describe("a node of which not all is proven", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  let good: BuiltRelease;
  let threads = 8;
  const up = async (release: BuiltRelease, change: (args: PlainArgs) => void = () => undefined) => {
    lab.declare(
      lab.args(release, (args) => {
        // So long is waited for what does not come.
        args.limits = { ...(args.limits as object), alive: 10 };
        change(args);
      }),
    );
    const before = processes.byHost();
    const outcome = await lab.stack.start("up", ["--skip-preview"]).ended;
    return { outcome, restarted: restarted(before, processes.byHost()) };
  };
  /** A setting of the BE that it does not have yet. */
  const another = ({ backends }: PlainArgs): void => {
    backends.config = { ...backends.config, brpc_num_threads: String(threads) };
  };
  const next = (): typeof another => {
    threads += 1;
    return another;
  };

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 1 });
    processes = new NodeProcesses(lab.fleet);
    good = await lab.release("3.5.7");
    assertDone((await up(good)).outcome);
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("is not stopped while a host's clock is wrong", async () => {
    await lab.fleet.host("be1").clockOffset(-90_000);
    const { outcome, restarted: touched } = await up(good, next());
    assert.match(
      told(outcome, "error")["sr-be-be1"] ?? "",
      /The clock of FE fe1 is (89|90|91) s ahead of that of BE be1; at most 5 s are allowed between any two nodes\./,
    );
    assert.deepEqual(touched, []);
    await lab.fleet.host("be1").clockOffset(0);
    const { outcome: after, restarted: then } = await up(good, another);
    assertDone(after);
    assert.deepEqual(then, ["be1"]);
  });

  it("has failed while the leader has not heard its new process, though it says Alive", async () => {
    const fault = "/opt/starrocks/fe/sim/stale.json";
    await lab.fleet.host("fe1").writeFile(fault, JSON.stringify({ fault: "staleAlive" }));
    const { outcome } = await up(good, next());
    assert.match(told(outcome, "error")["sr-be-be1"] ?? "", /the heartbeat of the new process is awaited/);
    await lab.fleet.host("fe1").exec(`rm ${lab.fleet.host("fe1").path(fault)}`);
    assertDone((await up(good, another)).outcome);
  });

  it("has failed while the cluster says another version of it, and is taken back", async () => {
    const bad = await lab.release("3.5.8", { be: { faults: [{ fault: "wrongVersion", version: "3.5.6" }] } });
    const { outcome, restarted: touched } = await up(bad, another);
    const error = told(outcome, "error")["sr-be-be1"] ?? "";
    assert.match(error, /to be Alive with 3\.5\.8 in SHOW BACKENDS; last seen: SHOW BACKENDS still says 3\.5\.6/);
    assert.match(error, /BE be1 was taken back to 3\.5\.7 and is proven there\./);
    assert.deepEqual(touched, ["be1"]);
  });
});
