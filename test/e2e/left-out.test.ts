import assert from "node:assert/strict";
import { tellFailure } from "../lab/failure.js";
import { itemsOf } from "../lab/journal.js";
import { Lab } from "../lab/lab.js";
import { NodeProcesses, nodeCommand, restarted } from "../lab/node-processes.js";
import { recordedVersions, told } from "../lab/told.js";

describe("an operation that leaves resources out, by --target or --exclude", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  const declare = async (version: string): Promise<void> =>
    lab.declare(
      lab.args(await lab.release(version), (args) => {
        args.rehearsal = false;
      }),
    );
  const targets = (...names: readonly string[]): readonly string[] =>
    names.flatMap((name) => ["--target", `**::sr-${name}`]);

  /** Runs an operation that must fail; gives its errors by resource, and the hosts whose node was restarted all the same. */
  const refused = async (...args: readonly string[]) => {
    const before = processes.byHost();
    const outcome = await lab.stack.up(args, { expectFailure: true });
    const { "": _, ...errors } = told(outcome, "error");
    return { errors, touched: restarted(before, processes.byHost()) };
  };

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 2 });
    processes = new NodeProcesses(lab.fleet);
    await declare("3.4.10");
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  for (const version of ["3.5.7", "3.4.8"]) {
    it(`does not take the leader alone to ${version}: the preview says so, and up touches nothing`, async () => {
      await declare(version);
      const preview = await lab.stack.preview(targets("fe-fe1"), { expectFailure: true });
      const reason = new RegExp(
        `FE fe1 \\(3\\.4\\.10 → ${version}\\): it is guarded by the Preflight "sr-preflight", which this operation does not include`,
      );
      assert.match(told(preview, "error")["sr-fe-fe1"] ?? "", reason);
      const { errors, touched } = await refused(...targets("fe-fe1"));
      assert.match(errors["sr-fe-fe1"] ?? "", reason);
      assert.deepEqual(touched, []);
    });
  }

  it("stops no node whose release is not on its host", async () => {
    await declare("3.5.7");
    const { errors, touched } = await refused(...targets("preflight", "be-be1"));
    assert.match(Object.values(errors).join("\n"), /BE be1 .*is not staged in/);
    assert.deepEqual(touched, []);
  });

  it("keeps the order of what it leaves out", async () => {
    await lab.stack.up(targets("release-be-be1", "release-be-be2", "release-fe-fe1"));
    const before = await refused(...targets("preflight", "fe-fe1"));
    assert.match(
      before.errors["sr-fe-fe1"] ?? "",
      /FE fe1 was not touched: BE be1 comes before it, is still of 3\.4\.10, and this operation does not include it/,
    );
    assert.deepEqual(before.touched, []);
    const { errors, touched } = await refused(...targets("preflight", "be-be2"));
    assert.match(errors["sr-be-be2"] ?? "", /BE be2 was not touched: BE be1 comes before it/, "its canary");
    assert.deepEqual(touched, []);
  });

  it("changes what comes first, behind the gate, and refuses what comes after", async () => {
    const { errors, touched } = await refused("--exclude", "**::sr-be-be2");
    assert.deepEqual(touched, ["be1"]);
    assert.match(errors["sr-fe-fe1"] ?? "", /BE be2 comes before it/);
    const ids = itemsOf(lab.journal()).map(({ id }) => id);
    assert.ok(ids.includes("gate") && ids.includes("balancing on"), ids.join(", "));
  });

  it("starts a node that is down", async () => {
    await lab.fleet.host("be1").kill(nodeCommand);
    assert.deepEqual(Object.keys(processes.byHost()), ["be2", "fe1"]);
    await lab.stack.refresh(targets("be-be1"));
    await lab.stack.up(targets("be-be1"));
    assert.deepEqual(Object.keys(processes.byHost()), ["be1", "be2", "fe1"]);
  });

  it("is finished with all that depends on the pre-flight", async () => {
    await lab.stack.up([...targets("preflight"), "--target-dependents"]);
    assert.deepEqual(await recordedVersions(lab.stack), { be1: "3.5.7", be2: "3.5.7", fe1: "3.5.7" });
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
