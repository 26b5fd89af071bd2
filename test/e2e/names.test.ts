import assert from "node:assert/strict";
import { namespacesPossible } from "../fleet/fleet.js";
import { assertFailed } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainNode, rootPassword } from "../lab/lab.js";
import { previewThenUp } from "../lab/story.js";
import { Session } from "../simulator/client/session.js";
import { startWorkload } from "../simulator/client/workload.js";
import type { BuiltRelease } from "../simulator/release.js";

/** SSH goes to IP addresses; the cluster knows its nodes by names, which each host finds in its own /etc/hosts. */
describe("a cluster whose nodes are known by name", () => {
  let lab: Lab;
  let release: BuiltRelease;
  const byName = (name: string): PlainNode => lab.node(name, { address: name });
  const login = () => ({ frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword });
  const declare = ({
    leader = byName("fe1"),
    observer,
  }: {
    readonly leader?: PlainNode;
    readonly observer: boolean;
  }): void =>
    lab.declare(
      lab.args(release, (args) => {
        args.frontends = { leader, ...(observer && { observers: [byName("fe2")] }) };
        args.frontends.config = { default_replication_num: "1" };
        args.backends.nodes = [byName("be1")];
      }),
    );
  const members = async (): Promise<readonly string[]> => {
    const session = new Session(login());
    const rows = [...(await session.query("SHOW FRONTENDS")), ...(await session.query("SHOW BACKENDS"))];
    session.close();
    return rows.map(({ IP, Alive, Version }) => `${IP} ${Alive} ${String(Version).split("-")[0]}`).sort();
  };

  before(async function () {
    const reason = namespacesPossible();
    if (reason !== undefined) {
      // Hosts on loopback share this machine's names.
      this.skip();
    }
    lab = await Lab.create({ kind: "namespaces", frontends: 1, backends: 1, spares: ["fe2"] });
    release = await lab.release("3.5.7");
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("is told at once that its host has another name for itself", async () => {
    const frontend = lab.fleet.host("fe1");
    await frontend.exec(`echo "${frontend.address} alias" >> /etc/hosts`);
    const started = Date.now();
    declare({ leader: lab.node("fe1", { address: "alias" }), observer: false });
    const outcome = await lab.stack.start("up", ["--skip-preview"]).ended;
    assertFailed(outcome, {
      "sr-fe-fe1":
        /FE fe1 is alone in its cluster and is fe1:9010 there, declared is alias:9010: .* Declare that one as `address`; .* move \/opt\/starrocks\/fe\/meta, which is new and empty, away\./,
    });
    assert.ok(Date.now() - started < 60_000, "long before `limits.start`");
    await frontend.exec("mv /opt/starrocks/fe/meta /opt/starrocks/fe/meta.alias");
  });

  it("is created, and a second preview and a refresh are empty", async () => {
    declare({ observer: false });
    await previewThenUp(lab);
    assert.deepEqual(await members(), ["be1 true 3.5.7", "fe1 true 3.5.7"]);
    const role = await lab.fleet.host("fe1").readFile("/opt/starrocks/fe/meta/image/ROLE");
    assert.match(role ?? "", /^hostType=FQDN$/m);
    await lab.stack.preview(["--expect-no-changes"]);
    await lab.stack.refresh(["--expect-no-changes"]);
  });

  it("takes in an observer by its name, and touches no other node", async () => {
    declare({ observer: true });
    const { restarted } = await previewThenUp(lab);
    assert.deepEqual(restarted, ["fe2"]);
    assert.deepEqual(await members(), ["be1 true 3.5.7", "fe1 true 3.5.7", "fe2 true 3.5.7"]);
  });

  it("is rehearsed and upgraded, and loses no write", async () => {
    release = await lab.release("4.0.1");
    declare({ observer: true });
    const workload = await startWorkload({ ...login(), replicationNum: 1 });
    const { plan, restarted } = await previewThenUp(lab);
    const { writesAcknowledged, writesLost } = await workload.stop();
    assert.match(plan ?? "", /rehears/);
    assert.deepEqual(restarted, ["be1", "fe1", "fe2"]);
    assert.ok(writesAcknowledged > 10, `${writesAcknowledged} writes acknowledged`);
    assert.equal(writesLost, 0);
    assert.deepEqual(await members(), ["be1 true 4.0.1", "fe1 true 4.0.1", "fe2 true 4.0.1"]);
  });

  it("drops the observer by its name, and is destroyed", async () => {
    declare({ observer: false });
    await previewThenUp(lab);
    assert.deepEqual(await members(), ["be1 true 4.0.1", "fe1 true 4.0.1"]);
    await lab.stack.destroy();
    for (const host of lab.fleet.hosts) {
      assert.deepEqual(await host.processes(), [], `processes of ${host.name}`);
    }
  });
});
