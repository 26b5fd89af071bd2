import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../../provider/error.js";
import { handOver } from "../../../provider/starrocks/handover.js";
import { buildJdk } from "../../simulator/jdk.js";
import { eventually, type FrontendProcess, Lab, rowOf } from "../simulator/fe/lab.js";
import { loopback } from "./loopback.js";

describe("hand-over of the leadership", function () {
  this.timeout(60_000);
  const lab = new Lab();
  const folder = mkdtempSync(join(tmpdir(), "handover-"));
  const javaHome = join(folder, "jdk");
  let frontends: readonly FrontendProcess[] = [];

  before(async () => {
    await buildJdk({ directory: javaHome, version: 17 });
    frontends = await lab.group();
    const tool = join(__dirname, "../../simulator/fe/db-group-admin.js");
    // Run as a program, the tool's main is the one that is required.
    const jar = `require(${JSON.stringify(tool)}).main(process.argv.slice(2)).then((code) => { process.exitCode = code; });`;
    for (const fe of frontends) {
      fe.write("lib/starrocks-bdb-je-18.3.20.jar", jar);
    }
  });

  after(async () => {
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const options = async (leader: FrontendProcess, target: FrontendProcess) => ({
    home: leader.home,
    javaHome,
    helper: `${leader.address}:9010`,
    target: rowOf(await leader.sql("SHOW FRONTENDS"), target).Name ?? "",
    limit: 10_000,
  });

  it("makes the follower leader, and the old leader's process exits", async () => {
    const [old, target] = frontends as [FrontendProcess, FrontendProcess];
    const outcome = await handOver(loopback, await options(old, target));
    assert.equal(outcome.did, "handed over");
    assert.ok(outcome.seconds > 0 && outcome.seconds < 10);
    assert.equal(await old.exitCode(), 255);
    await eventually("the new leader", async () => rowOf(await target.sql("SHOW FRONTENDS"), target).Role === "LEADER");
  });

  it("tells what the tool said when it refused", async () => {
    const [, leader, other] = frontends as [FrontendProcess, FrontendProcess, FrontendProcess];
    const outcome = await handOver(loopback, {
      ...(await options(leader, other)),
      target: "nobody_9010_1",
      limit: 2000,
    });
    assert.equal(outcome.did, "refused");
    assert.match("said" in outcome ? outcome.said : "", /nobody_9010_1/);
    assert.equal(rowOf(await leader.sql("SHOW FRONTENDS"), leader).Role, "LEADER");
  });

  it("does not take an exit code of 0 for a hand-over", async () => {
    const [, leader, other] = frontends as [FrontendProcess, FrontendProcess, FrontendProcess];
    writeFileSync(join(leader.home, "lib/starrocks-bdb-je-18.3.20.jar"), 'console.log("usage: java …");');
    const outcome = await handOver(loopback, await options(leader, other));
    assert.equal(outcome.did === "refused" && outcome.said, "usage: java …");
  });

  it("fails before it changes anything where the jar or Java is missing", async () => {
    const [, leader, other] = frontends as [FrontendProcess, FrontendProcess, FrontendProcess];
    const given = await options(leader, other);
    await assert.rejects(
      handOver(loopback, { ...given, javaHome: "/none" }),
      (error: Error) => error instanceof UserError && /\/none\/bin\/java/.test(error.message),
    );
    await assert.rejects(handOver(loopback, { ...given, home: folder }), /starrocks-bdb-je-\*\.jar/);
  });
});
