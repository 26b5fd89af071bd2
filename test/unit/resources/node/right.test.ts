import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Action } from "../../../../provider/plan/node.js";
import type { NodeRelease } from "../../../../provider/plan/spec.js";
import { BeDied } from "../../../../provider/resources/node/be.js";
import type { NodeContext } from "../../../../provider/resources/node/context.js";
import { converge } from "../../../../provider/resources/node/converge.js";
import { nodeItem } from "../../../../provider/resources/node/plan.js";
import { HalfRebuilt, rebuild } from "../../../../provider/resources/node/rebuild.js";
import { noting } from "../local-cluster.js";
import { LocalBackend } from "./local-backend.js";

describe("a node whose operation loses the lease", function () {
  this.timeout(120_000);

  let backend: LocalBackend;
  let old: NodeRelease;
  let next: NodeRelease;
  let broken: NodeRelease;

  const change = (context: NodeContext, action: Action): Promise<unknown> => {
    const item = nodeItem(action, context.spec, context.run.placeOf(context.spec, 0));
    return converge(context, action, item, async () => undefined, { ...context.spec, release: old });
  };
  const version = (to: NodeRelease): Action => ({ type: "version", from: old, to, fields: [] });
  /** What it says to people. */
  const failureOf = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.then(
      () => assert.fail("it should have failed"),
      (reason: unknown) => reason,
    );
    return String(error);
  };

  before(async () => {
    backend = new LocalBackend();
    old = await backend.stage("3.5.7");
    next = await backend.stage("3.5.8");
    broken = await backend.stage("3.5.9", { faults: [{ fault: "dieAtStart" }] });
    const { context } = await backend.operation(old);
    await change(context, { type: "create" });
    await context.run.lease?.release();
  });
  beforeEach(async () => {
    backend.forgetClaims();
    const { context } = await backend.operation(old);
    await change(context, { type: "repair", status: "failed" });
    await context.run.lease?.release();
    assert.equal(backend.current, old.id);
  });
  after(() => backend.close());

  it("is not stopped", async () => {
    const { context, operation, labels } = await backend.operation(next);
    const { pid } = backend;
    await backend.takeFrom(operation);
    const failure = await failureOf(change(context, version(next)));
    assert.match(
      failure,
      /was lost: ben@.*stack prod.* has it now\. Nothing more is begun\.[\s\S]*BE be-1 was not touched\./,
    );
    assert.equal(backend.pid, pid);
    assert.deepEqual(
      labels.filter((label) => ["stop", "switch", "start"].includes(label)),
      [],
    );
    assert.match(context.run.backends.closed ?? "", /BE be-1 failed/);
  });

  it("that was stopped already is left to whoever has the cluster now, and the error says who and how it was left", async () => {
    const { context, operation, labels } = await backend.operation(next, async (label) => {
      if (label === "stop") {
        await backend.takeFrom(operation);
      }
    });
    const failure = await failureOf(change(context, version(next)));
    assert.match(failure, /BE be-1 \(local\) failed to switch the release \(step \d+ of \d+: 3\.5\.7 → 3\.5\.8\)\.\n/);
    assert.match(
      failure,
      /was lost: ben@\S+ \(process \d+, stack prod\) since \S+ is changing it\. Nothing more is begun\./,
    );
    assert.match(failure, /BE be-1 is left stopped, with 3\.5\.7-\w+ current; its data is untouched\. Whoever changes/);
    assert.equal(backend.pid, undefined);
    assert.equal(backend.current, old.id);
    assert.deepEqual(
      labels.filter((label) => ["switch", "start"].includes(label)),
      [],
    );
  });

  it("that was stopped already is started where the FE hosts could only not be reached", async () => {
    const { context, operation } = await backend.operation(next, async (label) => {
      if (label === "stop") {
        operation.frontends.cut = true;
        await backend.lost(operation);
      }
    });
    await change(context, version(next));
    assert.equal(backend.current, next.id);
    assert.notEqual(backend.pid, undefined);
  });

  it("and was started by somebody since is not touched again", async () => {
    const { context, operation } = await backend.operation(next, async (label) => {
      if (label === "stop") {
        operation.frontends.cut = true;
        await backend.lost(operation);
        await backend.start();
      }
    });
    const failure = await failureOf(change(context, version(next)));
    assert.match(failure, /was lost, and process \d+ of BE be-1 runs: it is not touched any more\./);
    assert.match(failure, /BE be-1 is left as it is: 3\.5\.7-\w+ is current, and its process \d+ runs\./);
    assert.equal(backend.current, old.id);
  });

  it("and cannot start with its new release is not taken back", async () => {
    const { context, operation, labels } = await backend.operation(broken, async (label) => {
      if (label === "start") {
        await backend.takeFrom(operation);
      }
    });
    const failure = await failureOf(change(context, version(broken)));
    assert.match(failure, /could not be taken back to 3\.5\.7: .*ben@.* is changing it\. Nothing more is begun\./);
    assert.match(failure, /BE be-1 is left stopped, with 3\.5\.9-\w+ current/);
    assert.equal(backend.current, broken.id);
    assert.equal(labels.filter((label) => label === "start").length, 1);
    assert.equal(labels.filter((label) => label === "stop").length, 1);
  });

  describe("while it is rebuilt", () => {
    const data = (): string => join(backend.home, "storage/precious");
    const died = new BeDied("BE be-1 does not run", { state: "failed", crash: true } as never);

    /** The cluster does not know it any more, so that nothing is waited for; `told` is what the cluster was told. */
    const operation = async () => {
      const made = await backend.operation(next);
      const { frontends, run } = made.context;
      const told: string[] = [];
      frontends.rows = async () => ({ frontends: [], backends: [] });
      frontends.tell = async (statement) => statement(noting(told));
      const work = () =>
        rebuild(
          made.context,
          { spec: { ...made.context.spec, release: old }, conf: undefined, opened: false },
          died,
          () => undefined,
        );
      return { ...made, frontends, run, told, work };
    };

    beforeEach(async () => {
      writeFileSync(data(), "");
      await backend.kill();
    });

    it("is not dropped once its process is there again, however long its tablets were waited for", async () => {
      const { frontends, told, work } = await operation();
      const { rows } = frontends;
      frontends.rows = async (...args) => {
        await backend.start();
        return rows(...args);
      };
      assert.match(await failureOf(work()), /Its process \d+ runs on its data, so that is not given up/);
      assert.deepEqual(told, []);
    });

    it("keeps its data once its process is there again, though it was dropped", async () => {
      const { frontends, told, work } = await operation();
      const { tell } = frontends;
      frontends.tell = async (...args) => {
        const answer = await tell.call(frontends, ...args);
        await backend.start();
        return answer as never;
      };
      await assert.rejects(
        work(),
        (error) =>
          error instanceof HalfRebuilt && /runs on its data.*\nDone so far: it was dropped/s.test(error.message),
      );
      assert.equal(told.length, 1);
      assert.ok(existsSync(data()));
      assert.notEqual(backend.pid, undefined);
    });

    it("is not dropped without the lease", async () => {
      const { operation: mine, told, work } = await operation();
      await backend.takeFrom(mine);
      assert.match(await failureOf(work()), /was lost: ben@/);
      assert.deepEqual(told, []);
    });

    it("keeps its data without the lease, though it was dropped", async () => {
      const { operation: mine, frontends, work } = await operation();
      const { tell } = frontends;
      frontends.tell = async (...args) => {
        const answer = await tell.call(frontends, ...args);
        await backend.takeFrom(mine);
        return answer as never;
      };
      await assert.rejects(work(), (error) => error instanceof HalfRebuilt && /was lost: ben@/.test(error.message));
      assert.ok(existsSync(data()));
      assert.ok(readdirSync(backend.home).includes("storage"));
    });
  });
});
