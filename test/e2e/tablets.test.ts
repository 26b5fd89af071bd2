import assert from "node:assert/strict";
import { until } from "../../provider/wait.js";
import type { Running } from "../engine/stack.js";
import { realHosts } from "../fleet/possible.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { reached } from "../lab/step-watch.js";
import { told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";
import { startWorkload } from "../simulator/client/workload.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("tablets that a BE is not stopped for", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  let session: Session;
  let next: BuiltRelease;
  const declare = (change: (args: PlainArgs) => void): void => lab.declare(lab.args(next, change));
  const connected = (): Session =>
    new Session({ frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword });
  const limit = (tablets: number) => (args: PlainArgs) => {
    Object.assign(args.limits as object, { tablets });
  };

  /** Waits until the rows of an operation under way say this. */
  const shows = (up: Running, text: RegExp, wish: { readonly what: string; readonly limit: number }): Promise<void> =>
    until<void>(
      async () => (text.test(up.output()) ? { done: true, value: undefined } : { done: false, seen: up.output() }),
      wish,
    );

  const refused = async (): Promise<string> => {
    const before = processes.byHost();
    const outcome = await lab.stack.up(["--skip-preview"], { expectFailure: true });
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.deepEqual(restarted(before, processes.byHost()), [], "no node was touched");
    assert.match(told(outcome, "info").sr ?? "", /sr: stopped at the pre-flight; nothing after it is touched\./);
    return told(outcome, "error")["sr-be-be1"] ?? "";
  };

  before(async () => {
    lab = await Lab.create({ kind: realHosts(), frontends: 1, times: { repairTrickleMs: 600_000 } });
    processes = new NodeProcesses(lab.fleet);
    lab.declare(lab.args(await lab.release("3.5.7")));
    await lab.stack.up();
    next = await lab.release("3.5.8");
    session = connected();
    await session.query("CREATE DATABASE sales");
  });
  afterEach(tellFailure(() => lab));
  after(async () => {
    session?.close();
    await lab?.close();
  });

  /**
   * Makes a table of two replicas and spoils one of them: that of a tablet of `beside` which lies elsewhere (on `on`), or
   * any. Gives the tablet. So many tablets that every two BEs share some, wherever they are placed and balanced to.
   */
  const spoil = async (table: string, beside?: string, on?: string): Promise<unknown> => {
    await session.query(
      `CREATE TABLE ${table} (k BIGINT, v VARCHAR(64)) DISTRIBUTED BY HASH(k) BUCKETS 24 PROPERTIES ("replication_num" = "2")`,
    );
    const backends = await session.query("SHOW BACKENDS");
    const idOf = (name: string | undefined) =>
      name && backends.find(({ IP }) => IP === lab.fleet.host(name).address)?.BackendId;
    const near = idOf(beside);
    const far = idOf(on);
    const replicas = await session.query(`ADMIN SHOW REPLICA STATUS FROM ${table} WHERE STATUS != 'MISSING'`);
    const here = new Set(
      replicas.filter(({ BackendId }) => !near || BackendId === near).map(({ TabletId }) => TabletId),
    );
    const other = replicas.find(
      ({ TabletId, BackendId }) => here.has(TabletId) && BackendId !== near && (!far || BackendId === far),
    );
    assert.ok(other, `Expected replicas beside those of ${beside}, got ${JSON.stringify({ backends, replicas })}`);
    await session.query(
      `ADMIN SET REPLICA STATUS PROPERTIES("tablet_id" = "${other.TabletId}", "backend_id" = "${other.BackendId}", "status" = "bad")`,
    );
    return other.TabletId;
  };

  it("are those that have their only healthy replica there: their table is named, and nothing is stopped", async () => {
    await session.query('ADMIN SET FRONTEND CONFIG ("tablet_sched_max_scheduling_tablets" = "0")');
    // One tablet at times is repaired even so: after this one none is, for minutes.
    await spoil("sales.first");
    await until(
      async () => {
        const rows = await session.query("ADMIN SHOW REPLICA STATUS FROM sales.first WHERE STATUS != 'OK'");
        return rows.length === 0 ? { done: true, value: undefined } : { done: false, seen: "a bad replica" };
      },
      { what: "one repair", limit: 60_000 },
    );
    await session.query("DROP TABLE sales.first");
    const tablet = await spoil("sales.orders", "be3");
    declare(limit(3));
    assert.match(
      await refused(),
      new RegExp(
        `^BE be1 \\S.*the pre-flight did not pass\\.\\nWaited 3 s for every tablet to be safe without each BE that is going to be stopped; ` +
          `last seen: waiting for tablets: BE be3: sales\\.orders: tablet ${tablet} \\(1 of 2 replicas healthy\\)\\. .*\\nNo running node was stopped\\.`,
      ),
    );
  });

  it("are those of tables that no order of steps keeps whole, where the user wants that: refused at once", async () => {
    declare((args) => {
      limit(120)(args);
      args.backends.rollout = { soak: 1, singleReplicaTables: "refuse" };
    });
    assert.match(
      await refused(),
      /No BE is stopped, as `singleReplicaTables` is "refuse" and these tables cannot do without one: BE be1: sales\.orders: \d+ tablets? \(replication_num 2\) loses? writes; BE be2: .*; BE be3: .*\. Raise their replication_num, or let them be reported\./,
    );
  });

  it("are waited for before the first stop, and again in the turn of each BE", async () => {
    declare((args) => {
      limit(120)(args);
      args.backends.rollout = { soak: 10 };
    });
    const before = processes.byHost();
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    await shows(up, /waiting for tablets: BE be3: sales\.orders/, {
      what: "the row to tell of the table",
      limit: 60_000,
    });
    assert.deepEqual(restarted(before, processes.byHost()), [], "nothing was stopped while it waited");
    await session.query('ADMIN SET FRONTEND CONFIG ("tablet_sched_max_scheduling_tablets" = "10000")');
    assert.ok(await reached(lab, up, known, { kind: "BE", verb: "soak" }));
    await session.query('ADMIN SET FRONTEND CONFIG ("tablet_sched_max_scheduling_tablets" = "0")');
    // One tablet at times is repaired even so.
    for (const table of ["sales.later", "sales.latest"]) {
      await spoil(`${table}_2`, "be2", "be3");
      await spoil(`${table}_3`, "be3", "be2");
    }
    await shows(up, /sr-be-be[23] .*waiting for tablets: sales\.late/, {
      what: "the row of the next BE to tell of them",
      limit: 60_000,
    });
    assert.deepEqual(restarted(before, processes.byHost()), ["be1"]);
    await session.query('ADMIN SET FRONTEND CONFIG ("tablet_sched_max_scheduling_tablets" = "10000")');
    const outcome = await up.ended;
    assert.equal(outcome.exitCode, 0, outcome.stdout);
    assert.deepEqual(restarted(before, processes.byHost()), ["be1", "be2", "be3", "fe1"]);
    // The FE was restarted.
    session.close();
    session = connected();
  });

  it("are not those of a table with one replica: it is let through, and named in the report", async () => {
    await session.query(
      'CREATE TABLE sales.log (k BIGINT, v VARCHAR(64)) DISTRIBUTED BY HASH(k) BUCKETS 3 PROPERTIES ("replication_num" = "1")',
    );
    next = await lab.release("3.5.9");
    declare(() => undefined);
    const before = processes.byHost();
    const outcome = await lab.stack.up(["--skip-preview"]);
    assert.deepEqual(restarted(before, processes.byHost()), ["be1", "be2", "be3", "fe1"]);
    assert.match(
      told(outcome, "info").sr ?? "",
      /^ +not whole while a BE of theirs was down: .*sales\.log \(replication_num 1\), up to [1-3] tablets? a BE; sales\.orders \(replication_num 2\), up to \d+ tablets? a BE$/m,
    );
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("fail the rollout where they lose replicas after the last node was changed", async () => {
    next = await lab.release("3.5.10");
    declare((args) => {
      args.rollout = { observe: 15 };
      Object.assign(args.limits as object, { alive: 15 });
    });
    const up = lab.stack.start("up", ["--skip-preview"]);
    // By then it knows which tablets lack replicas already.
    await shows(up, /sr-rollout .*: \d+ s left/, { what: "the nodes to be watched", limit: 120_000 });
    // The FE was restarted.
    session.close();
    session = connected();
    await session.query('ADMIN SET FRONTEND CONFIG ("tablet_sched_max_scheduling_tablets" = "0")');
    // One tablet at times is repaired even so.
    await spoil("sales.second");
    await spoil("sales.third");
    const outcome = await up.ended;
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.match(
      told(outcome, "error")["sr-rollout"] ?? "",
      /and its tablets as well as before; last seen: tablets that have lost replicas since: sales\.\w+: tablet \d+ \(1 of 2 replicas healthy\)/,
    );
  });
});

describe("tablets that missed writes, in a line whose pause of balancing throttles repair", () => {
  let lab: Lab;
  before(async () => {
    // With a scheduling limit of 0 one tablet at times is repaired: after the first none is, for minutes.
    lab = await Lab.create({ frontends: 1, java: 11, times: { repairTrickleMs: 600_000 } });
    lab.declare(lab.args(await lab.release("3.0.8")));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("catch up after each BE", async () => {
    const login = { frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword };
    lab.declare(
      lab.args(await lab.release("3.0.9"), (args) => {
        Object.assign(args.limits as object, { tablets: 30 });
      }),
    );
    const workload = await startWorkload({ ...login, buckets: 12 });
    const up = await lab.stack.start("up", ["--skip-preview"]).ended;
    const { writesLost } = await workload.stop();
    assert.equal(up.exitCode, 0, up.stdout);
    assert.equal(writesLost, 0);
    const paused = lab.journal().flatMap(({ note }) => (note?.startsWith("balancing is paused") ? note : []));
    assert.match(paused.join("\n"), /max_scheduling_tablets = [1-9]/);
  });
});
