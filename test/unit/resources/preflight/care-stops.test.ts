import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { limitsOf } from "../../../../provider/plan/limits.js";
import { defaultPolicy } from "../../../../provider/plan/policy.js";
import type { BeSpec } from "../../../../provider/plan/spec.js";
import type { NodeContext } from "../../../../provider/resources/node/context.js";
import { tabletsAllow } from "../../../../provider/resources/node/tablets.js";
import { ClusterCare } from "../../../../provider/resources/preflight/care.js";
import type { Contact, Frontends } from "../../../../provider/rollout/frontends.js";
import { Run } from "../../../../provider/rollout/run.js";
import { be } from "../../plan/specs.js";
import { eventually, type FrontendProcess, Lab } from "../../simulator/fe/lab.js";
import { localHost } from "../../starrocks/local-host.js";
import { LocalFrontends } from "../local-cluster.js";

describe("the care for a cluster while BEs are stopped", function () {
  this.timeout(90_000);
  let folder: string;
  let lab: Lab;
  let run: Run;
  let frontends: Frontends;
  const cwd = process.cwd();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "care-"));
    process.chdir(folder);
    lab = new Lab();
    run = new Run("care");
    run.answers = true;
  });
  afterEach(async () => {
    for (const contact of frontends.contacts) {
      frontends.forget(contact);
    }
    process.chdir(cwd);
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const contactOf = ({ address }: FrontendProcess, index: number): Contact => ({
    name: `fe-${index + 1}`,
    address,
    role: index === 0 ? "leader" : "observer",
    ports: { http: 8030, rpc: 9020, query: 9030, editLog: 9010 },
    home: join(folder, `fe-${index + 1}`),
    metaDir: "/meta",
    connection: {},
  });

  /** The declared cluster: these FEs, and the BE that is asked about. */
  const declare = (fes: readonly FrontendProcess[], address = "10.0.0.21"): NodeContext<BeSpec> => {
    const limits = limitsOf({ sql: 1, leader: 3, tablets: 10 });
    frontends = new LocalFrontends({
      cluster: run.cluster,
      contacts: fes.map(contactOf),
      connection: { host: "127.0.0.1" },
      sql: { user: "root" },
      limits,
    });
    const context: NodeContext<BeSpec> = {
      spec: be({ address, release: { id: "3.0.9-aaaaaaaaaaaa", version: "3.0.9" } }),
      host: localHost(),
      frontends,
      run,
      limits,
      position: 0,
      preflight: undefined,
      progress: () => undefined,
      urn: undefined,
      secrets: [],
    };
    run.care = new ClusterCare(run, {
      cluster: "care",
      release: context.spec.release,
      maxUnavailable: 1,
      policy: defaultPolicy,
      nodes: [context],
      position: 0,
      urn: undefined,
      clusterUrn: undefined,
    });
    return context;
  };

  const settingOf = async (fe: FrontendProcess, name: string): Promise<string | undefined> =>
    (await fe.sql(`ADMIN SHOW FRONTEND CONFIG LIKE '${name}'`))[0]?.Value;
  const report = (): void => undefined;

  it("pauses again before each stop what an FE has forgotten since", async () => {
    const fe = await lab.found();
    declare([fe]);
    await run.care?.beforeStop("be");
    assert.equal(await settingOf(fe, "disable_balance"), "true");
    await fe.sql(`ADMIN SET FRONTEND CONFIG ("disable_balance" = "false")`);
    await run.care?.beforeStop("be");
    assert.equal(await settingOf(fe, "disable_balance"), "true");
  });

  it("restores what a pause had set that failed on another FE, and the failure is told", async () => {
    const fe = await lab.found();
    const observer = await lab.follower(fe, {}, "OBSERVER");
    await eventually("two live FEs", async () => (await fe.sql("SHOW FRONTENDS")).every((row) => row.Alive === "true"));
    declare([fe, observer]);
    observer.fault({ fault: "hangSql" });
    // Faults are read every 100 ms.
    await eventually("its silence", () =>
      Promise.race([
        observer.sql("SELECT 1").then(
          () => false,
          () => true,
        ),
        sleep(500, true),
      ]),
    );
    await assert.rejects(
      run.care?.beforeStop("be") ?? Promise.resolve(),
      /Waited 3 s for every FE to have disable_balance = true/,
    );
    assert.equal(await settingOf(fe, "disable_balance"), "true", "the danger that this test is about");
    observer.heal();
    await run.fail("BE be-1", "BE be-1 failed");
    assert.equal(await settingOf(fe, "disable_balance"), "false");
    assert.equal(await settingOf(observer, "disable_balance"), "false");
  });

  it("lets what a BE waits for be repaired before its stop, where the pause throttles it, and pauses it again for the stop", async () => {
    const fe = await lab.found({ version: "3.0.9", options: { repairTrickleMs: 3_600_000 } });
    const backends = await lab.backends(fe, 3);
    await fe.sql("CREATE DATABASE d");
    await fe.sql(
      'CREATE TABLE d.t (k INT, v INT) DISTRIBUTED BY HASH(k) BUCKETS 2 PROPERTIES ("replication_num" = "3")',
    );
    const context = declare([fe], backends[0]?.address);
    await run.care?.beforeStop("be");
    assert.equal(await settingOf(fe, "max_scheduling_tablets"), "0");
    const alive = async () => (await fe.sql("SHOW BACKENDS")).filter((row) => row.Alive === "true").length;
    await backends[2]?.stop("SIGKILL");
    await eventually("its death", async () => (await alive()) === 2);
    await fe.sql("INSERT INTO d.t VALUES (1, 1), (2, 2), (3, 3), (4, 4)");
    backends[2]?.launch();
    await eventually("its return", async () => (await alive()) === 3);
    assert.equal((await tabletsAllow(context, report)).mark, "done");
    assert.equal(await settingOf(fe, "max_scheduling_tablets"), "0", "nothing moves while it is stopped");
  });
});
