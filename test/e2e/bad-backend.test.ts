import assert from "node:assert/strict";
import { until } from "../../provider/wait.js";
import type { Outcome } from "../engine/stack.js";
import { realHosts } from "../fleet/possible.js";
import { tellFailure } from "../lab/failure.js";
import { itemsOf } from "../lab/journal.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { NodeProcesses, nodeCommand, restarted } from "../lab/node-processes.js";
import { reached } from "../lab/step-watch.js";
import { previewThenUp } from "../lab/story.js";
import { told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";
import { type Report, startWorkload } from "../simulator/client/workload.js";
import type { BuiltRelease } from "../simulator/release.js";

/** The BE's own kinds of a bad build, under a client that writes and reads all the time. */
describe("a bad build of the BE", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  const login = () => ({ frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword });
  const declare = (release: BuiltRelease, change: (args: PlainArgs) => void = () => undefined): void =>
    lab.declare(lab.args(release, change));
  const rollout =
    (more: Record<string, unknown>) =>
    ({ backends }: PlainArgs): void => {
      backends.rollout = { ...backends.rollout, ...more };
    };

  /** The user's own values of what is paused. */
  const balancing = async (): Promise<Readonly<Record<string, unknown>>> => {
    const session = new Session(login());
    const values: Record<string, unknown> = {};
    for (const name of ["tablet_sched_disable_balance", "tablet_sched_disable_colocate_balance"]) {
      const [row] = await session.query(`ADMIN SHOW FRONTEND CONFIG LIKE '${name}'`);
      values[name] = row?.Value;
    }
    session.close();
    return values;
  };
  /** In memory only, as an operator does it: the restart of an FE forgets it. */
  const setOwn = async (): Promise<void> => {
    const session = new Session(login());
    await session.query('ADMIN SET FRONTEND CONFIG ("disable_colocate_balance" = "true")');
    session.close();
  };
  const own = { tablet_sched_disable_balance: "false", tablet_sched_disable_colocate_balance: "true" };

  const backends = async (): Promise<Readonly<Record<string, string>>> => {
    const session = new Session(login());
    const rows = await session.query("SHOW BACKENDS");
    session.close();
    const names = rows.map((row): [string, string] => {
      const name = lab.fleet.hosts.find(({ address }) => address === row.IP)?.name ?? String(row.IP);
      return [name, `${row.Alive} ${String(row.Version).split("-")[0]}`];
    });
    return Object.fromEntries(names.sort());
  };
  /** Soon: a write that was under way when its replica went away is fetched by the repair. */
  const everyReplicaIsWell = async (): Promise<void> => {
    const session = new Session(login());
    try {
      await until<void>(
        async () => {
          const rows = await session.query("ADMIN SHOW REPLICA STATUS FROM workload.acknowledged WHERE STATUS != 'OK'");
          return rows.length === 0 ? { done: true, value: undefined } : { done: false, seen: JSON.stringify(rows) };
        },
        { what: "every replica to be well", limit: 30_000 },
      );
    } finally {
      session.close();
    }
  };
  const all = (version: string) => ({ be1: `true ${version}`, be2: `true ${version}`, be3: `true ${version}` });

  interface Failed {
    readonly outcome: Outcome;
    /** What people read at the canary. */
    readonly error: string;
    readonly restarted: readonly string[];
    readonly report: Report;
  }

  /** An `up` that must fail, under a client. */
  const fails = async (): Promise<Failed> => {
    const workload = await startWorkload({ ...login(), pauseMs: 20 });
    const before = processes.byHost();
    const outcome = await lab.stack.up(["--skip-preview"], { expectFailure: true });
    const after = processes.byHost();
    const report = await workload.stop();
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.equal(report.writesLost, 0, "no acknowledged write is lost");
    assert.ok(report.writesAcknowledged > 20, `${report.writesAcknowledged} writes acknowledged`);
    assert.deepEqual(await balancing(), own, "balancing is as the user has it");
    return { outcome, error: told(outcome, "error")["sr-be-be1"] ?? "", restarted: restarted(before, after), report };
  };

  before(async () => {
    lab = await Lab.create({ kind: realHosts(), frontends: 1 });
    processes = new NodeProcesses(lab.fleet);
    declare(await lab.release("3.5.7"));
    await lab.stack.up();
    await setOwn();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("that dies at its start touches one BE, which is taken back; no write is lost", async () => {
    declare(await lab.release("3.5.8", { be: { faults: [{ fault: "dieAtStart", message: "illegal instruction" }] } }));
    const { error, restarted: touched } = await fails();
    assert.deepEqual(touched, ["be1"]);
    assert.match(error, /illegal instruction/);
    assert.match(error, /BE be1 was taken back to 3\.5\.7 and is proven there\. No other node is touched any more\./);
    assert.deepEqual(await backends(), all("3.5.7"));
  });

  it("that crashes as soon as it has answered touches one BE, without a canary too", async () => {
    declare(
      await lab.release("3.5.8", { be: { faults: [{ fault: "crashLoop", afterMs: 800 }] } }),
      rollout({ canary: false }),
    );
    const { error, restarted: touched } = await fails();
    assert.deepEqual(touched, ["be1"]);
    assert.match(
      error,
      /^BE be1 \(\S+\) failed to prove [\s\S]*BE be1 was taken back to 3\.5\.7 and is proven there\./,
    );
    assert.deepEqual(await backends(), all("3.5.7"));
  });

  it("that crashes while it is watched is taken back", async () => {
    declare(
      await lab.release("3.5.8", { be: { faults: [{ fault: "crashLoop", afterMs: 8000 }] } }),
      rollout({ soak: 15 }),
    );
    const { error, restarted: touched } = await fails();
    assert.deepEqual(touched, ["be1"]);
    assert.match(
      error,
      /^BE be1 \(\S+\) failed to stay well while it was watched \(step 10 of 11: 3\.5\.7 → 3\.5\.8\)/,
    );
    assert.match(error, /BE be1 was taken back to 3\.5\.7 and is proven there\./);
    assert.deepEqual(await backends(), all("3.5.7"));
  });

  it("that answers the user's own queries wrongly is taken back", async () => {
    declare(await lab.release("3.5.8"), (args) => {
      args.rollout = { observe: 1, verify: [{ sql: "SELECT 1 + 1", expect: [[3]] }] };
    });
    const { error, restarted: touched } = await fails();
    assert.deepEqual(touched, ["be1"]);
    assert.match(error, /^BE be1 \(\S+\) failed to answer the declared queries/);
    assert.match(
      error,
      /The declared query "SELECT 1 \+ 1" gave other rows than declared: expected \[\["3"\]\], got \[\["2"\]\]\./,
    );
    assert.match(error, /BE be1 was taken back to 3\.5\.7 and is proven there\./);
    assert.deepEqual(await backends(), all("3.5.7"));
  });

  it("is left running where it holds what the others have lost meanwhile", async () => {
    declare(await lab.release("3.5.8"), (args) => {
      args.limits = { ...(args.limits as object), tablets: 6 };
      args.backends.rollout = { ...args.backends.rollout, maxUnavailable: 3 };
      args.rollout = { observe: 1, verify: [{ sql: "SELECT 1 + 1", expect: [[3]] }] };
      rollout({ soak: 4 })(args);
    });
    const workload = await startWorkload({ ...login(), pauseMs: 20 });
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, up, known, { kind: "BE", verb: "heal" }));
    const { be1 } = processes.byHost();
    await Promise.all(["be2", "be3"].map((name) => lab.fleet.host(name).kill(nodeCommand)));
    const outcome = await up.ended;
    const left = processes.byHost();
    declare(await lab.release("3.5.7"));
    await lab.stack.up(["--skip-preview"]);
    const report = await workload.stop();
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.deepEqual(Object.keys(left), ["be1", "fe1"]);
    assert.deepEqual(left.be1, be1);
    assert.match(
      told(outcome, "error")["sr-be-be1"] ?? "",
      /BE be1 \(\S+\) failed to answer the declared queries[\s\S]*\nBE be1 could not be taken back to 3\.5\.7: Waited 6 s for every tablet to be safe without BE be1[\s\S]*workload\.acknowledged[\s\S]*\nBE be1 is left as it is; its data is untouched\./,
    );
    assert.deepEqual(await backends(), all("3.5.7"));
    assert.equal(report.writesLost, 0);
  });

  it("is left running beside another one that has died meanwhile, though no tablet needs it", async () => {
    const session = new Session(login());
    await session.query("DROP DATABASE workload FORCE");
    session.close();
    declare(await lab.release("3.5.8"), (args) => {
      args.limits = { ...(args.limits as object), alive: 25 };
      args.rollout = { observe: 1, verify: [{ sql: "SELECT 1 + 1", expect: [[3]] }] };
      rollout({ soak: 4 })(args);
    });
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, up, known, { kind: "BE", verb: "heal" }));
    const { be1 } = processes.byHost();
    await lab.fleet.host("be2").kill(nodeCommand);
    const outcome = await up.ended;
    const left = processes.byHost();
    declare(await lab.release("3.5.7"));
    await lab.stack.up(["--skip-preview"]);
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.deepEqual(left.be1, be1);
    assert.match(
      told(outcome, "error")["sr-be-be1"] ?? "",
      /BE be1 \(\S+\) failed to answer the declared queries[\s\S]*\nBE be1 could not be taken back to 3\.5\.7: Waited 25 s for the other BEs to run; last seen: BE \S+ down\. BE be1 was not stopped\. .*\nBE be1 is left as it is; its data is untouched\./,
    );
    assert.deepEqual(await backends(), all("3.5.7"));
  });

  /** Writes data that the release before cannot read, and dies then. */
  const spoils = (format: number, version = "3.5.8") => {
    const faults = [
      { fault: "newDataFormat", format },
      { fault: "crashLoop", afterMs: 2500 },
    ] as const;
    return lab.release(version, { be: { faults } });
  };
  const repaired = (format: number, version: string) =>
    lab.release(version, { be: { faults: [{ fault: "newDataFormat", format }] } });

  it("that leaves data which the old one cannot read is rebuilt, where the user wants that", async () => {
    declare(await spoils(2), rollout({ soak: 15, onUnrecoverable: "rebuild" }));
    const { error, restarted: touched } = await fails();
    assert.deepEqual(touched, ["be1"]);
    assert.match(error, /BE be1 could not be taken back to 3\.5\.7: [\s\S]*unsupported data format/);
    assert.match(
      error,
      /BE be1 was rebuilt with 3\.5\.7: it was dropped from the cluster; its data was moved, not deleted, to \S+\.trash-\d{8}-\d{6}, \S+; 3\.5\.7 runs on empty folders; it was added again; its \d+ tablets are whole again\./,
    );
    assert.deepEqual(await backends(), all("3.5.7"));
    await everyReplicaIsWell();
    const be1 = itemsOf(lab.journal()).find(({ id }) => id === "BE be1");
    const ends = be1?.steps.slice(-2).map(({ verb, mark }) => `${verb} ${mark}`);
    assert.deepEqual(ends, ["rollback failed", "rebuild done"]);
  });

  it("that was left stopped is rebuilt by the next up, where the user wants that only then", async () => {
    const old = await lab.release("3.5.7");
    declare(await spoils(2), rollout({ soak: 15 }));
    const { error } = await fails();
    assert.match(
      error,
      /with `onUnrecoverable: "rebuild"` the next `pulumi up` does that\. By hand: ALTER SYSTEM DROP BACKEND/,
    );
    assert.match((await backends()).be1 ?? "", /^false/);
    declare(old, rollout({ onUnrecoverable: "rebuild" }));
    const preview = await lab.stack.preview();
    assert.match(preview.stdout, /BE be1, repair \(was failed\): .*\[rebuild\]/);
    const second = await fails();
    assert.deepEqual(second.restarted, ["be1"]);
    assert.match(second.error, /^BE be1 \(\S+\) failed to prove \(step 6 of 9: repair \(was failed\)\)\./);
    assert.match(
      second.error,
      /\nBE be1 was rebuilt with 3\.5\.7: it was dropped from the cluster; its data was moved, not deleted, to /,
    );
    assert.deepEqual(await backends(), all("3.5.7"));
    const { restarted: touched } = await previewThenUp(lab);
    assert.deepEqual(touched, []);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("is not dropped where its host is out of reach: nobody knows then whether it is lost", async () => {
    declare(await lab.release("3.5.8"), (args) => {
      args.connection = { ...args.connection, keepaliveInterval: 2 };
      // For so long the host is looked at again.
      args.limits = { ...(args.limits as object), stop: 15 };
      rollout({ soak: 15, onUnrecoverable: "rebuild" })(args);
    });
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, up, known, { kind: "BE", verb: "start" }));
    const be1 = lab.fleet.host("be1");
    await be1.cutNetwork();
    const outcome = await up.ended;
    await be1.restoreNetwork();
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.match(
      told(outcome, "error")["sr-be-be1"] ?? "",
      /It was not rebuilt: It was not seen to die on its data, so that is not given up\./,
    );
    assert.deepEqual(Object.keys(await backends()), ["be1", "be2", "be3"], "no BE was dropped");
    declare(await lab.release("3.5.7"));
    await lab.stack.up(["--skip-preview"]);
    assert.deepEqual(await backends(), all("3.5.7"));
  });

  it("is not dropped where its log names another cause than its data", async () => {
    declare(await lab.release("3.5.8"), rollout({ soak: 15, onUnrecoverable: "rebuild" }));
    const be1 = lab.fleet.host("be1");
    // Somebody else takes its port as soon as it is free.
    const take = `const s=require("net").createServer(),t=()=>s.listen(8040,"${be1.address}");s.on("error",()=>setTimeout(t,20));t()`;
    await be1.exec(`cd /; nohup ${process.execPath} -e '${take}' > /dev/null 2>&1 &`);
    const outcome = await lab.stack.up(["--skip-preview"], { expectFailure: true });
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    const error = told(outcome, "error")["sr-be-be1"] ?? "";
    assert.match(error, /It was not rebuilt: Its log names another cause than its data \(the HTTP port is taken\)/);
    assert.match(error, /\nBE be1 is left stopped; its data is untouched\. No other node is touched any more\./);
    assert.deepEqual(Object.keys(await backends()), ["be1", "be2", "be3"], "no BE was dropped");
    await be1.kill("createServer");
    declare(await lab.release("3.5.7"));
    await lab.stack.up(["--skip-preview"]);
    assert.deepEqual(await backends(), all("3.5.7"));
  });

  it("is left stopped with its data where nothing else is said, and a repaired build goes on from there", async () => {
    declare(await spoils(2), rollout({ soak: 15 }));
    const { error } = await fails();
    assert.match(error, /BE be1 could not be taken back to 3\.5\.7: [\s\S]*unsupported data format/);
    assert.match(
      error,
      /BE be1 is left stopped, and its data is untouched: probably 3\.5\.8 has written a format that 3\.5\.7 cannot read\./,
    );
    assert.match(error, /Declare a repaired build of 3\.5\.8, or a newer version, that reads the data\./);
    assert.match((await backends()).be1 ?? "", /^false/);
    const workload = await startWorkload({ ...login(), pauseMs: 20 });
    declare(await repaired(2, "3.5.9"));
    await lab.stack.up(["--skip-preview"]);
    assert.equal((await workload.stop()).writesLost, 0);
    assert.deepEqual(await backends(), all("3.5.9"));
    await setOwn();
  });

  it("is not rebuilt where the only replica of a tablet lies there", async () => {
    const session = new Session(login());
    await session.query("CREATE DATABASE sales");
    await session.query(
      'CREATE TABLE sales.log (k BIGINT, v VARCHAR(64)) DISTRIBUTED BY HASH(k) BUCKETS 6 PROPERTIES ("replication_num" = "1")',
    );
    declare(await spoils(3, "3.5.10"), rollout({ soak: 15, onUnrecoverable: "rebuild" }));
    const { error, restarted: touched } = await fails();
    assert.deepEqual(touched, ["be1"]);
    assert.match(
      error,
      /It was not rebuilt: It is not dropped, as no other BE has a healthy replica of these tablets: sales\.log: tablets? [\d, ]+ \(\d of 1 replicas healthy\)\. .*\nBE be1 is left stopped/,
    );
    assert.match((await backends()).be1 ?? "", /^false/);
    session.close();
  });

  it("that lets a BE die after the last node was changed fails the rollout, and says which", async () => {
    declare(await repaired(3, "3.5.10"), (args) => {
      args.rollout = { observe: 20 };
    });
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    // The step before it is marked in the journal, and the nodes are being watched.
    assert.ok(await reached(lab, up, known, { kind: "rollout", verb: "observe" }));
    await lab.fleet.host("be2").kill(nodeCommand);
    const outcome = await up.ended;
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.match(
      told(outcome, "error")["sr-rollout"] ?? "",
      /BE be2 was proven, and its process has ended since\. Last lines of its log \(\S+\/be\/log\):\n[\s\S]*started successfully[\s\S]*\n`pulumi up --refresh` starts it again\./,
    );
  });

  it("and the next plain up starts it, though no node has anything to change", async () => {
    const { plan, restarted: touched } = await previewThenUp(lab);
    assert.match(plan ?? "", /^sr: no running node is stopped\.$/m);
    assert.match(
      plan ?? "",
      /^ +1\. rollout: \[repair\] → prove every node → watch every node → \[remove older releases\]$/m,
    );
    assert.deepEqual(touched, ["be2"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
