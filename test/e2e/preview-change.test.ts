import assert from "node:assert/strict";
import { assertGolden } from "../golden.js";
import { tellFailure } from "../lab/failure.js";
import { Lab } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { previewPlan, previewThenUp } from "../lab/story.js";

const golden = (name: string, lab: Lab, text: string | undefined): void =>
  assertGolden(`e2e/golden/${name}.txt`, `${lab.plain(text ?? "")}\n`);

describe("preview says what up will do: a cluster from its creation to a change that fails and is resumed", () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.create();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("of a first creation", async () => {
    lab.declare(lab.args(await lab.release("3.5.7")));
    const { plan, preview, restarted } = await previewThenUp(lab);
    golden("first-creation", lab, plan);
    assert.equal(
      preview.stdout.match(/\bsr: 6 nodes are started/g)?.length,
      2,
      "one message: in its row, and under Diagnostics",
    );
    assert.deepEqual(restarted, ["be1", "be2", "be3", "fe1", "fe2", "fe3"]);
  });

  it("of a version change", async () => {
    lab.declare(lab.args(await lab.release("3.5.8")));
    const { plan, restarted } = await previewThenUp(lab);
    golden("version-change", lab, plan);
    assert.deepEqual(restarted, ["be1", "be2", "be3", "fe1", "fe2", "fe3"]);
  });

  it("shows each node its steps with --diff, among its inputs; its outputs keep none", async () => {
    lab.declare(lab.args(await lab.release("3.5.9")));
    const { stdout } = await previewPlan(lab, "--diff");
    const [, node = ""] = /::sr-be-be2\]\n([\s\S]*?)\n {4}~ /.exec(stdout) ?? [];
    const [folders = "", ...steps] = [...node.matchAll(/"(\d+\. [^"]*)"(?=\n| *$)/gm)].map(([, step]) => step);
    // The CLI cuts long lines, and a loopback host's paths are long.
    assert.match(lab.plain(folders), /^1\. make \/opt\/starrocks\/be and \/disk1\/starrocks, /);
    golden("version-change-node", lab, steps.join("\n"));
    const { deployment } = await lab.stack.export();
    const withPlan = deployment.resources?.filter(({ outputs }) => outputs && "plan" in outputs);
    assert.deepEqual(
      withPlan?.map(({ urn }) => urn),
      [],
    );
  });

  it("of a change that failed half-way: only what is left", async () => {
    const processes = new NodeProcesses(lab.fleet);
    const fault = "/opt/starrocks/be/sim/bad.json";
    // After the canary the engine begins both at once: either may come first to the turnstile.
    const others = ["be2", "be3"].map((name) => lab.fleet.host(name));
    for (const host of others) {
      await host.writeFile(fault, JSON.stringify({ fault: "dieAtStart", message: "no memory" }));
    }
    const first = processes.byHost();
    await lab.stack.up([], { expectFailure: true });
    const [canary, ...touched] = restarted(first, processes.byHost());
    assert.equal(canary, "be1");
    assert.equal(touched.length, 1, `only one of the others was touched: ${touched}`);

    for (const host of others) {
      await host.exec(`rm ${host.path(fault)}`);
    }
    const told = await previewThenUp(lab);
    golden("resumed", lab, told.plan);
    assert.deepEqual(told.restarted, ["be2", "be3", "fe1", "fe2", "fe3"]);
  });

  it("of another connection: no plan, and nothing is touched", async () => {
    lab.declare(
      lab.args(await lab.release("3.5.9"), (args) => {
        args.connection.perDialTimeout = 7;
      }),
    );
    lab.fleet.resetHandshakes();
    const { plan, up, restarted } = await previewThenUp(lab);
    assert.equal(plan, undefined);
    assert.deepEqual(restarted, []);
    assert.equal(lab.fleet.handshakes(), 0);
    assert.match(up.stdout, /~ \d+ updated/);
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
