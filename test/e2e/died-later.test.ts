import assert from "node:assert/strict";
import { until } from "../../provider/wait.js";
import type { Running } from "../engine/stack.js";
import { realHosts } from "../fleet/possible.js";
import type { Host } from "../fleet/types.js";
import { assertDone, assertFailed } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import type { JournalItem } from "../lab/journal.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { NodeProcesses, nodeCommand, restarted } from "../lab/node-processes.js";
import { itemsSince, reached } from "../lab/step-watch.js";
import { recordedVersions, told } from "../lab/told.js";
import type { BuiltRelease } from "../simulator/release.js";

/** The heart of the database stays calm, as a real one does for 16 s (FE) and 20 s (BE): SHOW says Alive of the dead. */
const calm = { heartbeatIntervalMs: 500, heartbeatMisses: 240 };

describe("a node that dies after it was proven, while the cluster still calls it Alive", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  const declare = (release: BuiltRelease, change: (args: PlainArgs) => void = () => undefined): void =>
    lab.declare(lab.args(release, change));
  const pausing = ({ backends }: PlainArgs): void => {
    backends.rollout = { ...backends.rollout, pause: 8 };
  };

  /** Resolves with the item of which a step is marked done, as soon as that is so. */
  const done = (up: Running, known: number, id: RegExp, verb: string): Promise<JournalItem> =>
    until(
      async () => {
        const value = itemsSince(lab, known).find(
          (item) => id.test(item.id) && item.steps.some((step) => step.verb === verb && step.mark === "done"),
        );
        return value ? { done: true, value } : { done: false, seen: up.output() };
      },
      { what: `${verb} of ${id}`, limit: 120_000, every: 5 },
    );
  const hostOf = ({ id }: JournalItem): Host => lab.fleet.host(id.split(" ")[1] ?? "");
  const versions = async (): Promise<readonly string[]> => [
    ...new Set(Object.values(await recordedVersions(lab.stack))),
  ];

  before(async () => {
    lab = await Lab.create({ kind: realHosts(), spares: ["be4"], times: calm });
    processes = new NodeProcesses(lab.fleet);
    declare(await lab.release("3.5.7"));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("is taken back before the next BE is stopped where its log says that it crashed, and that one is not stopped", async () => {
    declare(await lab.release("3.5.8"), pausing);
    const before = processes.byHost();
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    await done(up, known, /^BE be1$/, "soak");
    const be1 = lab.fleet.host("be1");
    await be1.exec(`echo '*** SIGSEGV (@0x0) received by PID 1 ***' >> ${be1.path("/opt/starrocks/be/log/be.out")}`);
    assert.equal(await be1.kill(nodeCommand), 1);
    const outcome = await up.ended;
    assert.deepEqual(restarted(before, processes.byHost()), ["be1"], outcome.stdout);
    const short = /^BE be\d was not touched: BE be1 failed$/;
    const { "": _, ...errors } = told(outcome, "error");
    const full = Object.keys(errors).find((name) => !short.test(errors[name] ?? "")) ?? "none";
    assertFailed(outcome, {
      "sr-be-be2": short,
      "sr-be-be3": short,
      [full]:
        /^BE be\d was not touched: BE be1 \(\S+\) was proven with 3\.5\.8, and its process has ended since\. Last lines of its log[\s\S]*\nBE be1 was taken back to 3\.5\.7 and is proven there\. The state has it with 3\.5\.8 still\.\nNo other node is touched any more\. Mend the cause and run `pulumi up` again: it goes on from here\.$/,
    });
    const report = told(outcome, "info").sr ?? "";
    assert.match(report, /sr: stopped at BE be1; nothing after it is touched\. It took \d+ s\./);
    assert.match(report, /^ +taken back: BE be1 to 3\.5\.7$/m);
  });

  it("and the next plain up changes it again, first, and finishes", async () => {
    const before = processes.byHost();
    const outcome = await lab.stack.up();
    assertDone(outcome);
    assert.deepEqual(restarted(before, processes.byHost()), ["be1", "be2", "be3", "fe1", "fe2", "fe3"]);
    const report = told(outcome, "info").sr ?? "";
    assert.match(report, /^ {4}BE be1 once more, 3\.5\.7 → 3\.5\.8: /m);
    assert.deepEqual(await versions(), ["3.5.8"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("is started again before the next FE is stopped where something has killed it: the group keeps its majority", async () => {
    declare(await lab.release("3.5.9"));
    const before = processes.byHost();
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    // Where it leads, it has handed that over and its stop is skipped.
    await done(up, known, /^FE fe[23]$/, "switch");
    // The next one asks the cluster before it stops, whoever leads: the first dies meanwhile.
    const frontends = ["fe1", "fe2", "fe3"].map((name) => lab.fleet.host(name));
    const fault = "/opt/starrocks/fe/sim/fault.json";
    await Promise.all(frontends.map((fe) => fe.writeFile(fault, JSON.stringify({ fault: "slowSql", ms: 1500 }))));
    const first = hostOf(await done(up, known, /^FE fe[23]$/, "prove"));
    assert.equal(await first.kill(nodeCommand), 1);
    await Promise.all(frontends.map((fe) => fe.exec(`rm ${fe.path(fault)}`)));
    const outcome = await up.ended;
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.deepEqual(restarted(before, processes.byHost()), ["be1", "be2", "be3", first.name], outcome.stdout);
    const next = first.name === "fe2" ? "fe3" : "fe2";
    assert.match(
      told(outcome, "error")[`sr-fe-${next}`] ?? "",
      new RegExp(
        `^FE ${next} was not touched: FE ${first.name} \\(\\S+\\) was proven with 3\\.5\\.9, and its process has ended since\\.` +
          `[\\s\\S]*\\nFE ${first.name} was started again with 3\\.5\\.9 and is proven\\.\\n`,
      ),
    );
    assert.equal((await recordedVersions(lab.stack))[first.name], "3.5.9");
  });

  it("and the next plain up goes on with the others", async () => {
    const before = processes.byHost();
    assertDone(await lab.stack.up());
    assert.equal(restarted(before, processes.byHost()).length, 2);
    assert.deepEqual(await versions(), ["3.5.9"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("fails the operation where it is a new BE that has just joined", async () => {
    const frontends = ["fe1", "fe2", "fe3"].map((name) => lab.fleet.host(name));
    const fault = "/opt/starrocks/fe/sim/fault.json";
    declare(await lab.release("3.5.9"), ({ backends }) => {
      backends.nodes.push(lab.node("be4"));
    });
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    await done(up, known, /^BE be4 in the cluster$/, "add");
    // The last proof asks the cluster several times: it dies meanwhile.
    await Promise.all(frontends.map((fe) => fe.writeFile(fault, JSON.stringify({ fault: "slowSql", ms: 700 }))));
    await done(up, known, /^BE be4 in the cluster$/, "join");
    assert.equal(await lab.fleet.host("be4").kill(nodeCommand), 1);
    await Promise.all(frontends.map((fe) => fe.exec(`rm ${fe.path(fault)}`)));
    assertFailed(await up.ended, {
      "sr-rollout":
        /^SHOW BACKENDS says Alive of BE be4 on \S+, but its process has ended\. Last lines of its log[\s\S]*\n`pulumi up --refresh` starts it again\.$/,
    });
  });
});

describe("a node that dies and is not changed, while the cluster still calls it Alive", () => {
  let lab: Lab;

  before(async () => {
    lab = await Lab.create({ kind: realHosts(), frontends: 1, times: calm });
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("keeps others of its kind from being stopped", async () => {
    const release = await lab.release("3.5.7");
    lab.declare(lab.args(release));
    await lab.stack.up();
    lab.declare(
      lab.args(release, (args) => {
        args.limits = { ...(args.limits as object), turn: 5 };
        for (const node of args.backends.nodes.slice(0, 2)) {
          node.config = { sys_log_roll_num: "7" };
        }
      }),
    );
    const processes = new NodeProcesses(lab.fleet);
    const before = processes.byHost();
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    assert.ok(await reached(lab, up, known, { kind: "BE", verb: "prove" }));
    const be3 = lab.fleet.host("be3");
    assert.equal(await be3.kill(nodeCommand), 1);
    const outcome = await up.ended;
    assert.deepEqual(restarted(before, processes.byHost()), ["be1", "be3"], outcome.stdout);
    assertFailed(outcome, {
      "sr-be-be2": new RegExp(
        `Waited 5 s for the turn of BE be2; last seen: waiting for its turn: BE ${be3.address}:9050 down`,
      ),
    });
  });
});
