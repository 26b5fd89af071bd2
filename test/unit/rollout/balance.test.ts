import assert from "node:assert/strict";
import { limitsOf } from "../../../provider/plan/limits.js";
import { BalancePause } from "../../../provider/rollout/balance.js";
import { type Contact, Frontends } from "../../../provider/rollout/frontends.js";
import { Notes } from "../../../provider/rollout/notes.js";
import { eventually, type FrontendProcess, Lab } from "../simulator/fe/lab.js";
import { loopback } from "../starrocks/loopback.js";
import { Keepers } from "./keepers.js";

class LabFrontends extends Frontends {
  override hostOf() {
    return loopback;
  }
}

const contactOf = ({ address }: FrontendProcess, index: number): Contact => ({
  name: `fe-${index + 1}`,
  address,
  role: index === 0 ? "leader" : "follower",
  ports: { http: 8030, rpc: 9020, query: 9030, editLog: 9010 },
  home: "/opt/starrocks/fe",
  metaDir: "/opt/starrocks/fe/meta",
  connection: {},
});

describe("BalancePause", function () {
  this.timeout(60_000);

  let lab: Lab;
  let keepers: Keepers;
  let sessions: Frontends[];
  beforeEach(() => {
    lab = new Lab();
    keepers = new Keepers(3);
    sessions = [];
  });
  afterEach(async () => {
    for (const frontends of sessions) {
      for (const contact of frontends.contacts) {
        frontends.forget(contact);
      }
    }
    await lab.close();
    await keepers.close();
  });

  /** What one process has: its own sessions, and what it was told. */
  const operation = (fes: readonly FrontendProcess[], limit = 20_000) => {
    const frontends = new LabFrontends({
      cluster: "lab",
      contacts: fes.map(contactOf),
      connection: { host: "127.0.0.1" },
      sql: { user: "root" },
      limits: limitsOf({ sql: 2 }),
    });
    sessions.push(frontends);
    const told: string[] = [];
    return { frontends, notes: new Notes(keepers.all), limit, note: (text: string) => told.push(text), told };
  };

  const settingOf = async (fe: FrontendProcess, name: string): Promise<string | undefined> =>
    (await fe.sql(`ADMIN SHOW FRONTEND CONFIG LIKE '${name}'`))[0]?.Value;

  const balanceOf = (fes: readonly FrontendProcess[]): Promise<readonly (string | undefined)[]> =>
    Promise.all(fes.map((fe) => settingOf(fe, "disable_balance")));

  const noted = async (): Promise<unknown> => (await new Notes(keepers.all).read()).balance;

  const restart = async (fe: FrontendProcess, leader: FrontendProcess): Promise<void> => {
    await fe.stop("SIGKILL");
    fe.start();
    await fe.ready();
    await eventually("all alive", async () =>
      (await leader.sql("SHOW FRONTENDS")).every((row) => row.Alive === "true"),
    );
  };

  it("pauses on every FE, and puts back what was there", async () => {
    const fes = await lab.group();
    const mine = operation(fes);
    const pause = new BalancePause({ ...mine, version: "3.5.7" });
    await pause.pause();
    assert.deepEqual(await balanceOf(fes), ["true", "true", "true"]);
    assert.deepEqual(await Promise.all(fes.map((fe) => settingOf(fe, "disable_colocate_balance"))), [
      "true",
      "true",
      "true",
    ]);
    assert.equal(await settingOf(fes[0], "max_scheduling_tablets"), "10000", "repair goes on");
    await pause.restore();
    await pause.restore();
    assert.deepEqual(await balanceOf(fes), ["false", "false", "false"]);
    assert.equal(await noted(), undefined);
    assert.deepEqual(mine.told, [
      "balancing is paused; the cluster's own values: disable_balance = false, disable_colocate_balance = false",
      "balancing goes on with the cluster's own values",
    ]);
  });

  it("leaves the user's own pause as it is", async () => {
    const fe = await lab.found();
    await fe.sql(`ADMIN SET FRONTEND CONFIG ("disable_balance" = "true")`);
    const pause = new BalancePause({ ...operation([fe]), version: "3.5.7" });
    await pause.pause();
    await pause.restore();
    assert.equal(await settingOf(fe, "disable_balance"), "true");
    assert.equal(await settingOf(fe, "disable_colocate_balance"), "false");
  });

  it("pauses again after an FE has restarted, which forgets it and may lead next", async () => {
    const fes = await lab.group();
    const [leader, second, third] = fes;
    const pause = new BalancePause({ ...operation(fes), version: "3.5.7" });
    await pause.pause();
    await restart(second, leader);
    assert.equal(await settingOf(second, "disable_balance"), "false", "the danger that this test is about");
    await pause.reapply();
    assert.equal(await settingOf(second, "disable_balance"), "true");
    await leader.stop("SIGKILL");
    await eventually("a new leader", async () => (await second.sql("SHOW FRONTENDS")).length === 3);
    await pause.reapply();
    assert.deepEqual(await balanceOf([second, third]), ["true", "true"]);
    await pause.restore();
    assert.deepEqual(await balanceOf([second, third]), ["false", "false"]);
  });

  it("restores the leader's values on an FE that restarted with those of its conf file", async () => {
    const fes = await lab.group();
    const [leader, second] = fes;
    await leader.sql(`ADMIN SET FRONTEND CONFIG ("disable_balance" = "true")`);
    const pause = new BalancePause({ ...operation(fes), version: "3.5.7" });
    await pause.pause();
    await restart(second, leader);
    await pause.restore();
    assert.deepEqual(await balanceOf(fes), ["true", "true", "true"]);
  });

  it("takes the error of a line that sets the rest when one FE is down", async () => {
    const fes = await lab.group({ version: "3.3.5" });
    const [leader, second, third] = fes;
    await third.stop("SIGKILL");
    await eventually("its death to be seen", async () =>
      (await leader.sql("SHOW FRONTENDS")).some((row) => row.Alive === "false"),
    );
    await assert.rejects(leader.sql(`ADMIN SET FRONTEND CONFIG ("disable_balance" = "false")`), /failed on/);
    const pause = new BalancePause({ ...operation(fes), version: "3.3.5" });
    await pause.pause();
    assert.deepEqual(await balanceOf([leader, second]), ["true", "true"]);
    await pause.restore();
    assert.deepEqual(await balanceOf([leader, second]), ["false", "false"]);
  });

  it("stops clones too where a restarting BE would set them off", async () => {
    const fe = await lab.found({ version: "2.5.4" });
    await fe.sql(`ADMIN SET FRONTEND CONFIG ("max_scheduling_tablets" = "1234")`);
    const pause = new BalancePause({ ...operation([fe]), version: "2.5.4" });
    await pause.pause();
    const scheduling = (): Promise<readonly (string | undefined)[]> =>
      Promise.all(["max_scheduling_tablets", "max_balancing_tablets"].map((name) => settingOf(fe, name)));
    assert.deepEqual(await scheduling(), ["0", "0"]);
    await pause.allowRepair();
    assert.deepEqual(await scheduling(), ["1234", "0"]);
    await pause.reapply();
    assert.deepEqual(await scheduling(), ["0", "0"]);
    await pause.restore();
    assert.deepEqual(await scheduling(), ["1234", "500"]);
  });

  it("is undone by the next operation when this one is killed, whatever it had come to", async () => {
    const fe = await lab.found();
    await fe.sql(`ADMIN SET FRONTEND CONFIG ("disable_colocate_balance" = "true")`);
    // Killed between the note and the first value.
    const early = operation([fe]);
    const killed = new BalancePause({ ...early, version: "3.5.7" });
    const through = early.frontends.through.bind(early.frontends);
    let sets = 0;
    early.frontends.through = async (contact) => {
      const sql = await through(contact);
      return {
        ...sql,
        name: sql.name,
        close: () => sql.close(),
        query: (statement, values, limit) => {
          if (statement.startsWith("ADMIN SET")) {
            sets += 1;
            throw new Error("killed");
          }
          return sql.query(statement, values, limit);
        },
      };
    };
    await assert.rejects(killed.pause(), /killed/);
    assert.equal(sets, 1);
    assert.equal(await settingOf(fe, "disable_balance"), "false");
    assert.notEqual(await noted(), undefined);
    // The next one is killed when all was set: it must not take the values of the pause for the user's.
    await new BalancePause({ ...operation([fe]), version: "3.5.7" }).pause();
    await new BalancePause({ ...operation([fe]), version: "3.5.7" }).pause();
    assert.equal(await settingOf(fe, "disable_balance"), "true");
    const next = operation([fe]);
    const recovery = await BalancePause.recover(next);
    assert.match(
      recovery.mark === "restored" ? recovery.text : recovery.mark,
      /^restored disable_balance = false, disable_colocate_balance = true, as an interrupted operation/,
    );
    assert.equal(await settingOf(fe, "disable_balance"), "false");
    assert.equal(await noted(), undefined);
    assert.deepEqual(await BalancePause.recover(next), { mark: "nothing" });
    assert.equal(next.told.length, 1);
  });

  it("keeps the note while no FE answers", async () => {
    const fe = await lab.found();
    const pause = new BalancePause({ ...operation([fe], 500), version: "3.5.7" });
    await pause.pause();
    await fe.stop("SIGKILL");
    assert.deepEqual(await BalancePause.recover(operation([fe])), { mark: "left" });
    await assert.rejects(
      pause.restore(),
      /could not be restored \(disable_balance = false.*next operation on this cluster restores/s,
    );
    assert.notEqual(await noted(), undefined);
  });

  it("changes nothing that it could not note", async () => {
    const fe = await lab.found();
    const [first, second] = keepers.all;
    assert(first && second);
    first.cut = true;
    second.cut = true;
    const pause = new BalancePause({ ...operation([fe]), version: "3.5.7" });
    await assert.rejects(pause.pause(), /Expected 2 of 3 FE hosts/);
    assert.equal(await settingOf(fe, "disable_balance"), "false");
  });
});
