import assert from "node:assert/strict";
import { until } from "../../provider/wait.js";
import type { Outcome } from "../engine/stack.js";
import { namespacesPossible } from "../fleet/fleet.js";
import type { Host } from "../fleet/types.js";
import { assertDone, assertFailed } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { nodeCommand } from "../lab/node-processes.js";
import { itemsSince, reached } from "../lab/step-watch.js";
import { stateOf, told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";
import type { BuiltRelease } from "../simulator/release.js";

const impossible = namespacesPossible();

describe("a cluster whose FEs lose their network, their disk, their power or their place", () => {
  let lab: Lab;
  let release: BuiltRelease;
  let frontends: readonly Host[];
  let clusterId: string | undefined;

  before(async () => {
    lab = await Lab.create({
      kind: impossible === undefined ? "namespaces" : "loopback",
      backends: 1,
      // A dropped FE finds out, and ends, after three rounds.
      times: { detachedRoundMs: 300 },
    });
    release = await lab.release("3.5.7");
    frontends = ["fe1", "fe2", "fe3"].map((name) => lab.fleet.host(name));
  });
  after(() => lab?.close());

  const up = (change: (args: PlainArgs) => void, ...more: readonly string[]): Promise<Outcome> => {
    lab.declare(lab.args(release, change));
    return lab.stack.start("up", ["--skip-preview", ...more]).ended;
  };
  const asDeclared = () => undefined;
  const withSetting = ({ backends }: PlainArgs): void => {
    backends.config = { ...backends.config, sys_log_roll_num: "5" };
  };
  const sql = async <T>(work: (session: Session) => Promise<T>, [...hosts] = frontends): Promise<T> => {
    const session = new Session({ frontends: hosts.map(({ address }) => ({ host: address })), password: rootPassword });
    try {
      return await work(session);
    } finally {
      session.close();
    }
  };
  const clusterIds = async (): Promise<readonly (string | undefined)[]> =>
    Promise.all(
      frontends.map(async (host) => {
        const text = await host.readFile("/opt/starrocks/fe/meta/image/VERSION");
        return /clusterId=(\d+)/.exec(text ?? "")?.[1];
      }),
    );
  /** All FEs are of the cluster that was founded first, and its data is there. */
  const assertWhole = async (): Promise<void> => {
    assert.deepEqual(await clusterIds(), [clusterId, clusterId, clusterId]);
    const rows = await sql((session) => session.query("SHOW FRONTENDS"));
    assert.deepEqual(
      rows.map(({ IP, Join, Alive }) => `${IP} ${Join} ${Alive}`).sort(),
      frontends.map(({ address }) => `${address} true true`).sort(),
    );
    const kept = await sql((session) => session.query("SELECT k FROM shop.orders ORDER BY k"));
    assert.deepEqual(
      kept.map(({ k }) => Number(k)),
      [1, 2, 3],
    );
  };

  it("says of a follower that does not reach the group that it waits to join, and takes it in once it does", async function () {
    const [leader, , follower] = frontends;
    assert.ok(leader && follower);
    const cut = (verb: "add" | "del") => follower.exec(`ip route ${verb} blackhole ${leader.address}/32`);
    if (impossible === undefined) {
      await cut("add");
      const outcome = await up(({ limits }) => Object.assign(limits as object, { alive: 8 }));
      await cut("del");
      assertFailed(outcome, {
        "sr-fe-fe3-member":
          /^Waited 8 s for FE fe3 to join its group; last seen: not joined\. Look at fe\.log in \S+\/fe\/log on \S+\. An FE that was once started without --helper made a cluster of its own and never joins: its metadata folder must then be moved away by hand\.\nLast lines of its log \(\S+\/fe\/log\):\n/,
      });
      const state = await stateOf(lab.stack);
      assert.deepEqual(
        ["sr-fe-fe2-member", "sr-fe-fe3", "sr-fe-fe3-member", "sr-rollout"].map((name) => state[name]),
        ["member", "running", undefined, undefined],
      );
    }
    assertDone(await up(asDeclared));
    await sql(async (session) => {
      await session.query("CREATE DATABASE shop");
      await session.query(
        'CREATE TABLE shop.orders (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES ("replication_num" = "1")',
      );
      await session.query("INSERT INTO shop.orders VALUES (1, 1), (2, 2), (3, 3)");
    });
    [clusterId] = await clusterIds();
    await assertWhole();
    if (impossible !== undefined) {
      this.skip();
    }
  });

  it("lets the FE that founded the cluster join when its disk was lost: no second cluster", async () => {
    const [founder] = frontends;
    assert.ok(founder);
    await founder.kill(nodeCommand);
    await founder.exec(`rm -rf ${founder.path("/opt/starrocks/fe")}`);
    assertDone(await up(asDeclared, "--refresh"));
    await assertWhole();
  });

  it("starts everything again after a power loss, the FE that lost its disk by it too", async () => {
    for (const host of lab.fleet.hosts) {
      await host.powerOff();
    }
    const [founder] = frontends;
    assert.ok(founder);
    for (const host of lab.fleet.hosts) {
      await host.powerOn();
    }
    await founder.exec(`rm -rf ${founder.path("/opt/starrocks/fe")}`);
    const outcome = await up(asDeclared, "--refresh");
    assertDone(outcome);
    assert.match(
      told(outcome, "warning")["sr-be-be1-member"] ?? "",
      /^Whether BE be1 is in the cluster could not be seen: no FE answers\. The recorded state stays\.$/,
    );
    await assertWhole();
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("starts all FEs that went down unseen before it stops a BE: none can be proven without the others", async () => {
    for (const host of frontends) {
      await host.kill(nodeCommand);
    }
    assertDone(await up(withSetting));
    await assertWhole();
  });

  it("says that the group has dropped an FE, and takes it in again once its metadata was moved away", async () => {
    const rows = await sql((session) => session.query("SHOW FRONTENDS"));
    const leader = frontends.find(({ address }) => rows.some(({ IP, Role }) => IP === address && Role === "LEADER"));
    const dropped = frontends.find((host) => host !== leader);
    assert.ok(leader && dropped);
    const drop = `ALTER SYSTEM DROP FOLLOWER "${dropped.address}:9010"`;
    await sql((session) => session.query(drop), [leader]);
    await dropped.kill(nodeCommand);
    const outcome = await up(withSetting, "--refresh");
    const text = told(outcome, "error")[`sr-fe-${dropped.name}`] ?? "";
    assert.match(
      text,
      new RegExp(`FE ${dropped.name} \\(\\S+\\) failed to prove \\(step 6 of 6: repair \\(was stopped\\)\\)\\.`),
    );
    assert.match(text, /this node is DETACHED/);
    assert.match(
      text,
      /\nThat means: the cluster has dropped this FE\. Empty its metadata folder \(after a backup\) and let it join again\.\n/,
    );
    const home = dropped.path("/opt/starrocks/fe");
    await dropped.exec(`mv ${home}/meta ${home}/meta.old`);
    assertDone(await up(withSetting, "--refresh"));
    await until(
      async () =>
        assertWhole().then(
          () => ({ done: true, value: undefined }),
          (error) => ({ done: false, seen: String(error) }),
        ),
      { what: "every FE to be Alive", limit: 30_000 },
    );
  });
});

describe("an FE group whose leader goes away while it is to write an image", () => {
  let lab: Lab;

  before(async () => {
    // Long enough for the leader to be killed before it writes one.
    lab = await Lab.create({ backends: 1, times: { checkpointIntervalMs: 10_000 } });
    lab.declare(lab.args(await lab.release("3.5.7")));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("is repaired, and the next leader writes it before any node is stopped", async () => {
    lab.declare(lab.args(await lab.release("3.5.8")));
    const known = lab.journals().length;
    const running = lab.stack.start("up", ["--skip-preview"]);
    const atImage = await reached(lab, running, known, { kind: "gate", verb: "image" });
    const killed = await lab.fleet.host("fe1").kill(nodeCommand);
    const outcome = await running.ended;
    assert.ok(atImage);
    assert.equal(killed, 1);
    assertDone(outcome);
    assert.match(outcome.stdout, /see a metadata image written: starting FE fe1/);
    const steps = itemsSince(lab, known).find(({ id }) => id === "gate")?.steps ?? [];
    assert.deepEqual(
      steps.filter(({ verb }) => verb === "image").map(({ mark }) => mark),
      ["done"],
    );
  });
});

describe("a group of two FEs, of which a build hangs at its start", () => {
  let lab: Lab;

  before(async () => {
    // The other one ends while that is waited for, as it leads nobody.
    lab = await Lab.create({ frontends: 2, backends: 1, times: { exitWithoutQuorumMs: 4000 } });
    lab.declare(lab.args(await lab.release("3.5.7")));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("is whole again when that one was taken back: the other one is started for it", async () => {
    const bad = await lab.release("3.5.8", { fe: { faults: [{ fault: "hangAtStart" }] } });
    lab.declare(
      lab.args(bad, (args) => {
        Object.assign(args.limits as object, { start: 12 });
      }),
    );
    const outcome = await lab.stack.up(["--skip-preview"], { expectFailure: true });
    assert.match(told(outcome, "error")["sr-fe-fe2"] ?? "", /\nFE fe2 was taken back to 3\.5\.7 and is proven there\./);
    const session = new Session({
      frontends: ["fe1", "fe2"].map((name) => ({ host: lab.fleet.host(name).address })),
      password: rootPassword,
    });
    const rows = await session.query("SHOW FRONTENDS");
    session.close();
    assert.deepEqual(
      rows.map(({ Alive, Version }) => `${Alive} ${String(Version).split("-")[0]}`),
      ["true 3.5.7", "true 3.5.7"],
    );
  });
});
