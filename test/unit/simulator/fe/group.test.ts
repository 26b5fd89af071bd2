import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { newestImage } from "../../../../provider/starrocks/meta-image.js";
import { localHost } from "../../starrocks/local-host.js";
import { eventually, type FrontendProcess, Lab, rowOf } from "./lab.js";

const run = promisify(execFile);

/** The leader, asked of any of these. */
const leaderAmong = (frontends: readonly FrontendProcess[]): Promise<FrontendProcess> =>
  eventually("a leader", async () => {
    for (const fe of frontends) {
      const rows = await fe.sql("SHOW FRONTENDS", { timeoutMs: 1500 }).catch(() => []);
      const found = frontends.find(({ address }) => rowOf(rows, { address }).Role === "LEADER");
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }).catch((error: Error) => {
    const tails = frontends.map(
      (fe) => `${fe.address} running: ${fe.isRunning}\n${fe.log.slice(-800)}${fe.read("out").slice(-300)}`,
    );
    throw new Error(`${error.message}\n${tails.join("\n")}`);
  });

describe("simulator: joining through a helper that does not lead", function () {
  this.timeout(60_000);
  const lab = new Lab();
  after(() => lab.close());

  it("is no dropped FE to the leader of which its image tells, before that has taken it in", async () => {
    const leader = await lab.found();
    const follower = await lab.follower(leader);
    await leader.sql("ALTER SYSTEM CREATE IMAGE");
    await eventually("an image on the follower", async () =>
      (await newestImage(localHost(), follower.file("meta"))) > 0 ? true : undefined,
    );
    const third = lab.frontend();
    third.start(follower);
    await leader.sql(`ALTER SYSTEM ADD FOLLOWER "${third.address}:9010"`);
    await third.ready();
  });
});

describe("simulator: joining a group of frontends", function () {
  this.timeout(60_000);
  const lab = new Lab();
  let leader: FrontendProcess;
  let follower: FrontendProcess;

  before(async () => {
    leader = await lab.found();
  });

  after(() => lab.close());

  it("waits with no port open until it is added, then joins", async () => {
    follower = lab.frontend();
    follower.start(leader);
    const complaint = "current node is not added to the group. please add it first.";
    await eventually("the complaint", async () => follower.log.includes(complaint));
    assert.match(follower.log, /failed to get fe node type from helper node: [\d.]+:9010\. response code: 400/);
    await assert.rejects(follower.get(8030, "/api/health"), { code: "ECONNREFUSED" });
    assert.notEqual(follower.read("bin/fe.pid"), "");
    assert.equal(follower.read("meta/image/VERSION"), "");

    await leader.sql(`ALTER SYSTEM ADD FOLLOWER "${follower.address}:9010"`);
    const row = rowOf(await leader.sql("SHOW FRONTENDS"), follower);
    const shown = [row.Join, row.Alive, row.QueryPort, row.LastHeartbeat, row.Version];
    assert.deepEqual(shown, ["false", "false", "0", "NULL", "NULL"]);
    await follower.ready();
    await eventually("a live row", async () => rowOf(await follower.sql("SHOW FRONTENDS"), follower).Alive === "true");
    const clusterOf = (fe: FrontendProcess) => /clusterId=\d+/.exec(fe.read("meta/image/VERSION"))?.[0];
    assert.equal(clusterOf(follower), clusterOf(leader));
  });

  it("lives on as a zombie when dropped, and does not start again with its old metadata", async () => {
    await leader.sql(`ALTER SYSTEM DROP FOLLOWER "${follower.address}:9010"`);
    assert.equal((await leader.sql("SHOW FRONTENDS")).length, 1);
    await eventually("the zombie", async () => {
      await assert.rejects(follower.sql("SHOW FRONTENDS"), /Internal error processing forward/);
      return true;
    });
    assert.deepEqual(await follower.sql("SELECT 1"), [{ 1: 1 }]);
    assert.match((await follower.get(8030, "/api/health")).body, /"status":"OK"/);
    await follower.stop();
    follower.start();
    assert.equal(await follower.exitCode(), 255);
    assert.equal(follower.log.match(/this node is DETACHED, /g)?.length, 3);
  });

  it("founds a cluster of its own without --helper, and never joins then", async () => {
    const forgotten = await lab.found();
    const [own] = await forgotten.sql("SHOW FRONTENDS");
    assert.equal(own?.Role, "LEADER");
    await leader.sql(`ALTER SYSTEM ADD FOLLOWER "${forgotten.address}:9010"`);
    await sleep(1200);
    const row = rowOf(await leader.sql("SHOW FRONTENDS"), forgotten);
    assert.deepEqual([row.Join, row.Alive, row.ErrMsg], ["false", "false", ""]);
    assert.notEqual(row.ClusterId, own?.ClusterId);
  });

  it("refuses a peer whose clock is off", async () => {
    const fe = lab.frontend({ options: { clockSkewMs: 6000 } });
    await leader.sql(`ALTER SYSTEM ADD FOLLOWER "${fe.address}:9010"`);
    fe.start(leader);
    const verdict = /Clock delta: \d+ ms\. .*exceeds max permissible delta: 5000 ms/;
    await eventually("the verdict", async () => verdict.test(fe.log));
    await assert.rejects(fe.get(8030, "/api/health"), { code: "ECONNREFUSED" });
  });

  it("takes an observer, which does not vote, and any FE as helper", async () => {
    const observer = await lab.follower(leader, {}, "OBSERVER");
    assert.equal(rowOf(await observer.sql("SHOW FRONTENDS"), observer).Role, "OBSERVER");
    const second = await lab.follower(leader, { helper: observer });
    await observer.stop("SIGKILL");
    await second.sql("CREATE DATABASE works_without_observers");
  });
});

describe("simulator: a group of three frontends", function () {
  this.timeout(60_000);
  const lab = new Lab();
  let frontends: readonly FrontendProcess[] = [];

  before(async () => {
    frontends = await lab.group();
  });

  after(() => lab.close());

  const others = (fe: FrontendProcess) => frontends.filter((other) => other !== fe);

  it("forwards what a follower is told to the leader, and reads back there", async () => {
    const [leader, follower] = frontends as readonly [FrontendProcess, FrontendProcess, FrontendProcess];
    await follower.sql("CREATE DATABASE by_follower");
    assert.ok((await follower.sql("SHOW DATABASES")).some((row) => row.Database === "by_follower"));
    assert.ok((await leader.sql("SHOW DATABASES")).some((row) => row.Database === "by_follower"));
  });

  it("sets a setting on every FE, until it restarts", async () => {
    const [leader, follower, third] = frontends as readonly [FrontendProcess, FrontendProcess, FrontendProcess];
    await follower.sql('ADMIN SET FRONTEND CONFIG ("disable_balance" = "true")');
    const values = async () =>
      Promise.all(
        frontends.map(async (fe) => (await fe.sql("ADMIN SHOW FRONTEND CONFIG LIKE 'disable_balance'"))[0]?.Value),
      );
    assert.deepEqual(await values(), ["true", "true", "true"]);
    await third.stop();
    third.start();
    await third.ready();
    assert.deepEqual(await values(), ["true", "true", "false"]);
    await leader.sql('ADMIN SET FRONTEND CONFIG ("disable_balance" = "false")');
  });

  it("shows a quick restart late: the row is alive and old", async () => {
    const [leader, follower] = frontends as readonly [FrontendProcess, FrontendProcess, FrontendProcess];
    const pids = frontends.map((fe) => fe.child?.pid);
    const before = rowOf(await leader.sql("SHOW FRONTENDS"), follower);
    await sleep(1100);
    await follower.stop();
    follower.write("lib/build.json", JSON.stringify({ version: "3.5.8", commit: "e58b001" }));
    leader.fault({ fault: "staleAlive" });
    follower.start();
    await follower.ready();
    const stale = rowOf(await leader.sql("SHOW FRONTENDS"), follower);
    assert.deepEqual([stale.Alive, stale.Version, stale.StartTime], ["true", before.Version, before.StartTime]);
    assert.deepEqual(await follower.sql("SELECT @@version_comment AS v"), [{ v: "3.5.8-e58b001" }]);
    leader.heal();
    await eventually("the new row", async () => {
      const row = rowOf(await leader.sql("SHOW FRONTENDS"), follower);
      return row.Version === "3.5.8-e58b001" && row.StartTime !== before.StartTime;
    });
    assert.equal(leader.child?.pid, pids[0], "the others do not restart");
  });

  it("shows a dead follower after four missed heartbeats, with its last version", async () => {
    const [leader, , third] = frontends as readonly [FrontendProcess, FrontendProcess, FrontendProcess];
    await third.stop("SIGKILL");
    assert.equal(rowOf(await leader.sql("SHOW FRONTENDS"), third).Alive, "true");
    const dead = await eventually("the verdict", async () => {
      const row = rowOf(await leader.sql("SHOW FRONTENDS"), third);
      return row.Alive === "false" && row;
    });
    assert.deepEqual([dead.ErrMsg, dead.StartTime, dead.Version], ["Connection refused", "NULL", "3.5.7-d2da301"]);
    third.start();
    await third.ready();
  });

  it("elects another leader at once when the leader is killed", async () => {
    const old = await leaderAmong(frontends);
    const rest = others(old);
    const pids = rest.map((fe) => fe.child?.pid);
    await old.stop("SIGKILL");
    const since = performance.now();
    const next = await leaderAmong(rest);
    await next.sql("CREATE DATABASE after_election");
    const took = performance.now() - since;
    assert.ok(took < 3000, `took ${Math.round(took)} ms`);
    assert.deepEqual(
      rest.map((fe) => fe.child?.pid),
      pids,
    );
    old.start();
    await old.ready();
    const row = rowOf(await old.sql("SHOW FRONTENDS"), old);
    assert.equal(row.Role, "FOLLOWER");
    assert.ok((await old.sql("SHOW DATABASES")).some(({ Database }) => Database === "after_election"));
  });

  it("moves the leadership by DbGroupAdmin; the old leader's process exits", async () => {
    const old = await leaderAmong(frontends);
    const [target] = others(old) as [FrontendProcess, FrontendProcess];
    const name = rowOf(await old.sql("SHOW FRONTENDS"), target).Name ?? "";
    const admin = path.join(__dirname, "../../../simulator/fe/db-group-admin.js");
    const words = ["DbGroupAdmin", "-helperHosts", `${old.address}:9010`, "-groupName", "PALO_JOURNAL_GROUP"];
    const { stdout } = await run(process.execPath, [admin, ...words, "-transferMaster", "-force", name, "10 s"]);
    assert.equal(stdout, `The new master is: ${name}\n`);
    assert.equal(await old.exitCode(), 255);
    assert.match(old.log, /transfer FE type from LEADER to UNKNOWN\. exit/);
    assert.equal(await leaderAmong(others(old)), target);
    old.start();
    await old.ready();
  });

  it("gives the leadership away on a graceful exit, and serves for a while", async () => {
    const old = await leaderAmong(frontends);
    await eventually("three live FEs", async () =>
      (await old.sql("SHOW FRONTENDS")).every((row) => row.Alive === "true"),
    );
    old.child?.kill("SIGUSR1");
    await eventually("unhealthy", async () => (await old.get(8030, "/api/health")).status === 500);
    const next = await leaderAmong(others(old));
    assert.notEqual(next, old);
    assert.equal(await old.exitCode(), 0);
    assert.match(old.log, /start to transfer leader[\s\S]*leader is transferred to \//);
    old.start();
    await old.ready();
  });

  it("replaces a leader that fell silent, which then ends itself", async () => {
    const old = await leaderAmong(frontends);
    old.fault({ fault: "isolate" });
    await sleep(200); // Faults are read again every 100 ms.
    const asked = others(old)[0] as FrontendProcess;
    await assert.rejects(asked.sql("SHOW FRONTENDS", { timeoutMs: 400 }), /timed out/);
    const next = await leaderAmong(others(old));
    await next.sql("CREATE DATABASE without_the_old");
    assert.equal(await old.exitCode(), 255);
    old.heal();
    old.start();
    await old.ready();
    assert.ok((await old.sql("SHOW DATABASES")).some(({ Database }) => Database === "without_the_old"));
  });

  it("hangs without a majority while /api/health is OK, and then exits", async () => {
    const leader = await leaderAmong(frontends);
    await Promise.all(others(leader).map((fe) => fe.stop("SIGKILL")));
    await sleep(700);
    await assert.rejects(leader.sql("SHOW FRONTENDS", { timeoutMs: 500 }), /timed out/);
    assert.match((await leader.get(8030, "/api/health")).body, /"status":"OK"/);
    assert.equal(await leader.exitCode(), 255);
    assert.match(leader.read("out"), /failed to begin txn after retried 3 times!/);
    const [one, two] = others(leader) as [FrontendProcess, FrontendProcess];
    one.start();
    await eventually("the wait", async () =>
      /wait globalStateMgr to be ready\. FE type: \w+\. is ready: false/.test(one.log),
    );
    two.start();
    await Promise.all([one.ready(), two.ready()]);
    assert.ok((await one.sql("SHOW DATABASES")).some(({ Database }) => Database === "without_the_old"));
  });
});
