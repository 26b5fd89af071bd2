import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../engine/root.js";
import { namespacesPossible } from "../fleet/fleet.js";
import { type Availability, watchAvailability } from "../lab/availability.js";
import { tellFailure } from "../lab/failure.js";
import { itemsOf } from "../lab/journal.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { NodeProcesses } from "../lab/node-processes.js";
import { previewThenUp } from "../lab/story.js";
import { told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";
import { startWorkload } from "../simulator/client/workload.js";
import type { BuiltRelease } from "../simulator/release.js";

const impossible = namespacesPossible();
const fleetName = impossible === undefined ? "hosts with an sshd each" : `loopback hosts (${impossible})`;

/**
 * Runs the releases of STARROCKS_ARCHIVE and STARROCKS_ARCHIVE_NEXT where they are given. A real FE and a simulated BE do not
 * speak of data with each other: then nobody writes.
 */
describe(`a cluster from nothing to its next version and away, on ${fleetName}`, () => {
  let lab: Lab;
  let processes: NodeProcesses;
  let acknowledged = 0;
  const isMixed = () => lab.releases.real.length === 1;
  const login = () => ({
    frontends: ["fe1", "fe2", "fe3"].map((name) => ({ host: lab.fleet.host(name).address })),
    password: rootPassword,
  });
  const handshakes = () => lab.fleet.hosts.map((host) => lab.fleet.handshakes(host));
  /** As a user leaves it, who says nothing of patience: no connection may differ from another by that. */
  const args = (release: BuiltRelease): PlainArgs =>
    lab.args(release, ({ connection }) => {
      delete connection.dialErrorLimit;
    });
  const everyHostOnce = () => lab.fleet.hosts.map(() => 1);
  /** `3.5.8-e58b001`. */
  const withoutCommit = (version: string): string => version.replace(/-[0-9a-f]{7,40}$/, "");

  /** What the journal has of the cluster's health, before the first stop and at the end. */
  const assertHealthNoted = (from: string, to: string): void => {
    const noted = lab.journal().filter(({ health }) => health !== undefined);
    assert.deepEqual(
      noted.map(({ health, frontends, backends, versions = [] }) => ({
        health,
        frontends,
        backends,
        versions: [...new Set(versions.map(withoutCommit))],
      })),
      [
        { health: "before", frontends: "3 of 3 Alive", backends: "3 of 3 Alive", versions: [from] },
        { health: "after", frontends: "3 of 3 Alive", backends: "3 of 3 Alive", versions: [to] },
      ],
    );
    const addresses = ["fe1", "fe2", "fe3"].map((name) => lab.fleet.host(name).address);
    assert.equal(noted[0]?.leader, addresses[0]);
    assert.ok(addresses.includes(noted[1]?.leader ?? ""), noted[1]?.leader);
  };

  /**
   * The longest time for which a node was down, as the report has it: not less than any host was seen without its process,
   * and not more than lies between the step before that node's stop and its proof.
   */
  const assertDownAsSeen = (report: string, { away }: Availability): void => {
    const [, count, id = "", said] =
      /^ +(\d+) nodes restarted; longest down: (\S+ \S+), ([\d.]+) s$/m.exec(report) ?? [];
    assert.equal(count, "6", report);
    const { steps = [] } = itemsOf(lab.journal()).find((item) => item.id === id) ?? {};
    const stop = steps.findIndex(({ verb }) => verb === "stop");
    const proven = steps.find(({ verb }) => verb === "prove")?.time ?? 0;
    const most = (proven - (steps[stop - 1]?.time ?? 0)) / 1000;
    const least = Math.max(...Object.values(away)) / 1000;
    // It is told in tenths of a second.
    assert.ok(Number(said) >= least - 0.1 && Number(said) <= most + 0.1, `${id}: ${least} s <= ${said} s <= ${most} s`);
    assert.ok(least > 0.1, `${least} s`);
  };

  before(async () => {
    lab = await Lab.create({
      kind: impossible === undefined ? "namespaces" : "loopback",
      given: process.env,
      // As a new cluster does it: tables of its own, with one replica at first, unhealthy until there are three.
      times: { statisticsTables: 4, tabletCheckerMs: 1000, repairDelayMs: 3000 },
    });
    processes = new NodeProcesses(lab.fleet);
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("is created: 3 FEs and 3 BEs, over one SSH connection a host", async () => {
    lab.declare(args(lab.releases.current));
    const { stdout } = await lab.stack.up();
    assert.match(stdout, /sr: done in \d+ s; every node is proven\./);
    assert.deepEqual(Object.keys(processes.byHost()), ["be1", "be2", "be3", "fe1", "fe2", "fe3"]);
    assert.deepEqual(handshakes(), everyHostOnce());
  });

  it("is left alone by a second up and by a second preview, which ask no host", async () => {
    const before = processes.byHost();
    lab.fleet.resetHandshakes();
    await lab.stack.preview(["--expect-no-changes"]);
    await lab.stack.up(["--expect-no-changes"]);
    assert.equal(lab.fleet.handshakes(), 0);
    assert.deepEqual(processes.byHost(), before);
  });

  it("is as recorded for a refresh, over one SSH connection a host", async () => {
    lab.fleet.resetHandshakes();
    await lab.stack.refresh(["--expect-no-changes"]);
    assert.deepEqual(handshakes(), everyHostOnce());
  });

  it("is left alone by a later version of this package, whose previews and ups are empty", async () => {
    const before = processes.byHost();
    const installed = join(lab.stack.folder, "node_modules/pulumi-starrocks");
    const { version, ...manifest } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    rmSync(join(installed, "dist"));
    for (const part of ["sdk", "provider"]) {
      cpSync(join(root, "dist", part), join(installed, "dist", part), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(installed, "node_modules"));
    const later = `${Number(version.split(".")[0]) + 1}.0.0`;
    writeFileSync(join(installed, "package.json"), JSON.stringify({ ...manifest, version: later }));
    lab.fleet.resetHandshakes();
    await lab.stack.preview(["--expect-no-changes"]);
    await lab.stack.up(["--expect-no-changes"]);
    assert.equal(lab.fleet.handshakes(), 0);
    assert.deepEqual(processes.byHost(), before);
  });

  it("is upgraded under a client that reads and writes: one node down at most, the leader last, no write lost", async function () {
    const { next } = lab.releases;
    if (!next) {
      this.skip();
    }
    lab.declare(args(next));
    lab.fleet.resetHandshakes();
    const workload = isMixed() ? undefined : await startWorkload(login());
    const availability = await watchAvailability(lab, login());
    const upgrade = await lab.stack.start("up", ["--skip-preview"]).ended;
    const seen = await availability();
    const report = await workload?.stop();
    assert.equal(upgrade.exitCode, 0, upgrade.stdout);
    if (report) {
      acknowledged = report.writesAcknowledged;
      assert.equal(report.writesLost, 0);
      assert.ok(report.writesAcknowledged > 50, `${report.writesAcknowledged} writes acknowledged`);
    }
    assert.ok(seen.readings > 20, `${seen.readings} readings by SQL`);
    assert.ok(seen.mostWithoutProcess === 1 && seen.mostNotAlive <= 1, JSON.stringify(seen));
    assert.deepEqual([...seen.stopped.slice(0, 3)].sort(), ["be1", "be2", "be3"], "first the BEs");
    assert.deepEqual([...seen.stopped.slice(3, 5)].sort(), ["fe2", "fe3"], "then the followers");
    assert.deepEqual(seen.stopped.slice(5), ["fe1"], "the leader last, and nobody twice");
    assert.deepEqual(handshakes(), everyHostOnce());
    const session = new Session(login());
    const versions = [...(await session.query("SHOW FRONTENDS")), ...(await session.query("SHOW BACKENDS"))];
    session.close();
    assert.deepEqual([...new Set(versions.map(({ Version }) => withoutCommit(String(Version))))], [next.version]);
    assertDownAsSeen(told(upgrade, "info").sr ?? "", seen);
    assertHealthNoted(lab.releases.current.version, next.version);
  });

  it("is destroyed: the leader stops first, the BEs last; no process stays, all data does", async () => {
    lab.fleet.resetHandshakes();
    const availability = await watchAvailability(lab, login());
    const destroyed = await lab.stack.destroy();
    assert.match(told(destroyed, "info")["sr-preflight"] ?? "", /^Journal: \S+\.jsonl$/);
    const { stopped } = await availability();
    assert.deepEqual(stopped.slice(0, 1), ["fe1"]);
    assert.deepEqual([...stopped.slice(1, 3)].sort(), ["fe2", "fe3"]);
    assert.deepEqual([...stopped.slice(3)].sort(), ["be1", "be2", "be3"]);
    for (const host of lab.fleet.hosts) {
      assert.deepEqual(await host.processes(), [], `processes of ${host.name}`);
      const data = host.name.startsWith("fe") ? "/opt/starrocks/fe/meta/image/VERSION" : "/disk1/starrocks/cluster_id";
      assert.ok(await host.readFile(data), `${data} of ${host.name}`);
    }
    assert.deepEqual(handshakes(), everyHostOnce());
  });

  it("comes back on its data with the next up", async () => {
    await previewThenUp(lab);
    const session = new Session(login());
    const rows = acknowledged > 0 ? await session.query("SELECT k, v FROM workload.acknowledged") : [];
    const members = [...(await session.query("SHOW FRONTENDS")), ...(await session.query("SHOW BACKENDS"))];
    session.close();
    assert.ok(rows.length >= acknowledged, `${rows.length} rows of ${acknowledged} acknowledged writes`);
    assert.deepEqual(
      rows.filter(({ k, v }) => v !== `value ${k}`),
      [],
    );
    assert.deepEqual(
      members.map(({ Alive }) => Alive),
      Array.from({ length: 6 }, () => "true"),
    );
  });
});
