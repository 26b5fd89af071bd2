import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Lab, rootPassword } from "../lab/lab.js";
import { NodeProcesses, nodeCommand, restarted } from "../lab/node-processes.js";
import { previewThenUp } from "../lab/story.js";
import { Session } from "../simulator/client/session.js";

describe("refresh tells what the hosts and the cluster say, and the next up mends it", () => {
  let lab: Lab;
  let processes: NodeProcesses;

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 3 });
    processes = new NodeProcesses(lab.fleet);
    const settings = { sys_log_level: "INFO", min_file_descriptor_number: "1024" };
    lab.declare(
      lab.args(await lab.release("3.5.7"), (args) => {
        args.backends.config = settings;
      }),
    );
    await lab.stack.up();
  });
  after(() => lab?.close());

  const conf = (name: string): string => lab.fleet.host(name).path("/opt/starrocks/be/conf/be.conf");

  it("changes nothing where all is as recorded", async () => {
    await lab.stack.refresh(["--expect-no-changes"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("sees a BE whose process was killed; up starts it, and only it", async () => {
    await lab.fleet.host("be2").kill(nodeCommand);
    const before = processes.byHost();
    const { stdout } = await lab.stack.refresh(["--diff"]);
    assert.match(stdout, /status\s*: "running" => "stopped"/);
    const preview = await lab.stack.preview(["--diff"]);
    assert.match(preview.stdout + preview.stderr, /BE be2, repair \(was stopped\):/);
    assert.match(preview.stdout, /"\d\. start the BE 3\.5\.7 \(only if it does not run\)/);
    assert.doesNotMatch(preview.stdout, /__status/);
    await previewThenUp(lab);
    assert.deepEqual(restarted(before, processes.byHost()), ["be2"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("sees a declared setting that was edited on the host; up writes it again and restarts that BE", async () => {
    await lab.fleet.host("be3").exec(`sed -i 's/^sys_log_level.*/sys_log_level = WARNING/' '${conf("be3")}'`);
    const before = processes.byHost();
    const { stdout } = await lab.stack.refresh(["--diff"]);
    assert.match(stdout, /drift[^\n]*\n?[^\n]*"sys_log_level"/);
    const preview = await lab.stack.preview();
    assert.match(preview.stdout, /BE be3, restart for sys_log_level:/);
    await previewThenUp(lab);
    assert.deepEqual(restarted(before, processes.byHost()), ["be3"]);
    assert.match(
      (await lab.fleet.host("be3").readFile("/opt/starrocks/be/conf/be.conf")) ?? "",
      /^sys_log_level = INFO$/m,
    );
  });

  it("leaves a setting that nobody declared to whoever wrote it", async () => {
    await lab.fleet.host("be1").exec(`echo 'brpc_num_threads = 7' >> '${conf("be1")}'`);
    const before = processes.byHost();
    await lab.stack.up(["--refresh"]);
    assert.deepEqual(restarted(before, processes.byHost()), []);
  });

  it("sees a BE that somebody dropped from the cluster; up adds it again", async () => {
    const { address } = lab.fleet.host("be1");
    const session = new Session({ frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword });
    await session.query(`ALTER SYSTEM DROP BACKEND "${address}:9050"`);
    await lab.stack.refresh();
    const preview = await lab.stack.preview(["--diff"]);
    assert.match(preview.stdout + preview.stderr, /BE be1 in the cluster: add to the cluster/);
    assert.match(preview.stdout, /"1\. ALTER SYSTEM ADD BACKEND/);
    await previewThenUp(lab);
    const rows = await session.query("SHOW BACKENDS");
    session.close();
    assert.equal(rows.filter(({ IP, Alive }) => IP === address && Alive === "true").length, 1);
  });

  it("warns of a host that cannot be reached, and keeps what is recorded", async () => {
    await lab.fleet.host("be2").refuseSsh();
    const { stdout } = await lab.stack.refresh();
    assert.match(stdout, /BE be2 on [\d.:]+ could not be looked at; the recorded state stays/);
    await lab.fleet.host("be2").acceptSsh();
    const before = processes.byHost();
    await lab.stack.up(["--refresh"]);
    assert.deepEqual(restarted(before, processes.byHost()), [], "it ran all the time");
  });

  it("sees a sealed part of a staged release that somebody removed; up stages it again, and restarts nothing", async () => {
    const be3 = lab.fleet.host("be3");
    const part = be3.path("/opt/starrocks/releases/*/be");
    await be3.exec(`chmod -R u+w ${part} && rm -r ${part}`);
    const before = processes.byHost();
    const { stdout } = await lab.stack.refresh(["--diff"]);
    assert.match(stdout, /staged\s*: true\s*=> false/);
    const { plan } = await previewThenUp(lab);
    assert.match(plan ?? "", /\d\. host \S+, 3\.5\.7, be: stage and verify/);
    assert.doesNotMatch(plan ?? "", /host [\s\S]*host |BE be\d/);
    assert.deepEqual(restarted(before, processes.byHost()), []);
    assert.match((await be3.exec(`cat ${part}/.sealed`)).stdout, /"part":"be"/);
    await lab.stack.refresh(["--expect-no-changes"]);
  });

  it("sees a BE that somebody switched to another release; up switches it back, and only it", async () => {
    lab.declare(lab.args(await lab.release("3.5.8")));
    await lab.stack.up();
    const be2 = lab.fleet.host("be2");
    const home = be2.path("/opt/starrocks/be");
    await be2.exec(
      `cd '${home}' && bin/stop_be.sh && ln -sfn "$(readlink previous)" current && bin/start_be.sh --daemon`,
    );
    const before = processes.byHost();
    const { stdout } = await lab.stack.refresh(["--diff"]);
    assert.match(stdout, /version\s*: "3\.5\.8" => "3\.5\.7"/);
    const { plan } = await previewThenUp(lab);
    assert.match(plan ?? "", /BE be2, 3\.5\.7 → 3\.5\.8:/);
    assert.doesNotMatch(plan ?? "", /BE be[13]|FE fe1/);
    assert.deepEqual(restarted(before, processes.byHost()), ["be2"]);
    assert.match((await be2.exec(`readlink '${home}/current'`)).stdout, /3\.5\.8-/);
    await lab.stack.up(["--refresh", "--expect-no-changes"]);
  });

  const losePower = async (): Promise<void> => {
    for (const host of lab.fleet.hosts) {
      await host.powerOff();
    }
    for (const host of lab.fleet.hosts) {
      await host.powerOn();
    }
    assert.deepEqual(processes.byHost(), {});
  };

  it("starts everything again after a power loss, by one `up --refresh`", async () => {
    await losePower();
    await lab.stack.up(["--refresh"]);
    assert.deepEqual(Object.keys(processes.byHost()), ["be1", "be2", "be3", "fe1"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("does so with each `up` where Pulumi.yaml says `refresh: always`; else a plain one asks no host", async () => {
    await losePower();
    await lab.stack.up(["--expect-no-changes"]);
    assert.deepEqual(processes.byHost(), {});
    const project = readFileSync(join(lab.stack.folder, "Pulumi.yaml"), "utf8");
    lab.stack.write({ "Pulumi.yaml": `${project}options:\n  refresh: always\n` });
    await lab.stack.up();
    assert.deepEqual(Object.keys(processes.byHost()), ["be1", "be2", "be3", "fe1"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
