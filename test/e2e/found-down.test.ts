import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { tellFailure } from "../lab/failure.js";
import { itemsOf } from "../lab/journal.js";
import { Lab, rootPassword } from "../lab/lab.js";
import { NodeProcesses } from "../lab/node-processes.js";
import { told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";

describe("a change of version that finds nodes down", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 2 });
    processes = new NodeProcesses(lab.fleet);
    lab.declare(lab.args(await lab.release("3.5.7")));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const end = (host: string): void => {
    const { pid } = processes.look().find((one) => one.host === host) ?? {};
    assert.ok(pid, `a node runs on ${host}`);
    process.kill(pid, "SIGKILL");
  };
  const backups = (): readonly string[] =>
    readdirSync(lab.fleet.host("fe1").path("/opt/starrocks/fe")).filter((name) => name.startsWith("meta-backup-"));

  it("starts a BE on the release on which it ran; the new one comes in its turn, after canary, image and backup", async () => {
    end("be2");
    lab.declare(lab.args(await lab.release("3.5.8")));
    await lab.stack.up();
    const items = itemsOf(lab.journal());
    const stepsOf = (id: string): readonly string[] =>
      items.find((item) => item.id === id)?.steps.map(({ verb, mark }) => `${verb} ${mark}`) ?? [];
    assert.ok(stepsOf("BE be2, found down").includes("start done"), JSON.stringify(items));
    assert.ok(stepsOf("BE be2, found down").includes("switch skipped"));
    assert.ok(stepsOf("BE be2").includes("stop done"), "it ran before its turn");
    assert.ok(stepsOf("BE be2").includes("switch done"));
    assert.equal(backups().length, 1);
  });

  it("adds a BE that somebody has dropped, before any node is stopped: a proof asks the cluster for it", async () => {
    const [frontend, dropped] = [lab.fleet.host("fe1").address, lab.fleet.host("be2").address];
    const session = new Session({ frontends: [{ host: frontend }], password: rootPassword });
    await session.query(`ALTER SYSTEM DROP BACKEND "${dropped}:9050" FORCE`);
    lab.declare(
      lab.args(await lab.release("3.5.8"), ({ backends }) => {
        backends.config = { ...backends.config, sys_log_roll_num: "5" };
      }),
    );
    await lab.stack.up();
    const gate = itemsOf(lab.journal()).find(({ id }) => id === "gate");
    const detail = gate?.steps.find(({ verb }) => verb === "gate")?.detail;
    assert.equal(detail, "added again, as the cluster had lost BE be2");
    const rows = await session.query("SHOW BACKENDS");
    session.close();
    assert.deepEqual(
      rows.map(({ Alive }) => Alive),
      ["true", "true"],
    );
  });

  it("refuses an older version after a destroy, with nothing started: data and homes are there still", async () => {
    await lab.stack.destroy();
    lab.declare(lab.args(await lab.release("3.3.9")));
    const outcome = await lab.stack.up(["--skip-preview"], { expectFailure: true });
    assert.match(
      told(outcome, "error")["sr-preflight"] ?? "",
      /nothing was touched\.\n3\.3\.9 is older than 3\.5\.8, on which FEs of this cluster ran last: .*`direction: "downgrade"`/,
    );
    assert.deepEqual(processes.look(), []);
  });

  it("copies the metadata of an FE that does not run before another version starts on it", async () => {
    lab.declare(lab.args(await lab.release("3.5.9")));
    await lab.stack.up();
    assert.equal(backups().length, 2);
    const frontend = itemsOf(lab.journal()).find(({ id }) => id === "FE fe1");
    const detail = frontend?.steps.find(({ verb }) => verb === "switch")?.detail;
    assert.match(detail ?? "", /^its metadata was copied to \S+\/meta-backup-\S+ before$/);
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
