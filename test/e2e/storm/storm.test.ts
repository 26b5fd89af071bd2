import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./ask.js";
import { unnoticed } from "./downs.js";
import type { Driver, Ended } from "./driver.js";

import { type Plan, planOf } from "./plan.js";
import { Site } from "./site.js";
import { play } from "./story.js";
import { isWell } from "./verdict.js";

const smallUpgrade = {
  ...{ frontends: 1, backends: 2, replicas: 2, version: "3.5.7", maxUnavailable: 1, canary: false, racks: false },
  changes: [{ type: "upgrade", version: "3.5.8", faults: [] }],
} as const satisfies Partial<Plan>;

/** What an operator does besides at the change of the plan: the first `up` has made the cluster. */
interface Besides {
  readonly before?: () => Promise<void>;
  /** Gives what the operator says of the change. */
  readonly after?: (outcome: Ended) => Promise<Ended>;
}

const atChange = (driver: Driver, { before, after }: Besides): Driver => {
  let ups = 0;
  return {
    ...driver,
    up: async (args) => {
      ups += 1;
      const isChange = ups === 2;
      if (isChange) {
        await before?.();
      }
      const up = await driver.up(args);
      return isChange && after ? { ...up, ended: up.ended.then(after) } : up;
    },
  };
};

/** An operator who has all BEs down before the upgrade, loses the client's rows, leaves balancing off, and records what is not so. */
const crooked = (driver: Driver, site: Site): Driver => ({
  ...atChange(driver, {
    before: async () => {
      await Promise.all(["be1", "be2"].map((name) => site.lab.fleet.host(name).reboot()));
      await sleep(500);
    },
    after: async (outcome) => {
      const login = site.login(1);
      await ask(login, "DROP TABLE workload.acknowledged");
      await ask(login, tableOfWorkload);
      await leaveBalancingOff(site);
      return outcome;
    },
  }),
  nodes: async () => (await driver.nodes()).map((node) => ({ ...node, version: "9.9.9" })),
});

const leaveBalancingOff = async (site: Site): Promise<void> => {
  await ask(site.login(1), 'ADMIN SET FRONTEND CONFIG ("tablet_sched_disable_balance" = "true")');
};

/** An operator who stops a second BE while one is down that a fault has taken down. */
const careless = (driver: Driver, site: Site): Driver =>
  atChange(driver, {
    before: async () => {
      await sleep(2 * unnoticed);
      await site.lab.fleet.host("be2").reboot();
      await sleep(500);
    },
  });

/** An operator whose upgrade does everything, leaves balancing off, and then says that it failed. */
const querulous = (driver: Driver, site: Site): Driver =>
  atChange(driver, {
    after: async (outcome) => {
      await leaveBalancingOff(site);
      return outcome.exitCode === 0 ? { exitCode: 1, told: "no reason" } : outcome;
    },
  });

/** An operator who sets the balancer to what an FE has by default, does nothing else, and says these things of the operations after the creation. */
const idle = (driver: Driver, site: Site, says: readonly Ended[]): Driver => {
  const left = [...says];
  let ups = 0;
  return {
    ...driver,
    up: async (args) => {
      ups += 1;
      const said = ups > 1 ? left.shift() : undefined;
      if (said === undefined) {
        return driver.up(args);
      }
      await ask(site.login(1), 'ADMIN SET FRONTEND CONFIG ("disable_colocate_balance" = "false")');
      return { ended: Promise.resolve(said), kill: async () => undefined };
    },
  };
};

const failed: Ended = { exitCode: 1, told: "no reason" };
const late: Ended = { exitCode: 1, told: "Waited 5 s for nothing." };
const allWell: Ended = { exitCode: 0, told: "" };

/** An operator who brings the removed BE's data back, and starts it. */
const untidy = (driver: Driver, site: Site): Driver =>
  atChange(driver, {
    after: async (outcome) => {
      const host = site.lab.fleet.host("be3");
      await host.exec(
        `for disk in '${host.path("/disk1")}' '${host.path("/disk2")}'; do mv "$disk"/starrocks.trash-* "$disk/starrocks"; done`,
      );
      await host.exec(`'${host.path("/opt/starrocks/be/bin/start_be.sh")}' --daemon`);
      await sleep(1000);
      return outcome;
    },
  });

const tableOfWorkload =
  "CREATE TABLE workload.acknowledged (k BIGINT, v VARCHAR(64)) DISTRIBUTED BY HASH(k) BUCKETS 3 " +
  'PROPERTIES ("replication_num" = "2")';

describe("a storm over clusters", () => {
  let site: Site;

  before(async () => {
    site = await Site.create();
  });
  after(async () => {
    await site?.close();
  });

  it("notices nodes that are down at once, lost writes, balancing left off, and states that lie", async () => {
    const { extraNodesDown, log, unfinished, untrueExits, writesLost } = await play(
      { ...planOf(0), ...smallUpgrade },
      site,
      "handlers",
      (driver) => crooked(driver, site),
    );
    assert.ok(extraNodesDown === 1 && untrueExits >= 2 && writesLost > 0, log.join("\n"));
    assert.match(log.join("\n"), /but the balancer is left with disable_balance = true/);
    assert.equal(unfinished, 0, log.join("\n"));
  });

  it("notices a node that is stopped while another one is down, though that one is down by a fault", async () => {
    const { extraNodesDown, log } = await play(
      {
        ...{ ...planOf(0), ...smallUpgrade },
        changes: [{ type: "setting", of: "be", value: 7, faults: [{ kind: "process killed", node: "be1" }] }],
      },
      site,
      "handlers",
      (driver) => careless(driver, site),
    );
    assert.equal(extraNodesDown, 1, log.join("\n"));
    assert.match(log.join("\n"), /EXTRA DOWN: 1 more than allowed \(be2, besides be1, down by a fault\)/);
  });

  it("notices a failed operation that leaves balancing off, and one that complains of nothing", async () => {
    const { log, unfinished, untrueExits } = await play({ ...planOf(0), ...smallUpgrade }, site, "handlers", (driver) =>
      querulous(driver, site),
    );
    const told = log.join("\n");
    assert.match(told, /UNTRUE: exit code 1, and the balancer is left with disable_balance = true/);
    assert.match(told, /UNTRUE: it failed, though nothing was in its way and no limit was reached: no reason/);
    assert.ok(untrueExits >= 2, told);
    assert.equal(unfinished, 0, told);
  });

  it("notices a setting that no node has, a change that stays half-way without a reason, and an own balancer that was set to the defaults", async () => {
    const { log } = await play(
      {
        ...{ ...planOf(0), ...smallUpgrade, balancer: "by ADMIN SET" },
        changes: [
          // That its fault never comes does not excuse it.
          {
            type: "one more BE",
            faults: [{ kind: "process killed", node: "be1", when: { verb: "rebuild", nth: 1 } }],
          },
          { type: "setting", of: "be", value: 7, faults: [] },
          { type: "setting", of: "fe", value: 77, faults: [] },
        ],
      },
      site,
      "handlers",
      (driver) => idle(driver, site, [failed, allWell, allWell, allWell]),
    );
    const told = log.join("\n");
    const own = "disable_balance = false, disable_colocate_balance = true, max_balancing_tablets = 77";
    assert.match(told, /UNTRUE: it failed, though nothing was in its way and no limit was reached: no reason/);
    assert.match(told, new RegExp(`UNTRUE: exit code 1, and the balancer is left with .*, was ${own}`));
    assert.match(told, new RegExp(`UNTRUE: exit code 0, but the balancer is left with .*, was ${own}`));
    for (const node of ["be1", "be2"]) {
      assert.match(told, new RegExp(`a setting of ${node}, its conf file has undefined, its process 10$`, "m"));
    }
    assert.match(told, /a setting of fe1, its conf file has undefined, its process 4096/);
  });

  it("tells a repaired build from the bad one of the same version", async () => {
    const { log, untrueExits } = await play(
      {
        ...{ ...planOf(0), ...smallUpgrade },
        changes: [{ type: "bad build", version: "3.5.7", build: {}, afterwards: "repair", faults: [] }],
      },
      site,
      "handlers",
      (driver) => idle(driver, site, [late, allWell]),
    );
    const told = log.join("\n");
    assert.match(told, /UNTRUE: exit code 0 for 3\.5\.7-0123abc, but the cluster says .*"be1":"3\.5\.7-d2da301"/);
    assert.equal(untrueExits, 1, told);
  });

  it("excuses a change that nothing hindered if it reached a limit", async () => {
    const { log, untrueExits } = await play(
      { ...planOf(0), ...smallUpgrade, changes: [{ type: "setting", of: "be", value: 7, faults: [] }] },
      site,
      "handlers",
      (driver) => idle(driver, site, [late]),
    );
    assert.equal(untrueExits, 0, log.join("\n"));
  });

  it("notices a removed BE that runs, and data of it that is where it was", async () => {
    const { log, untrueExits } = await play(
      {
        ...{ ...planOf(0), ...smallUpgrade, backends: 3, balancer: "in fe.conf" },
        changes: [{ type: "one BE less", faults: [] }],
      },
      site,
      "handlers",
      (driver) => untidy(driver, site),
    );
    const told = log.join("\n");
    assert.match(told, /UNTRUE: exit code 0, but be3 is not declared any more, and has a process/);
    assert.match(told, /UNTRUE: exit code 0, but be3 is not declared any more, and its data is where it was/);
    assert.match(told, /UNTRUE: exit code 0, but the data of be3 is not in a dated folder/);
    assert.equal(untrueExits, 3, told);
  });

  it("is not well where the client could not write", () => {
    const verdict = { seed: 0, log: [], faults: 0, writesLost: 0, extraNodesDown: 0, untrueExits: 0, unfinished: 0 };
    assert.deepEqual(
      [0, 1].map((writesAcknowledged) => isWell({ ...verdict, writesAcknowledged })),
      [false, true],
    );
  });

  it("starts an FE that ends while the other one is started, as a leader without a majority does", async () => {
    const during = { item: "FE fe1, found down", verb: "start", nth: 1 } as const;
    const { log } = await play(
      {
        ...{ ...planOf(0), ...smallUpgrade, frontends: 2 },
        changes: [
          {
            ...{ type: "setting", of: "be", value: 7 },
            faults: [
              { kind: "process killed", node: "fe1" },
              { kind: "process killed", node: "fe2", when: during },
            ],
          },
        ],
      },
      site,
      "handlers",
    );
    const told = log.join("\n");
    assert.match(told, /struck: process killed \(fe2/);
    assert.match(told, /setting: exit code 0/, told);
    assert.doesNotMatch(told, /UNTRUE|UNFINISHED|LOST/);
  });
});
