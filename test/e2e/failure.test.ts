import assert from "node:assert/strict";
import { realHosts } from "../fleet/possible.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { reached } from "../lab/step-watch.js";
import { previewThenUp } from "../lab/story.js";
import { recordedNodes, told } from "../lab/told.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("a version change that fails", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  let old: BuiltRelease;
  const declare = (release: BuiltRelease): void => lab.declare(lab.args(release));
  const versionsOf = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await recordedNodes(lab.stack)).map(({ name, status, version }) => [name, `${version} ${status}`]),
    );

  before(async () => {
    lab = await Lab.create({ kind: realHosts() });
    processes = new NodeProcesses(lab.fleet);
    old = await lab.release("3.5.7");
    declare(old);
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("stops at the first BE of a bad build, takes it back, and says what failed, why, and what to do", async () => {
    declare(await lab.release("3.5.8", { be: { faults: [{ fault: "dieAtStart", message: "no such instruction" }] } }));
    const before = processes.byHost();
    const { stdout, exitCode } = await lab.stack.up([], { expectFailure: true });
    assert.equal(exitCode, 1);
    assert.deepEqual(restarted(before, processes.byHost()), ["be1"], "one BE was touched");
    const text = stdout.slice(stdout.indexOf("Diagnostics:"));
    assert.match(text, /BE be1 \([\d.:]+\) failed to prove \(step 8 of 11: 3\.5\.7 → 3\.5\.8\)\./);
    assert.match(text, /BE be1 on [\d.:]+ does not run: start script said 0, then the process died\./);
    assert.match(text, /Last lines of its log[^\n]*:\n[\s\S]*no such instruction/);
    assert.match(text, /Mend the cause and run `pulumi up` again: it goes on from here\./);
    assert.match(text, /BE be1 was taken back to 3\.5\.7 and is proven there\. No other node is touched any more\./);
    assert.doesNotMatch(text, /BE be[23] \(/, "the others come after the canary");
    assert.match(text, /^ +BE be1: 3\.5\.7, taken back$/m);
    assert.match(text, /^ +BE be2, BE be3, FE fe2, FE fe3, FE fe1: 3\.5\.7, not touched$/m);
    assert.match(text, /sr: stopped at BE be1; nothing after it is touched\./);
    assert.match(text, /^ +taken back: BE be1 to 3\.5\.7$/m);
    assert.match(text, /Journal: \S+\.jsonl/);
    assert.doesNotMatch(text, / at .*\.js:\d+/, "no stack of ours");
    assert.doesNotMatch(text, /FeNode/);
  });

  it("leaves a state that tells the truth: every node runs the old version, and declaring it changes nothing", async () => {
    assert.deepEqual(new Set(Object.values(await versionsOf())), new Set(["3.5.7 running"]));
    const before = processes.byHost();
    declare(old);
    const { stdout } = await lab.stack.up();
    assert.doesNotMatch(stdout, /[BF]eNode .*updat/);
    assert.deepEqual(restarted(before, processes.byHost()), []);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("goes on from where it stood with a repaired archive", async () => {
    declare(await lab.release("3.5.8"));
    const { plan, restarted: touched } = await previewThenUp(lab);
    assert.match(plan ?? "", /BE be2, 3\.5\.7 → 3\.5\.8:/);
    assert.deepEqual(touched, ["be1", "be2", "be3", "fe1", "fe2", "fe3"]);
    assert.deepEqual(new Set(Object.values(await versionsOf())), new Set(["3.5.8 running"]));
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("stops at the first follower of a bad FE build and takes it back; BEs are done, the leader leads", async () => {
    declare(await lab.release("3.5.9", { fe: { faults: [{ fault: "dieAtStart", message: "class not found" }] } }));
    const before = processes.byHost();
    const { stdout } = await lab.stack.up([], { expectFailure: true });
    const touched = restarted(before, processes.byHost());
    assert.equal(touched.length, 4, `${touched}`);
    assert.deepEqual(touched.slice(0, 3), ["be1", "be2", "be3"]);
    const [failed = ""] = touched.slice(3);
    const spared = failed === "fe2" ? "fe3" : "fe2";
    const text = stdout.slice(stdout.indexOf("Diagnostics:"));
    assert.match(
      text,
      new RegExp(`FE ${failed} \\([\\d.:]+\\) failed to prove \\(step 8 of 9: 3\\.5\\.8 → 3\\.5\\.9\\)`),
    );
    assert.match(text, /class not found/);
    assert.match(text, new RegExp(`error: FE ${spared} was not touched: FE ${failed} failed`));
    assert.equal((await versionsOf()).fe1, "3.5.8 running");
    assert.match(text, new RegExp(`FE ${failed} was taken back to 3\\.5\\.8 and is proven there`));
    assert.equal((await versionsOf())[failed], "3.5.8 running");
  });

  it("goes back to the version that the FEs still run, and restarts only what left it", async () => {
    declare(await lab.release("3.5.8"));
    const { plan, restarted: touched } = await previewThenUp(lab);
    assert.match(plan ?? "", /StarRocks 3\.5\.9 → 3\.5\.8 \(back to an older patch version\) on 3 BE\./);
    assert.deepEqual(touched, ["be1", "be2", "be3"]);
    assert.deepEqual(new Set(Object.values(await versionsOf())), new Set(["3.5.8 running"]));
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("records a node whose host is lost on the way as failed, and goes on once the host is back", async () => {
    const next = await lab.release("3.5.10");
    lab.declare(
      lab.args(next, (args) => {
        args.connection = { ...args.connection, keepaliveInterval: 2 };
        // For so long the host is looked at again.
        args.limits = { ...(args.limits as object), stop: 15 };
      }),
    );
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, up, known, { kind: "BE", verb: "start" }));
    await lab.fleet.host("be1").cutNetwork();
    const outcome = await up.ended;
    await lab.fleet.host("be1").restoreNetwork();
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.match(
      told(outcome, "error")["sr-be-be1"] ?? "",
      /BE be1 \([\d.:]+\) failed to \w+ \(step \d+ of 11: 3\.5\.8 → 3\.5\.10\)\./,
    );
    assert.equal((await versionsOf()).be1, "3.5.8 failed");
    await lab.stack.up();
    assert.deepEqual(new Set(Object.values(await versionsOf())), new Set(["3.5.10 running"]));
  });
});

describe("a minor jump that fails in a group of two voting FEs", () => {
  let lab: Lab;
  const unrehearsed = (args: PlainArgs): void => {
    args.rehearsal = false;
  };

  before(async () => {
    lab = await Lab.create({ kind: realHosts(), frontends: 2, backends: 1 });
    lab.declare(lab.args(await lab.release("3.4.10"), unrehearsed));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("takes its FE back, though no leader can tell who has led: the other one runs the old version", async () => {
    const bad = await lab.release("3.5.7", { fe: { faults: [{ fault: "dieAtStart", message: "class not found" }] } });
    lab.declare(lab.args(bad, unrehearsed));
    const { stdout } = await lab.stack.up(["--skip-preview"], { expectFailure: true });
    const text = stdout.slice(stdout.indexOf("Diagnostics:"));
    assert.match(text, /FE fe2 \([\d.:]+\) failed to prove [\s\S]*class not found/);
    assert.match(text, /FE fe2 was taken back to 3\.4\.10 and is proven there\./);
    assert.deepEqual(
      (await recordedNodes(lab.stack))
        .filter(({ kind }) => kind === "fe")
        .map(({ name, status, version }) => `${name} ${version} ${status}`)
        .sort(),
      ["fe1 3.4.10 running", "fe2 3.4.10 running"],
    );
  });
});
