import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClusterCare } from "../../../../provider/resources/preflight/care.js";
import { guard } from "../../../../provider/rollout/guard.js";
import { keepersOf } from "../../../../provider/rollout/majority.js";
import { Notes } from "../../../../provider/rollout/notes.js";
import { AccessDenied } from "../../../../provider/starrocks/sql.js";
import { eventually, type FrontendProcess, Lab } from "../../simulator/fe/lab.js";
import { localHost } from "../../starrocks/local-host.js";
import { backend, leaseOf, type Operation, operationOn, topologyWith } from "../local-cluster.js";

describe("ClusterCare", function () {
  this.timeout(60_000);

  let lab: Lab;
  let fe: FrontendProcess;
  let folder: string;
  let before: string;
  let mine: Operation;
  let care: ClusterCare;
  beforeEach(async () => {
    lab = new Lab();
    before = process.cwd();
    folder = mkdtempSync(join(tmpdir(), "care-"));
    process.chdir(folder);
    fe = await lab.found();
    ({ operation: mine, care } = await begin());
  });
  afterEach(async () => {
    await leaseOf(mine).release();
    for (const contact of mine.frontends.contacts) {
      mine.frontends.forget(contact);
    }
    process.chdir(before);
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const begin = async () => {
    const operation = operationOn([fe], { leader: 1, lease: 0.001 });
    const node = operation.nodeOn(localHost(), backend({ address: "127.0.0.2", home: join(folder, "be") }));
    operation.run.answers = true;
    await guard({ ...node, node: "BE be-1", report: () => undefined });
    const whole = new ClusterCare(operation.run, topologyWith(operation, [node]));
    operation.run.care = whole;
    return { operation, care: whole };
  };

  const isPaused = async (): Promise<boolean> =>
    (await fe.sql("ADMIN SHOW FRONTEND CONFIG LIKE 'tablet_sched_disable_balance'"))[0]?.Value === "true";
  const notes = (): Notes => new Notes(keepersOf(mine.frontends));
  const noted = async (): Promise<unknown> => (await notes().read()).balance;

  it("tries again at the end what could not be restored before, and tells then what is paused", async () => {
    await care.beforeStop("be");
    fe.fault({ fault: "denyConfig" });
    await eventually("its refusal", () =>
      fe.sql(`ADMIN SET FRONTEND CONFIG ("disable_balance" = "true")`).then(
        () => false,
        () => true,
      ),
    );
    await care.beforeStop("fe");
    await care.end();
    assert.equal(await isPaused(), true);
    assert.match(
      care.unrestored ?? "",
      /^Balancing is still paused, .*\(disable_balance = false, disable_colocate_balance = false\): .*Access denied.* the next operation on this cluster restores them\. By hand, on every FE: ADMIN SET FRONTEND CONFIG \("disable_balance" = "false"\); ADMIN SET FRONTEND CONFIG \("disable_colocate_balance" = "false"\);$/,
    );
    assert.ok(mine.run.report("stopped at BE be-1.").includes(care.unrestored ?? "?"), "the report says so too");
    fe.heal();
    await eventually("its consent", () =>
      fe.sql(`ADMIN SET FRONTEND CONFIG ("disable_balance" = "true")`).then(() => true),
    );
    await care.end();
    assert.equal(await isPaused(), false);
    assert.equal(await noted(), undefined);
    assert.equal(care.unrestored, undefined);
  });

  it("undoes a pause that failed half-way", async () => {
    // The note was written, the first value was set, and then the user's privilege was revoked for a moment.
    const through = mine.frontends.through.bind(mine.frontends);
    let sets = 0;
    mine.frontends.through = async (contact) => {
      const sql = await through(contact);
      return {
        name: sql.name,
        close: () => sql.close(),
        table: (statement, limit) => sql.table(statement, limit),
        query: (statement, values, limit) => {
          sets += statement.startsWith("ADMIN SET") ? 1 : 0;
          return sets === 2
            ? Promise.reject(new AccessDenied("OPERATE was revoked", "ER_UNKNOWN_ERROR", ""))
            : sql.query(statement, values, limit);
        },
      };
    };
    await assert.rejects(care.beforeStop("be"), /OPERATE was revoked/);
    assert.equal(await isPaused(), true);
    mine.frontends.through = through;
    await care.end();
    assert.equal(await noted(), undefined);
    assert.equal(await isPaused(), false);
  });

  it("restores nothing once the lease was lost: another operator may just be stopping a BE", async () => {
    await care.beforeStop("be");
    const note = await noted();
    await leaseOf(mine).release();
    await care.end();
    assert.equal(await isPaused(), true);
    assert.deepEqual(await noted(), note);
    assert.match(care.unrestored ?? "", /The right to change this cluster was lost.*If another operator is at work/s);
    assert.doesNotMatch(care.unrestored ?? "", /By hand/);
  });

  it("neither uses nor removes the note of another operator", async () => {
    await care.beforeStop("be");
    const theirs = { values: { disable_balance: "true" }, since: "2026-01-01T00:00:00Z", id: "theirs" };
    await notes().set("balance", theirs);
    await care.end();
    assert.deepEqual(await noted(), theirs);
    assert.equal(await isPaused(), true);
    assert.equal(care.unrestored, undefined);
  });

  it("restores at the end what an interrupted operation had left, where no FE answered at the beginning", async () => {
    await care.beforeStop("be");
    await leaseOf(mine).release();
    // The next one finds the note, and nobody to restore it on.
    await fe.stop("SIGKILL");
    ({ operation: mine, care } = await begin());
    assert.equal(mine.run.leftPaused, true);
    await care.end();
    assert.match(care.unrestored ?? "", /^Balancing is still paused by an interrupted operation: no FE answers/);
    fe.start();
    await fe.ready();
    await care.end();
    assert.equal(care.unrestored, undefined);
    assert.equal(await noted(), undefined);
  });
});
