import assert from "node:assert/strict";
import { type Suite, Test } from "mocha";
import { type Verb, verbs } from "../../provider/plan/steps.js";
import { until } from "../../provider/wait.js";
import { realHosts } from "../fleet/possible.js";
import { type Availability, watchAvailability } from "../lab/availability.js";
import { tellFailure } from "../lab/failure.js";
import { readJournal } from "../lab/journal.js";
import { Lab, rootPassword } from "../lab/lab.js";
import { NodeProcesses } from "../lab/node-processes.js";
import { diagnosticsOf } from "../lab/plan.js";
import { itemsSince, type KindOfStep, kindsOfSteps, reached } from "../lab/step-watch.js";
import { pendingOf, stateOf } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";
import { startWorkload, type Workload } from "../simulator/client/workload.js";

/** Milliseconds in which a provider whose engine was killed finishes the node that it is at, and ends. */
const orphanLimit = 45_000;

/** The balancer's settings as the user has them for good, in fe.conf. */
const ownBalancer = { tablet_sched_disable_balance: "false", tablet_sched_disable_colocate_balance: "true" };

/**
 * The engine gets SIGKILL at each kind of step of each kind of resource that the plan lists: once for `BE: stop`, at
 * whichever BE is the first to be there. The next `up` goes on after it, and is killed itself at the next kind of step;
 * so every one of them resumes what the one before left, and the last one, unhindered, has to finish the job.
 */
describe("an engine that is killed", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  let patch = 7;
  const everyNode = ["be1", "be2", "fe1", "fe2"];
  const login = () => ({
    frontends: ["fe1", "fe2"].map((name) => ({ host: lab.fleet.host(name).address })),
    password: rootPassword,
  });

  before(async () => {
    // Few nodes, as an engine is started some forty times; of the FEs one founds the group and one joins it.
    lab = await Lab.create({ kind: realHosts(), frontends: 1, backends: 2, spares: ["fe2"] });
    processes = new NodeProcesses(lab.fleet);
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const declare = async (): Promise<void> =>
    lab.declare(
      lab.args(await lab.release(`3.5.${patch}`), ({ frontends }) => {
        frontends.observers = [lab.node("fe2")];
        frontends.config = { ...frontends.config, ...ownBalancer };
      }),
    );
  const running = (): readonly string[] => Object.keys(processes.byHost());
  const asked = async (...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> => {
    const session = new Session(login());
    try {
      return (await Promise.all(statements.map((statement) => session.query(statement)))).flat();
    } finally {
      session.close();
    }
  };
  const balancer = async (): Promise<Record<string, unknown>> => {
    const rows = await asked("ADMIN SHOW FRONTEND CONFIG LIKE 'tablet_sched_disable_%balance'");
    return Object.fromEntries(rows.map(({ Key, Value }) => [Key, Value]));
  };
  const hostsWith = (verb: Verb, known: number): readonly string[] =>
    itemsSince(lab, known)
      .filter(({ steps }) => steps.some((step) => step.verb === verb && step.mark === "done"))
      .map(({ id }) => id);

  /** One test for each kind of step of what is declared now, added when the plan can be asked for, and one for the end. */
  const addTests = async (
    suite: Suite | undefined,
    kill: (step: KindOfStep) => Promise<void>,
    finish: () => Promise<void>,
  ): Promise<void> => {
    assert.ok(suite);
    const { stdout } = await lab.stack.preview();
    const steps = kindsOfSteps(diagnosticsOf(stdout) ?? "");
    assert.ok(steps.length > 10, stdout);
    for (const step of steps) {
      suite.addTest(new Test(`${step.kind}: ${verbs[step.verb]}`, () => kill(step)));
    }
    suite.addTest(new Test("is made up for by a plain up", finish));
  };

  /** Kills the engine of an `up` at such a step; false when it was done before it came to one. */
  const killAt = async (step: KindOfStep): Promise<boolean> => {
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    if (!(await reached(lab, up, known, step))) {
      const { exitCode } = await up.ended;
      assert.equal(exitCode, 0, up.output());
      return false;
    }
    await lab.stack.crash(up);
    try {
      const inTurn = hostsWith("turn", known);
      await up.ended;
      await until(
        async () => {
          // Pulumi's own language host stays, and does nothing.
          const left = lab.stack.processes().filter(({ command }) => /dynamic-provider|cmd\/run/.test(command));
          const seen = left.map(({ pid, command }) => `${pid} ${command}`).join("; ");
          return left.length === 0 ? { done: true, value: undefined } : { done: false, seen };
        },
        { what: "program and provider of the killed engine to end by themselves", limit: orphanLimit, every: 20 },
      );
      const told = readJournal(lab.journals().at(-1) ?? "");
      assert.ok(
        told.some(({ note }) => note?.startsWith("the Pulumi engine that started this operation is gone")),
        `the journal says why it ends there, got ${JSON.stringify(told.slice(-5))}`,
      );
      const stopped = hostsWith("stop", known);
      assert.deepEqual(
        stopped.filter((id) => !inTurn.includes(id)),
        [],
        "nothing is stopped that had no turn yet",
      );
      const proven = hostsWith("prove", known);
      assert.deepEqual(
        stopped.filter((id) => !proven.includes(id)),
        [],
        "what was stopped was started again and proven",
      );
    } finally {
      // Else each test after one that fails here would find the stack locked.
      await lab.stack.cancel();
    }
    return true;
  };

  /** A plain `up` finishes the job, and what the state says is so. */
  const assertFinished = async (): Promise<void> => {
    await lab.stack.up();
    await lab.stack.preview(["--expect-no-changes"]);
    assert.deepEqual(running(), everyNode);
    const state = await stateOf(lab.stack);
    assert.deepEqual(
      Object.entries(state).filter(([, status]) => !["running", "member", "staged", "there"].includes(status)),
      [],
    );
    assert.equal(Object.values(state).filter((status) => status === "running").length, everyNode.length);
    assert.deepEqual(
      (await asked("SHOW FRONTENDS", "SHOW BACKENDS")).map(
        ({ Alive, Version }) => `${Alive} ${String(Version).split("-")[0]}`,
      ),
      everyNode.map(() => `true 3.5.${patch}`),
    );
  };

  describe("during the first deployment", () => {
    before(async function () {
      await declare();
      await addTests(
        this.test?.parent,
        async (step) => assert.ok(await killAt(step), "there is such a step"),
        async () => {
          await assertFinished();
          // The engine warns of each creation that it did not see the end of, until it is told to look.
          assert.notDeepEqual(await pendingOf(lab.stack), []);
          await lab.stack.refresh(["--clear-pending-creates"]);
          assert.deepEqual(await pendingOf(lab.stack), []);
          await lab.stack.preview(["--expect-no-changes"]);
        },
      );
    });

    it("has asked nobody before", () => assert.deepEqual(running(), []));
  });

  describe("during an upgrade", () => {
    let workload: Workload;
    let availability: () => Promise<Availability>;

    before(async function () {
      patch += 1;
      await declare();
      await addTests(
        this.test?.parent,
        async (step) => {
          if (!(await killAt(step))) {
            // All nodes of this kind are done: there are more kinds of step than nodes.
            patch += 1;
            await declare();
            assert.ok(await killAt(step), "there is such a step");
          }
          assert.deepEqual(running(), everyNode, "no node is left stopped");
          assert.deepEqual(await balancer(), ownBalancer, "balancing goes on as before");
        },
        async () => {
          await assertFinished();
          assert.deepEqual(await balancer(), ownBalancer);
          const seen = await availability();
          assert.ok(seen.mostWithoutProcess === 1 && seen.mostNotAlive <= 1, JSON.stringify(seen));
          const report = await workload.stop();
          assert.equal(report.writesLost, 0);
          assert.ok(report.writesAcknowledged > 50, `${report.writesAcknowledged} writes acknowledged`);
        },
      );
      workload = await startWorkload({ ...login(), replicationNum: 2 });
      availability = await watchAvailability(lab, login());
    });
    after(() => workload?.abort());

    it("begins with everything running", () => assert.deepEqual(running(), everyNode));
  });
});
