import assert from "node:assert/strict";
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BeSpec } from "../../../../provider/plan/spec.js";
import { NodeFailure } from "../../../../provider/resources/node/left.js";
import { applySettings } from "../../../../provider/starrocks/conf.js";
import { observeHome } from "../../../../provider/starrocks/observe.js";
import { pruneReleases } from "../../../../provider/starrocks/prune.js";
import { until } from "../../../../provider/wait.js";
import { BeBench, leader } from "./bench.js";

describe("a change of a BE", function () {
  this.timeout(60_000);
  let bench: BeBench;
  let old: BeSpec;
  beforeEach(async () => {
    bench = new BeBench();
    old = bench.spec(await bench.release("3.5.7"));
    await bench.bring(undefined, old);
  });
  afterEach(() => bench.close());

  const seen = async () => {
    const { conf, current, process } = await observeHome(bench.host, { home: old.home, kind: "be" });
    return { release: current, runs: process !== undefined, conf: conf?.text ?? "" };
  };
  const failureOf = async (declared: BeSpec): Promise<NodeFailure> => {
    const failed = await bench.bring(old, declared).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(failed instanceof NodeFailure, String(failed));
    return failed;
  };

  it("hides its conf file, which may hold secrets, from the host's other users, and keeps the mode that an admin gave it", async () => {
    const conf = join(old.home, "conf/be.conf");
    const mode = () => statSync(conf).mode & 0o7777;
    assert.equal(mode(), 0o640);
    chmodSync(conf, 0o600);
    const declared = bench.spec(old.release, { config: { object_storage_secret_access_key: "secret" } });
    await bench.bring(old, declared);
    assert.match((await seen()).conf, /^object_storage_secret_access_key = secret$/m);
    assert.equal(mode(), 0o600);
    const dies = bench.spec(await bench.release("3.5.8", { faults: [{ fault: "dieAtStart" }] }));
    await assert.rejects(bench.bring(declared, dies), /BE be-1 was taken back to 3\.5\.7/);
    assert.match((await seen()).conf, /^object_storage_secret_access_key = secret$/m);
    assert.equal(mode(), 0o600);
  });

  const cluster = (version: string) => ({ frontends: [leader], backends: [bench.rowOf(version)] });

  it("whose connection is lost during the stop is taken back to what it ran, once the host is there again", async () => {
    bench.host.cutAt(/^stop of/, 3);
    const failed = await failureOf(bench.spec(await bench.release("3.5.8")));
    assert.match(failed.message, /^BE be-1 \(be\) failed to stop [\s\S]*the connection was lost/);
    assert.match(failed.message, /BE be-1 was taken back to 3\.5\.7 and is proven there\./);
    assert.equal(failed.touched, false);
    const { release, runs } = await seen();
    assert.deepEqual({ release, runs }, { release: old.release.id, runs: true });
  });

  const processOf = async () => (await observeHome(bench.host, { home: old.home, kind: "be" })).process;

  it("in which a setting is declared no longer restarts it with the release's own value, once", async () => {
    const declared = bench.spec(old.release, { config: { mem_limit: "70%", brpc_num_threads: "8" } });
    await bench.bring(old, declared);
    const before = await processOf();
    const less = bench.spec(old.release, { config: { brpc_num_threads: "8" } });
    await bench.bring(declared, less);
    assert.doesNotMatch((await seen()).conf, /^mem_limit/m);
    const after = await processOf();
    assert.notEqual(after?.pid, before?.pid);
    // As the next operation does where this one was cut short before it was recorded.
    await bench.bring(declared, less);
    assert.equal((await processOf())?.pid, after?.pid);
  });

  it("of the Java alone restarts it with that one, once", async () => {
    const declared = bench.spec(old.release, { javaHome: join(bench.folder, "jdk17") });
    const before = await processOf();
    await bench.bring(old, declared);
    const after = await processOf();
    assert.notEqual(after?.pid, before?.pid);
    assert.equal(after?.javaHome, declared.javaHome);
    await bench.bring(old, declared);
    assert.equal((await processOf())?.pid, after?.pid);
  });

  it("runs with the release's own environment of Hadoop, which its conf folder has", async () => {
    const { process } = await observeHome(bench.host, { home: old.home, kind: "be" });
    const environment = readFileSync(`/proc/${process?.pid}/environ`, "utf8").split("\0");
    assert.ok(
      environment.some((variable) => /^HADOOP_CLASSPATH=.*\/lib\/hadoop\/common\//.test(variable)),
      `${environment}`,
    );
  });

  it("whose connection is lost during the start is taken back, once the host is there again", async () => {
    const next = bench.spec(await bench.release("3.5.8"));
    bench.host.cutAt(/^start of/, 3);
    const failed = await failureOf(next);
    assert.match(
      failed.message,
      /^BE be-1 \(be\) failed to start [\s\S]*BE be-1 was taken back to 3\.5\.7 and is proven there\./,
    );
    assert.equal((await seen()).release, old.release.id);
  });

  it("whose host is not there again in time after the stop was sent is recorded as failed, not as untouched", async () => {
    bench.host.cutAt(/^stop of/, Number.POSITIVE_INFINITY);
    const failed = await failureOf(bench.spec(await bench.release("3.5.8")));
    assert.match(
      failed.message,
      /BE be-1 could not be taken back to 3\.5\.7: Waited \S+ s for be to be reached again; last seen: be: connection refused/,
    );
    assert.equal(failed.touched, true);
  });

  it("to a release that is on its host no more stops nothing", async () => {
    const next = bench.spec(await bench.release("3.5.8"));
    const before = (await observeHome(bench.host, { home: old.home, kind: "be" })).process;
    await pruneReleases(bench.host, { deployDir: next.deployDir, keep: [old.release.id] });
    const failed = await failureOf(next);
    assert.match(
      failed.message,
      /3\.5\.8-\S+ \(be\) is not staged in \S+\/releases on be, so nothing is stopped for it\./,
    );
    assert.equal(failed.touched, false);
    assert.deepEqual((await observeHome(bench.host, { home: old.home, kind: "be" })).process, before);
  });

  it("of version and port at once is taken back to the old port, and proven there", async () => {
    const bad = await bench.release("3.5.8", { faults: [{ fault: "dieAtStart" }] });
    const failed = await failureOf(bench.spec(bad, { ports: { http: 8041 } }));
    assert.match(failed.message, /BE be-1 was taken back to 3\.5\.7 and is proven there\./);
    assert.equal(failed.touched, false);
    assert.match((await seen()).conf, /^be_http_port = 8040$/m);
  });

  it("of version and Java at once is taken back to the old Java", async () => {
    const bad = await bench.release("3.5.8", { faults: [{ fault: "dieAtStart" }] });
    const failed = await failureOf(bench.spec(bad, { javaHome: join(bench.folder, "jdk17") }));
    assert.match(failed.message, /BE be-1 was taken back to 3\.5\.7/);
    const { process } = await observeHome(bench.host, { home: old.home, kind: "be" });
    assert.doesNotMatch(readFileSync(`/proc/${process?.pid}/environ`, "utf8"), /jdk17/);
  });

  it("of a setting whose value it refuses is taken back to the file before, and closes the turnstile", async () => {
    const failed = await failureOf(bench.spec(old.release, { config: { mem_limit: "70%", brpc_num_threads: "soon" } }));
    assert.match(failed.message, /failed to prove [\s\S]*be\.conf has a value that this version refuses/);
    assert.match(
      failed.message,
      /BE be-1 was taken back to its settings before and is proven there\. No other node is touched any more\./,
    );
    assert.equal(failed.touched, false);
    const { runs, conf } = await seen();
    assert.ok(runs);
    assert.doesNotMatch(conf, /soon|^mem_limit/m);
    assert.equal(bench.run.backends.closed, "BE be-1 failed");
    assert.match(bench.run.report("failed"), /^ +taken back: BE be-1 to its settings before$/m);
  });

  for (const what of ["a setting", "version and setting"] as const) {
    it(`of ${what} that was cut short once the conf file was written is taken back to the settings before`, async () => {
      const { process: running } = await observeHome(bench.host, { home: old.home, kind: "be" });
      process.kill(running?.pid ?? 0, "SIGKILL");
      await until(
        async () => ((await seen()).runs ? { done: false, seen: "runs" } : { done: true, value: undefined }),
        {
          what: "its end",
          limit: 5000,
        },
      );
      const [bad, setting, value] =
        what === "a setting"
          ? ([old.release, "brpc_num_threads", "soon"] as const)
          : ([await bench.release("3.5.8", { faults: [{ fault: "dieAtStart" }] }), "mem_limit", "70%"] as const);
      const declared = bench.spec(bad, { config: { [setting]: value } });
      const conf = join(old.home, "conf/be.conf");
      writeFileSync(conf, applySettings(readFileSync(conf, "utf8"), { [setting]: value }));
      const failed = await failureOf(declared);
      assert.match(failed.message, /BE be-1 was taken back to (its settings before|3\.5\.7) and is proven there\./);
      const after = await seen();
      assert.ok(after.runs);
      assert.doesNotMatch(after.conf, new RegExp(`^${setting}`, "m"));
    });
  }

  it("of which the journal is lost after its stop is brought to its end", async () => {
    const next = bench.spec(await bench.release("3.5.8"));
    bench.rows = () => {
      rmSync(join(bench.folder, ".pulumi-starrocks"), { recursive: true, force: true });
      return cluster(bench.host.starts === 1 ? "3.5.7" : "3.5.8");
    };
    await bench.bring(old, next);
    const { release, runs } = await seen();
    assert.deepEqual({ release, runs }, { release: next.release.id, runs: true });
    assert.match(
      bench.run.report("done."),
      /\n {2}BE be-1, 3\.5\.7 → 3\.5\.8: .*→ prove.*\n[\s\S]*which is not whole: ENOENT/,
    );
  });

  describe("in which a bug of this program shows", () => {
    const bug = () => {
      throw new TypeError("row is not iterable");
    };
    const told =
      /^BE be-1 \(be\) failed to prove .*\nThis is a bug of pulumi-starrocks; please report it with these lines:\nTypeError: row is not iterable\n {4}at [\s\S]*\n/;

    it("is taken back, as it would be of any other failure", async () => {
      let bugs = 1;
      bench.rows = () => {
        if (bench.host.starts === 2 && bugs-- > 0) {
          bug();
        }
        return cluster("3.5.7");
      };
      const failed = await failureOf(bench.spec(await bench.release("3.5.8")));
      assert.match(failed.message, told);
      assert.match(failed.message, /\nBE be-1 was taken back to 3\.5\.7 and is proven there\./);
      assert.equal(failed.touched, false);
      const { release, runs } = await seen();
      assert.deepEqual({ release, runs }, { release: old.release.id, runs: true });
      assert.equal(bench.run.backends.closed, "BE be-1 failed");
    });

    it("is recorded as failed where the bug shows on the way back, too", async () => {
      let bugs = 1;
      bench.rows = () => {
        const { starts } = bench.host;
        return starts === 3 || (starts === 2 && bugs-- > 0) ? bug() : cluster("3.5.7");
      };
      const failed = await failureOf(bench.spec(await bench.release("3.5.8")));
      assert.match(failed.message, told);
      assert.match(failed.message, /\nBE be-1 could not be taken back to 3\.5\.7: row is not iterable\n/);
      assert.equal(failed.touched, true);
      assert.equal((await seen()).runs, true);
    });

    it("stays as it is once it is proven", async () => {
      const next = bench.spec(await bench.release("3.5.8"));
      bench.run.answers = true;
      bench.rows = () =>
        bench.run.journal.items.some(({ summary }) => summary.includes("→ prove; not yet"))
          ? bug()
          : cluster(bench.host.starts === 1 ? "3.5.7" : "3.5.8");
      const failed = await failureOf(next);
      assert.match(
        failed.message,
        /^BE be-1 \(be\) failed to see its tablets whole again [\s\S]*TypeError: row is not/,
      );
      assert.match(failed.message, /\nBE be-1 is left as it is; its data is untouched\./);
      assert.equal(failed.touched, true);
      assert.equal((await seen()).release, next.release.id);
    });
  });
});
