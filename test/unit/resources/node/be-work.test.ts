import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defaultPolicy } from "../../../../provider/plan/policy.js";
import type { BeSpec } from "../../../../provider/plan/spec.js";
import { BeDied, BeWork } from "../../../../provider/resources/node/be.js";
import { rebuild } from "../../../../provider/resources/node/rebuild.js";
import { observe } from "../../../../provider/resources/observe.js";
import type { Care } from "../../../../provider/rollout/run.js";
import { stopProcess } from "../../../../provider/starrocks/stop.js";
import { BeBench, leader } from "./bench.js";

const report = (): void => undefined;

describe("the work on a BE", function () {
  this.timeout(60_000);
  let bench: BeBench;
  beforeEach(() => {
    bench = new BeBench();
  });
  afterEach(() => bench.close());

  const declare = (spec: BeSpec, soak: number, drain?: number): void =>
    bench.run.declare({
      nodes: [spec],
      policy: { ...defaultPolicy, canary: spec.name, soak, drain },
      maxUnavailable: 1,
    });
  const started = async (spec: BeSpec): Promise<BeWork> => {
    const work = new BeWork(bench.context(spec));
    await work.note();
    await work.start();
    await work.prove(report);
    return work;
  };
  const ran = async (spec: BeSpec): Promise<void> => {
    await bench.bring(undefined, spec);
    await stopProcess(bench.host, "be", spec.home, { graceful: false, timeoutSeconds: 10 });
  };

  it("fails a canary that writes its core while it is watched: its process is there, and its log says so", async () => {
    const old = bench.spec(await bench.release("3.5.7"));
    await bench.bring(undefined, old);
    const next = bench.spec(await bench.release("3.5.8", { faults: [{ fault: "dumpCore", afterMs: 2500 }] }));
    declare(next, 20);
    await assert.rejects(bench.bring(old, next), (error: Error) => {
      assert.match(error.message, /^BE be-1 \(be\) failed to stay well while it was watched/);
      assert.match(error.message, /still runs, but its log says: \*\*\* SIGSEGV .*\nThat means: the BE crashed\./);
      assert.match(error.message, /BE be-1 was taken back to 3\.5\.7 and is proven there\./);
      return true;
    });
  });

  it("has healed when its new process has told of its tablets, not by what the one before told while it was drained", async () => {
    const spec = bench.spec(await bench.release("3.5.7"));
    await ran(spec);
    declare(spec, 0);
    let told = "2026-11-22 20:54:00";
    bench.rows = () => ({ frontends: [leader], backends: [bench.rowOf("3.5.7-d2da301", { tabletReport: told })] });
    const { answer } = bench;
    let asked = 0;
    bench.answer = (statement) => {
      asked += statement === "SHOW BACKENDS" ? 1 : 0;
      told = asked < 3 ? told : "2026-11-22 20:56:00";
      return answer(statement);
    };
    const work = new BeWork(bench.context(spec));
    await work.note();
    told = "2026-11-22 20:55:00";
    await work.start();
    await work.prove(report);
    assert.equal((await work.heal(report)).mark, "done");
    assert.equal(asked, 3);
  });

  it("is not proven while the cluster says another version of it, or has not heard the new process", async () => {
    const spec = bench.spec(await bench.release("3.5.7"));
    await ran(spec);
    declare(spec, 0);
    const startTime = "2026-11-22 20:00:00";
    const proving = async (after: Parameters<BeBench["rowOf"]>): Promise<void> => {
      bench.rows = () => ({
        frontends: [leader],
        backends: [bench.rowOf("3.5.7-d2da301", { lastStartTime: startTime })],
      });
      const work = new BeWork(bench.context(spec));
      await work.note();
      await work.start();
      bench.rows = () => ({ frontends: [leader], backends: [bench.rowOf(...after)] });
      await work.prove(report);
    };
    await assert.rejects(
      proving(["3.5.6-aaaaaaa"]),
      /^UserError: Waited 5 s for BE be-1 to be Alive with 3\.5\.7 in SHOW BACKENDS; last seen: SHOW BACKENDS still says 3\.5\.6-aaaaaaa\./,
    );
    await stopProcess(bench.host, "be", spec.home, { graceful: false, timeoutSeconds: 10 });
    await assert.rejects(
      proving(["3.5.7-d2da301", { lastStartTime: startTime }]),
      /last seen: the heartbeat of the new process is awaited\./,
    );
  });

  it("is not proven where it cannot open one of its ports, and is told which", async () => {
    const spec = bench.spec(await bench.release("3.5.7", { faults: [{ fault: "refusePort", port: "brpc" }] }));
    const error = await bench.bring(undefined, spec).then(
      () => undefined,
      (caught: Error) => caught,
    );
    assert.match(error?.message ?? "", /failed to prove .*That means: the bRPC port is taken\. Free it \(ss -lntp\)/s);
  });

  it("fails a canary of which the cluster says another version than the proven one while it is watched", async () => {
    const spec = bench.spec(await bench.release("3.5.7"));
    await ran(spec);
    declare(spec, 5);
    bench.rows = () => ({ frontends: [leader], backends: [bench.rowOf("3.5.7-d2da301")] });
    const work = await started(spec);
    bench.rows = () => ({ frontends: [leader], backends: [bench.rowOf("3.5.6-aaaaaaa")] });
    await assert.rejects(
      work.soak(report),
      /SHOW BACKENDS says 3\.5\.6-aaaaaaa of BE be-1, which was proven with 3\.5\.7\./,
    );
  });

  it("waits at the end of the watch until the tablets of the canary serve", async () => {
    const spec = bench.spec(await bench.release("3.5.7"));
    await ran(spec);
    declare(spec, 0.1);
    const { tabletReport: _, ...silent } = bench.rowOf("3.5.7-d2da301");
    bench.rows = () => ({ frontends: [leader], backends: [silent] });
    const work = await started(spec);
    // The row tells of no report of its tablets yet.
    await assert.rejects(work.soak(report), /^UserError: Waited 5 s for the tablets of BE be-1 to catch up/);
  });

  it("gives running queries the declared time before the stop", async () => {
    const old = bench.spec(await bench.release("3.5.7"));
    await ran(old);
    declare(old, 0, 100);
    bench.rows = () => ({ frontends: [leader], backends: [bench.rowOf("3.5.7-d2da301")] });
    await started(old);
    bench.rows = () => ({ frontends: [leader], backends: [bench.rowOf("3.5.7-d2da301")] });
    await bench.bring(old, bench.spec(old.release, { config: { brpc_num_threads: "8" } }));
    const log = join(old.home, "log");
    const texts = readdirSync(log)
      .filter((name) => name.startsWith("be.INFO.log"))
      .map((name) => readFileSync(join(log, name), "utf8"));
    assert.match(texts.join(""), /set_config loop_count_wait_fragments_finish=10 success/);
  });

  it("lets the cluster repair before the tablets of a rebuilt BE are copied", async () => {
    const spec = bench.spec(await bench.release("3.5.7"));
    await ran(spec);
    const done: string[] = [];
    bench.run.care = { letRepair: async () => void done.push("repair goes on") } as unknown as Care;
    let added = false;
    bench.rows = () => ({ frontends: [leader], backends: added ? [bench.rowOf("3.5.7-d2da301")] : [] });
    const context = bench.context(spec);
    const tell = context.frontends.tell.bind(context.frontends);
    Object.assign(context.frontends, {
      tell: async (statement: Parameters<typeof tell>[0]) => {
        const told = await tell(statement);
        added = bench.statements.some((text) => /ADD BACKEND/.test(text));
        return told;
      },
      through: async () => {
        done.push("copying is looked at");
        return { name: "fe-1", query: async () => [], close: () => undefined };
      },
    });
    const failure = new BeDied("it died", { state: "failed", crash: true });
    assert.equal((await rebuild(context, { spec, conf: undefined, opened: false }, failure, report)).mark, "done");
    assert.deepEqual(done.slice(0, 2), ["repair goes on", "copying is looked at"]);
  });

  it("fails the operation where the log of a process that still runs says that it failed, after the last node", async () => {
    const spec = bench.spec(await bench.release("3.5.7"));
    await bench.bring(undefined, spec);
    const topology = {
      cluster: bench.run.cluster,
      release: spec.release,
      maxUnavailable: 1,
      policy: { ...defaultPolicy, observe: 30 },
      nodes: [bench.context(spec)],
      position: 0,
      urn: undefined,
      clusterUrn: undefined,
    };
    let crashed = false;
    const crash = (): void => {
      if (!crashed) {
        crashed = true;
        appendFileSync(join(spec.home, "log/be.out"), "*** Aborted at 1732500000 (unix time) ***\n");
      }
    };
    await assert.rejects(
      observe(topology, crash),
      /The process of BE be-1 still runs, but its log says: \*\*\* Aborted at .*\nThat means: the BE crashed/,
    );
  });
});
