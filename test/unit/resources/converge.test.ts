import assert from "node:assert/strict";
import { appendFileSync, existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { limitsOf } from "../../../provider/plan/limits.js";
import type { Action } from "../../../provider/plan/node.js";
import type { NodeContext } from "../../../provider/resources/node/context.js";
import { converge, type Gate } from "../../../provider/resources/node/converge.js";
import { NodeFailure } from "../../../provider/resources/node/left.js";
import { nodeItem } from "../../../provider/resources/node/plan.js";
import { Frontends } from "../../../provider/rollout/frontends.js";
import { Run } from "../../../provider/rollout/run.js";
import { RefusedTurn } from "../../../provider/rollout/turnstile.js";
import { homePaths } from "../../../provider/starrocks/layout.js";
import { observeHome } from "../../../provider/starrocks/observe.js";
import { startProcess } from "../../../provider/starrocks/start.js";
import { until } from "../../../provider/wait.js";
import { be } from "../plan/specs.js";
import { inFolder, linesOf } from "../rollout/items.js";
import { type Bench, buildToy, killQuietly, openBench, type ToyArchive } from "../starrocks/toy.js";

const crashLine = "*** SIGSEGV (@0x0) received by PID 4711 ***\n";

/** A BE that nothing but its own process and its own port can tell of: no FE is known. */
describe("converge", function () {
  this.timeout(60_000);
  let bench: Bench;
  let old: ToyArchive;
  let next: ToyArchive;
  let home: string;
  let health: Server;
  let run: Run;

  const limits = limitsOf({ start: 20, stop: 20, alive: 5, turn: 20 });
  const releaseOf = ({ releaseId, version }: ToyArchive) => ({ id: releaseId, version });
  const upgrade = (): Action => ({ type: "version", from: releaseOf(old), to: releaseOf(next), fields: [] });

  const contextOf = (toy: ToyArchive, during: (text: string) => void = () => undefined): NodeContext => ({
    spec: be({
      address: "127.0.0.1",
      deployDir: bench.deployDir,
      home,
      ports: { http: (health.address() as AddressInfo).port },
      release: releaseOf(toy),
      storage: [join(bench.folder, "disk")],
    }),
    host: bench.host,
    frontends: new Frontends({
      cluster: "lab",
      contacts: [],
      connection: { host: "127.0.0.1" },
      sql: { user: "root" },
      limits,
    }),
    run,
    limits,
    position: 0,
    preflight: undefined,
    progress: during,
    urn: undefined,
    secrets: [],
  });
  const change = (context: NodeContext, action: Action, gate: Gate = async () => undefined): Promise<unknown> =>
    converge(context, action, nodeItem(action, context.spec, run.placeOf(context.spec, 0)), gate);

  const seen = () =>
    observeHome(bench.host, { home, kind: "be", dataFolders: [], template: homePaths(home, "be").conf });
  const currentIs = async (toy: ToyArchive): Promise<void> => assert.equal((await seen()).current, toy.releaseId);
  const pid = async (): Promise<number | undefined> => (await seen()).process?.pid;
  const startOld = async (): Promise<void> => {
    await startProcess(bench.host, "be", home);
    await until(async () => ((await pid()) ? { done: true, value: undefined } : { done: false, seen: "no process" }), {
      what: "the old BE to run",
      limit: 10_000,
    });
  };
  const kill = async (): Promise<void> => {
    killQuietly((await pid()) ?? 0);
    await until(async () => ((await pid()) ? { done: false, seen: "it runs" } : { done: true, value: undefined }), {
      what: "the BE to be gone",
      limit: 10_000,
    });
  };

  beforeEach(async () => {
    bench = openBench();
    old = buildToy(bench.folder, { version: "3.5.7" });
    next = buildToy(bench.folder, { version: "3.5.8" });
    home = await bench.makeHome("be", "be", old);
    await bench.stage(next);
    // The toy serves no HTTP: this port is as well as the toy, which writes its pid file once it is up.
    health = createServer((_request, response) =>
      existsSync(join(home, "bin/be.pid")) ? response.end('{"status":"OK"}') : response.destroy(),
    );
    await new Promise<void>((resolve) => health.listen(0, "127.0.0.1", resolve));
    run = new Run("sr");
  });
  afterEach(async () => {
    health.close();
    await bench.clear();
  });

  it("touches nothing of a node that was down where another one fails before its home is switched", () =>
    inFolder(async () => {
      const context = contextOf(next, (text) => {
        if (text.includes("stop")) {
          run.close("BE be-9 failed");
        }
      });
      await assert.rejects(change(context, upgrade()), /^UserError: BE be-1 was not touched: BE be-9 failed$/);
      await currentIs(old);
    }));

  it("brings a node to its end once its home was switched, whatever fails elsewhere", () =>
    inFolder(async () => {
      const context = contextOf(next, (text) => {
        if (text.includes("write its conf file")) {
          run.close("BE be-9 failed");
        }
      });
      await change(context, upgrade());
      await currentIs(next);
      assert.ok(await pid());
    }));

  it("starts what has ended since it was given its turn, though the operation is canceled then", () =>
    inFolder(async () => {
      await startOld();
      const running = (await pid()) ?? 0;
      const context = contextOf(next, (text) => {
        if (text.includes("see its tablets safe")) {
          killQuietly(running);
          run.close("the operation was canceled");
        }
      });
      await change(context, upgrade());
      await currentIs(next);
      assert.ok(await pid());
    }));

  it("lets no running node be stopped any more where a new one fails, while other new ones are started", () =>
    inFolder(async () => {
      bench.fault(home, "die");
      await assert.rejects(change(contextOf(old), { type: "create" }), (error: unknown) => {
        assert.ok(error instanceof NodeFailure);
        assert.match(error.message, /dies at once[\s\S]*It does not run; no data was removed\./);
        return true;
      });
      assert.equal(run.backends.closed, "BE be-1 failed");
      await assert.rejects(run.assertGoing("BE be-2"), /^UserError: BE be-2 was not touched: BE be-1 failed$/);
      await run.assertMayStart("BE be-3");
    }));

  it("leaves alone what runs from a home that was made by hand, and says so before anything is done", () =>
    inFolder(async () => {
      await startOld();
      const running = await pid();
      await rm(join(home, "lib"));
      await mkdir(join(home, "lib"));
      await rm(join(home, ".pulumi-starrocks.json"), { force: true });
      await assert.rejects(
        change({ ...contextOf(next), spec: { ...contextOf(next).spec, adopt: true } }, { type: "create" }),
        /lib on local is not a link: .* was not made by pulumi-starrocks, but by hand or by another tool\. Nothing was changed, and what runs from it goes on\..*\nIt was not started; no data was removed\./,
      );
      assert.equal(await pid(), running);
      assert.equal(existsSync(join(home, ".pulumi-starrocks.json")), false);
    }));

  describe("of a node that dies after its proof, when the next one looks back", () => {
    const note = "BE be-1 \\(local\\) was proven with 3\\.5\\.8, and its process has ended since\\.";
    const told = async (): Promise<string> => {
      const refused: unknown = await run.lookBack("BE be-2").catch((error: unknown) => error);
      assert.ok(refused instanceof RefusedTurn);
      assert.match(refused.message, new RegExp(`^BE be-2 was not touched: ${note} Last lines`));
      assert.match(refused.message, /\nNo other node is touched any more\./);
      await assert.rejects(run.assertGoing("BE be-3"), /^UserError: BE be-3 was not touched: BE be-1 failed$/);
      return refused.message;
    };
    const rollback = () =>
      linesOf(run.journal.path)
        .flatMap(({ step, mark }) => (step === "rollback" ? [mark] : []))
        .at(-1);
    const upgraded = async (during?: (text: string) => void): Promise<void> => {
      await startOld();
      await change(contextOf(next, during), upgrade());
      assert.deepEqual(await run.lookBack("BE be-2"), []);
    };

    it("starts again what was ended from outside, as the state has it", () =>
      inFolder(async () => {
        await upgraded();
        await kill();
        assert.match(await told(), /\nBE be-1 was started again with 3\.5\.8 and is proven\.\n/);
        await currentIs(next);
        assert.ok(await pid());
        assert.equal(rollback(), "not met");
      }));

    it("takes back what cannot be started again", () =>
      inFolder(async () => {
        let isMended = false;
        await upgraded((text) => {
          if (!isMended && text.includes("be taken back")) {
            isMended = true;
            bench.mend(home, "die");
          }
        });
        bench.fault(home, "die");
        await kill();
        assert.match(
          await told(),
          /\nIt was started again, and failed: BE be-1 on local does not run: [\s\S]*\nBE be-1 was taken back to 3\.5\.7 and is proven there\. The state has it with 3\.5\.8 still\.\n/,
        );
        await currentIs(old);
        assert.ok(await pid());
        assert.equal(rollback(), "done");
      }));

    it("takes back at once what died by itself, as its log says", () =>
      inFolder(async () => {
        await upgraded();
        appendFileSync(join(home, "log/be.out"), crashLine);
        await kill();
        const text = await told();
        assert.match(
          text,
          /\nBE be-1 was taken back to 3\.5\.7 and is proven there\. The state has it with 3\.5\.8 still\.\n/,
        );
        assert.doesNotMatch(text, /started again/);
        await currentIs(old);
        assert.equal(rollback(), "done");
      }));
  });

  it("takes a node back to the release that it was proven on last, whatever the state says", () =>
    inFolder(async () => {
      await startOld();
      await change(contextOf(next), upgrade());
      appendFileSync(join(home, "log/be.out"), crashLine);
      await kill();
      await assert.rejects(run.lookBack("BE be-2"));
      run = new Run("sr");
      const third = buildToy(bench.folder, { version: "3.5.9" });
      await bench.stage(third);
      const action: Action = { type: "version", from: releaseOf(next), to: releaseOf(third), fields: [] };
      const context = contextOf(third, (text) => {
        if (text.includes("start")) {
          bench.fault(home, "die");
        }
        if (text.includes("be taken back")) {
          bench.mend(home, "die");
        }
      });
      await assert.rejects(change(context, action), /BE be-1 was taken back to 3\.5\.7 and is proven there\./);
      assert.match(run.report("failed"), /^ +taken back: BE be-1 to 3\.5\.7$/m);
      await currentIs(old);
    }));

  describe("where another change wants the same node", () => {
    const repair: Action = { type: "repair", status: "stopped" };
    const marked = (step: string) => linesOf(run.journal.path).some((entry) => entry.step === step);

    it("takes the turn of a node that was down at first, and was started otherwise than declared meanwhile", () =>
      inFolder(async () => {
        let asked = 0;
        let changing: Promise<unknown> | undefined;
        await run.onNode("BE be-1", async () => {
          changing = change(contextOf(next), upgrade(), async () => {
            asked += 1;
          });
          await until(async () => (marked("turn") ? { done: true, value: undefined } : { done: false, seen: "no" }), {
            what: "its first look",
            limit: 10_000,
          });
          assert.equal(asked, 0, "it is down");
          await startOld();
        });
        await changing;
        assert.equal(asked, 1);
        assert.equal(run.backends.rows.length, 0, "the turn was given back");
        await currentIs(next);
      }));

    it("leaves a node alone that was found down, and that its own change has started before it had the lock", () =>
      inFolder(async () => {
        await startOld();
        const running = await pid();
        await change(contextOf(next), { ...repair, together: true });
        assert.equal(await pid(), running);
        await currentIs(old);
        const marks = linesOf(run.journal.path).flatMap(({ mark }) => (mark === undefined ? [] : [mark]));
        assert.deepEqual(new Set(marks), new Set(["skipped"]));
      }));

    it("asks the gate, which may want to start the node, before it has the lock", () =>
      inFolder(async () => {
        await startOld();
        await change(contextOf(next), repair, () => run.onNode("BE be-1", async () => undefined));
        await currentIs(next);
      }));
  });
});
