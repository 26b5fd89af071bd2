import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { defaultPolicy } from "../../../provider/plan/policy.js";
import { preflightItem } from "../../../provider/plan/preflight.js";
import type { Item } from "../../../provider/plan/steps.js";
import { done, Execution } from "../../../provider/rollout/execute.js";
import { Run, runOf } from "../../../provider/rollout/run.js";
import { be, fe } from "../plan/specs.js";
import { inFolder, item } from "./items.js";

const add = (run: Run, ...items: readonly Item[]): Run => {
  for (const one of items) {
    run.items.set(one.id, one);
  }
  return run;
};

const second: Item = { ...item, id: "BE be-2", position: 1 };
const idle: Item = { ...item, id: "BE be-3", position: 2, change: "", stops: false, steps: [] };

describe("Run.plan", () => {
  it("is the whole plan, by position, with the gate before the first stop", () => {
    const run = add(new Run("analytics"), second, idle, item, preflightItem(false, 0));
    run.declare({ nodes: [], policy: defaultPolicy, maxUnavailable: 2 });
    const plan = run.plan ?? "";
    assert.match(plan, /^analytics: StarRocks 3\.5\.6 → 3\.5\.7/);
    assert.match(plan, /Backends, at most 2 down at a time:/);
    assert.match(plan, /1\. gate.*\n.*\n +2\. balancing off.*\n +3\. BE be-1.*\n +4\. BE be-2.*\n +5\. balancing on/);
    assert.doesNotMatch(plan, /be-3|pre-flight/);
  });

  it("is undefined when nothing is going to happen", () => {
    assert.equal(new Run("analytics").plan, undefined);
    assert.equal(add(new Run("analytics"), idle, preflightItem(false, 0)).plan, undefined);
  });

  it("does not act for the final proof alone", () => {
    const survey: Item = { ...idle, id: "rollout", wave: "rollout", steps: [{ verb: "survey", text: "" }] };
    assert.equal(add(new Run("analytics"), idle, survey).willAct, false);
    assert.equal(add(new Run("analytics"), item).willAct, true);
  });

  it("leaves no file behind", () =>
    inFolder(() => {
      const run = add(new Run("analytics"), item);
      assert.ok(run.plan);
      assert.equal(run.acted, false);
      assert.equal(existsSync(".pulumi-starrocks"), false);
    }));
});

describe("Run.report", () => {
  const execute = async (run: Run, one: Item, failing?: string) => {
    const work = (verb: string) => async () => {
      if (verb === failing) {
        throw new Error("no");
      }
      return done;
    };
    const works = { stop: work("stop"), configure: work("configure"), start: work("start") };
    await new Execution(one, works, run.journal, () => undefined).run().catch(() => undefined);
  };

  it("lists what was done in the order of the plan, whatever the order in which it ended, and the journal", () =>
    inFolder(async () => {
      const run = new Run("analytics");
      await execute(run, second);
      await execute(run, item, "configure");
      assert.ok(run.acted);
      assert.equal(
        run.report("stopped at BE be-1; nothing after it is touched.").replace(/BE be-\d, [\d.]+ s/, "BE be-2, 0 s"),
        [
          "analytics: stopped at BE be-1; nothing after it is touched.",
          "  BE be-1, 3.5.6 → 3.5.7: stop → conf (failed) → start (not reached)",
          "  BE be-2, 3.5.6 → 3.5.7: stop → conf → start",
          "  2 nodes restarted; longest down: BE be-2, 0 s",
          `Journal: ${run.journal.path}`,
        ].join("\n"),
      );
    }));

  it("names and counts the tables that could not do without a BE: the most tablets that one BE had", () =>
    inFolder(async () => {
      const run = new Run("analytics");
      const count = (table: string, replicationNum: number, tablets: number) =>
        ({ table, declared: { replicationNum, writeQuorum: "MAJORITY" }, tablets, loses: "writes" }) as const;
      run.unavoidable([count("sales.orders", 2, 1), count("sales.log", 1, 2), count("sales.log", 1, 3)]);
      run.unavoidable([count("sales.log", 1, 4)]);
      assert.match(
        run.report("done."),
        /^ {2}not whole while a BE of theirs was down: sales\.log \(replication_num 1\), up to 5 tablets a BE; sales\.orders \(replication_num 2\), up to 1 tablet a BE$/m,
      );
    }));
});

describe("Run.fail", () => {
  it("closes the turnstiles of both kinds and refuses to begin anything", () =>
    inFolder(async () => {
      const run = new Run("analytics");
      await run.assertGoing("BE be-2");
      await run.fail("BE be-1", "BE be-1 failed");
      await run.fail("BE be-2", "BE be-2 failed");
      assert.equal(run.backends.closed, "BE be-1 failed");
      assert.equal(run.frontends.closed, "BE be-1 failed");
      await assert.rejects(run.assertGoing("FE fe-1"), /^UserError: FE fe-1 was not touched: BE be-1 failed$/);
    }));
});

describe("Run.once", () => {
  it("does a piece of work once for all that want it done, and gives its failure to each", async () => {
    const run = new Run("analytics");
    assert.equal(run.began("gate"), false);
    let times = 0;
    const gate = () =>
      run.once("gate", async () => {
        times += 1;
        throw new Error("FE fe-2 not Alive");
      });
    const results = await Promise.allSettled([gate(), gate(), gate()]);
    assert.ok(results.every(({ status }) => status === "rejected"));
    assert.equal(times, 1);
    assert.ok(run.began("gate"));
    assert.equal(run.began("inspect"), false);
  });
});

describe("Run.stop", () => {
  const reason = "the Pulumi engine that started this operation is gone";
  const notes = (run: Run): readonly string[] => {
    const lines = readFileSync(run.journal.path, "utf8").trim().split("\n");
    return lines.flatMap((text) => (JSON.parse(text) as { readonly note?: string }).note ?? []);
  };

  it("is what whoever finds the engine gone does first, so that what fails of it is not told for the cause", () =>
    inFolder(async () => {
      const run = new Run("analytics");
      await new Execution(item, { stop: async () => done }, run.journal, () => undefined).run().catch(() => undefined);
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      process.argv.push(`127.0.0.1:${(server.address() as AddressInfo).port}`);
      try {
        await run.assertGoing("The cluster");
        server.close();
        await once(server, "close");
        await assert.rejects(run.assertGoing("The cluster"), { message: `The cluster was not touched: ${reason}` });
        await run.fail("the pre-flight", "the pre-flight did not pass");
        await run.stop("gone");
      } finally {
        process.argv.pop();
      }
      const [only, ...others] = notes(run);
      assert.match(only ?? "", new RegExp(`^${reason}; what was begun`));
      assert.deepEqual(others, []);
    }));
});

describe("runOf", () => {
  it("is one operation for a cluster in a process", () => {
    assert.equal(runOf("a cluster of this test"), runOf("a cluster of this test"));
    assert.notEqual(runOf("a cluster of this test"), runOf("another cluster of this test"));
  });
});

describe("Run.apart", () => {
  const declare = (...racks: readonly (string | undefined)[]): Run => {
    const run = new Run("analytics");
    const nodes = racks.map((rack, index) => be({ name: `be-${index}`, address: `10.0.0.2${index}`, rack }));
    run.declare({ nodes: [fe(), ...nodes], policy: defaultPolicy, maxUnavailable: 2 });
    return run;
  };
  const row = (index: number): string => `BE 10.0.0.2${index}:9050`;

  it("tells BEs of other racks, one without a rack among racks being one of its own", () => {
    const run = declare("a", "b", "a", undefined);
    const apart = [0, 1, 2, 3].map((own) => [0, 1, 2, 3].filter((other) => run.apart(row(own))(row(other))));
    assert.deepEqual(apart, [
      [1, 3],
      [0, 2, 3],
      [1, 3],
      [0, 1, 2],
    ]);
  });

  it("tells of none without racks, of no FE, and of no row that is not declared", () => {
    assert.equal(declare(undefined, undefined).apart(row(0))(row(1)), false);
    assert.equal(declare("a", "b").apart("FE 10.0.0.11")(row(1)), false);
    assert.equal(declare("a", "b").apart(row(0))("BE 10.9.9.9:9050"), false);
  });
});
