import assert from "node:assert/strict";
import { kill } from "../engine/processes.js";
import { tellFailure } from "../lab/failure.js";
import { itemsOf } from "../lab/journal.js";
import { Lab, rootPassword } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { reached } from "../lab/step-watch.js";
import { pendingOf, recordedVersions, stateOf, told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";
import { startWorkload } from "../simulator/client/workload.js";

describe("Ctrl-C in the middle of a first deployment", () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 2 });
    lab.declare(lab.args(await lab.release("3.5.7")));
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("leaves nothing half done: the next plain up finishes and proves the cluster", async () => {
    const up = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, up, 0, { kind: "BE", verb: "prove" }), "a BE was started");
    up.interrupt();
    const interrupted = await up.ended;
    assert.equal(interrupted.exitCode, 1, interrupted.stdout);
    assert.deepEqual(await pendingOf(lab.stack), []);
    const processes = new NodeProcesses(lab.fleet);
    const before = processes.byHost();
    assert.ok(Object.keys(before).length < 3, "it was not over");
    const state = await stateOf(lab.stack);
    for (const name of Object.keys(before)) {
      assert.equal(state[`sr-${name.slice(0, 2)}-${name}`], "running", `${name} is recorded as what it is`);
    }

    const { stdout } = await lab.stack.up();
    assert.match(stdout, /every node is proven/);
    assert.deepEqual(
      restarted(before, processes.byHost()),
      ["be1", "be2", "fe1"].filter((name) => !(name in before)),
    );
    await lab.stack.preview(["--expect-no-changes"]);
  });
});

describe("Ctrl-C in the middle of an upgrade", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  let old: Readonly<Record<string, string>>;

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 3 });
    processes = new NodeProcesses(lab.fleet);
    lab.declare(lab.args(await lab.release("3.5.7")));
    await lab.stack.up();
    await ask('ADMIN SET FRONTEND CONFIG ("disable_colocate_balance" = "true")');
    lab.declare(lab.args(await lab.release("3.5.8")));
    old = processes.byHost();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const ask = async (statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const session = new Session({ frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword });
    try {
      return await session.query(statement);
    } finally {
      session.close();
    }
  };
  const balancer = async () => {
    const rows = await ask("ADMIN SHOW FRONTEND CONFIG LIKE 'tablet_sched_disable_%balance'");
    return Object.fromEntries(rows.map(({ Key, Value }) => [Key, Value]));
  };
  const versionsOf = () => recordedVersions(lab.stack);

  it("finishes and proves the node that is down, stops no other one, and says so", async () => {
    const known = lab.journals().length;
    const workload = await startWorkload({
      frontends: [{ host: lab.fleet.host("fe1").address }],
      password: rootPassword,
    });
    const up = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, up, known, { kind: "BE", verb: "switch" }), "a BE was stopped");
    const paused = await balancer();
    up.interrupt();
    const outcome = await up.ended;
    const { writesAcknowledged, writesLost } = await workload.stop();
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.ok(writesAcknowledged > 10, `${writesAcknowledged} writes acknowledged`);
    assert.equal(writesLost, 0);
    // "failed" where nodes were refused their turn, "canceled" where the engine had not begun with any other.
    assert.match(outcome.stdout, /error: update (failed|canceled)/);

    assert.deepEqual(paused, {
      tablet_sched_disable_balance: "true",
      tablet_sched_disable_colocate_balance: "true",
    });
    assert.deepEqual(await balancer(), {
      tablet_sched_disable_balance: "false",
      tablet_sched_disable_colocate_balance: "true",
    });
    const touched = restarted(old, processes.byHost());
    assert.equal(touched.length, 1, `${touched}`);
    assert.equal(processes.look().length, 4, "every node runs");
    const [node = ""] = touched;
    const items = itemsOf(lab.journal()).filter(({ id }) => /^(BE|FE) \S+$/.test(id));
    for (const { id, steps } of items) {
      const done = steps.filter(({ mark }) => mark === "done").map(({ verb }) => verb);
      assert.deepEqual(
        ["stop", "prove"].filter((verb) => done.some((one) => one === verb)),
        id === `BE ${node}` ? ["stop", "prove"] : [],
        id,
      );
    }
    const { "": _, ...errors } = told(outcome, "error");
    for (const [name, text] of Object.entries(errors)) {
      assert.match(text, /^BE be\d was not touched: the operation was canceled$/, name);
    }
    assert.match(
      told(outcome, "info").sr ?? "",
      /^sr: the operation was canceled; what was begun on a node is brought to its end, nothing else is touched\.\n[\s\S]*Journal: \S+\.jsonl$/,
    );
  });

  it("leaves no lock, nothing pending, and a state that tells the truth", async () => {
    const [node = ""] = restarted(old, processes.byHost());
    const others = { be1: "3.5.7", be2: "3.5.7", be3: "3.5.7", fe1: "3.5.7" };
    assert.deepEqual(await versionsOf(), { ...others, [node]: "3.5.8" });
    assert.deepEqual(await pendingOf(lab.stack), []);
    const state = await stateOf(lab.stack);
    for (const name of ["be-be1", "be-be2", "be-be3", "fe-fe1"]) {
      assert.equal(state[`sr-${name}`], "running", name);
    }
  });

  it("is made up for by a plain up, which leaves alone what is done", async () => {
    const [node = ""] = restarted(old, processes.byHost());
    const interrupted = processes.byHost();
    const { stdout } = await lab.stack.up();
    assert.doesNotMatch(stdout, /cancell?ed/);
    const touched = restarted(interrupted, processes.byHost());
    assert.deepEqual(
      touched,
      ["be1", "be2", "be3", "fe1"].filter((name) => name !== node),
    );
    assert.deepEqual(new Set(Object.values(await versionsOf())), new Set(["3.5.8"]));
    await lab.stack.preview(["--expect-no-changes"]);
  });
});

describe("an operator that dies in the middle of a node, whose change is then taken back in the program", () => {
  let lab: Lab;
  let processes: NodeProcesses;

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 2 });
    processes = new NodeProcesses(lab.fleet);
    lab.declare(lab.args(await lab.release("3.5.7")));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const versions = async (): Promise<readonly string[]> => {
    const session = new Session({ frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword });
    try {
      const rows = await session.query("SHOW BACKENDS");
      return rows.map(({ Alive, Version }) => `${Alive} ${String(Version).split("-")[0]}`);
    } finally {
      session.close();
    }
  };

  it("has the next plain up put the node back, though Pulumi knows of no change of it", async () => {
    const before = processes.byHost();
    lab.declare(lab.args(await lab.release("3.5.8")));
    const killed = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, killed, 1, { kind: "BE", verb: "heal" }), "a BE runs the new release");
    await lab.stack.crash(killed);
    for (const { pid } of lab.stack.processes()) {
      kill(pid, "SIGKILL");
    }
    await killed.ended;
    await lab.stack.cancel();
    assert.deepEqual((await versions()).toSorted(), ["true 3.5.7", "true 3.5.8"]);
    assert.deepEqual(new Set(Object.values(await recordedVersions(lab.stack))), new Set(["3.5.7"]));

    lab.declare(lab.args(await lab.release("3.5.7")));
    const { stdout } = await lab.stack.up();
    assert.match(stdout, /every node is proven/);
    assert.deepEqual(await versions(), ["true 3.5.7", "true 3.5.7"]);
    assert.equal(restarted(before, processes.byHost()).length, 1);
    await lab.stack.refresh();
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
