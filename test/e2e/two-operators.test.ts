import assert from "node:assert/strict";
import type { Stack } from "../engine/stack.js";
import { realHosts } from "../fleet/possible.js";
import { watchAvailability } from "../lab/availability.js";
import { assertDone } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import { readJournal } from "../lab/journal.js";
import { Lab, rootPassword } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { itemsSince, reached } from "../lab/step-watch.js";
import { recordedVersions } from "../lab/told.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("two operators of one cluster", () => {
  let lab: Lab;
  let second: Stack;
  let processes: NodeProcesses;
  let next: BuiltRelease;
  /** Seconds that the second one waits for the first. */
  const waiting = (seconds: number): void =>
    second.write({
      "cluster.json": JSON.stringify({
        name: "sr",
        args: lab.args(next, (args) => {
          args.limits = { ...(args.limits as object), lease: seconds };
        }),
      }),
    });

  before(async () => {
    lab = await Lab.create({ kind: realHosts(), backends: 2 });
    processes = new NodeProcesses(lab.fleet);
    const old = await lab.release("3.5.7");
    lab.declare(lab.args(old));
    await lab.stack.up();
    second = await lab.secondStack(lab.args(old));
    next = await lab.release("3.5.8");
  });
  afterEach(tellFailure(() => lab));
  after(async () => {
    await second?.close();
    await lab?.close();
  });

  it("lets the second one fail, with who holds the cluster since when, and touches nothing for it", async () => {
    lab.declare(lab.args(next));
    waiting(1);
    const first = lab.stack.start("up", ["--skip-preview"]);
    await first.saw(/BeNode.*updating/);
    const before = processes.byHost();
    const { stdout } = await second.up([], { expectFailure: true });
    assert.match(
      stdout,
      /Waited 1 s for the right to change this cluster, which one operator has at a time; last seen: \S+@\S+ \(process \d+, stack lab of lab, cluster \S+\) since 20\d\d-\d\d-\d\dT[\d:]+Z is changing this cluster\. Nothing was touched\./,
    );
    assertDone(await first.ended);
    const touched = restarted(before, processes.byHost());
    assert(touched.length <= 5, `${touched}: each node once at most`);
  });

  it("lets the second one go on when the first has done, and finds nothing to restart", async () => {
    waiting(120);
    const before = processes.byHost();
    assertDone(await second.up());
    assert.deepEqual(restarted(before, processes.byHost()), []);
  });

  it("gives the lease back with the operation, so that the next one does not wait", async () => {
    for (const level of ["WARNING", "INFO"]) {
      const args = lab.args(next, ({ backends, limits }) => {
        backends.config = { ...backends.config, sys_log_level: level };
        Object.assign(limits as object, { lease: 1 });
      });
      lab.declare(args);
      assertDone(await lab.stack.up());
    }
  });

  it("makes the next one wait for the provider of a killed engine, until the node that it is at runs again", async () => {
    const slow = await lab.release("3.5.9", { be: { options: { startDelayMs: 8000 } } });
    lab.declare(
      lab.args(slow, ({ limits }) => {
        Object.assign(limits as object, { lease: 60 });
      }),
    );
    const login = { frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword };
    const availability = await watchAvailability(lab, login);
    const known = lab.journals().length;
    const killed = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, killed, known, { kind: "BE", verb: "start" }));
    await lab.stack.crash(killed);
    await lab.stack.cancel();
    const next = await lab.stack.up(["--skip-preview"]);
    assertDone(next);
    assert.match(next.stdout, /process \d+, stack lab of lab, cluster \S+\) since \S+ is changing this cluster/);
    const orphaned = readJournal(lab.journals()[known] ?? "").filter(
      ({ step, mark }) => step === "prove" && mark === "done",
    );
    assert.equal(orphaned.length, 1, "the orphan proved the BE that it had stopped, and went no further");
    const seen = await availability();
    assert.equal(seen.mostWithoutProcess, 1, JSON.stringify(seen));
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("lets the second one stage another release meanwhile, and neither takes the other's away", async () => {
    const [theirs, mine] = [await lab.release("3.5.10"), await lab.release("3.5.11")];
    lab.declare(
      lab.args(theirs, ({ backends }) => {
        backends.rollout = { ...backends.rollout, soak: 30 };
      }),
    );
    const known = lab.journals().length;
    const first = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, first, known, { kind: "BE", verb: "soak" }));
    second.write({ "cluster.json": JSON.stringify({ name: "sr", args: lab.args(mine) }) });
    const later = second.start("up", ["--skip-preview"]);
    await later.saw(/is changing this cluster/);
    const soaks = itemsSince(lab, known).flatMap(({ steps }) => steps.filter(({ verb }) => verb === "soak"));
    assert.deepEqual(soaks, [], "the second one has staged what it declares while the first one watches its canary");
    assertDone(await first.ended);
    assertDone(await later.ended);
    assert.deepEqual(new Set(Object.values(await recordedVersions(second))), new Set(["3.5.11"]));
    for (const host of lab.fleet.hosts) {
      const { stdout } = await host.exec(`ls ${host.path("/opt/starrocks/releases")}`);
      const kept = stdout
        .trim()
        .split("\n")
        .map((id) => id.replace(/-.*/, ""));
      assert.deepEqual(kept.sort(), ["3.5.10", "3.5.11"], `of ${host.name} the current and the previous one`);
    }
  });
});
