import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { makeClaim, readClaim } from "../../../provider/host/claims.js";
import { ownerOf } from "../../../provider/plan/lease.js";
import { acquireLease, type Lease } from "../../../provider/rollout/lease.js";
import type { Keeper } from "../../../provider/rollout/majority.js";
import { isDeadHere, ownerHere } from "../../../provider/rollout/owner.js";
import { eventually } from "../simulator/fe/lab.js";
import { Keepers, type TestKeeper } from "./keepers.js";

describe("Lease", () => {
  let keepers: Keepers;
  let leases: Lease[];
  beforeEach(() => {
    keepers = new Keepers(3);
    leases = [];
  });
  afterEach(async () => {
    await Promise.all(leases.map((lease) => lease.release()));
    await keepers.close();
  });

  interface Wish {
    readonly hosts?: readonly Keeper[];
    readonly ttl?: number;
    readonly limit?: number;
    readonly report?: (seen: string) => void;
    readonly note?: (text: string) => void;
  }

  const acquire = async (what: string, { hosts = keepers.all, ttl = 60, limit = 0, report, note }: Wish = {}) => {
    const owner = ownerHere(what);
    const more = { ...(report && { report }), ...(note && { note }) };
    const lease = await acquireLease({ hosts, owner, ttlSeconds: ttl, limit, ...more });
    leases.push(lease);
    return lease;
  };

  /** Another operator's way to the same hosts. */
  const elsewhere = (count = 3): readonly TestKeeper[] =>
    Array.from({ length: count }, (_, index) => keepers.keeper(`fe-${index + 1}`));

  const cut = (hosts: readonly TestKeeper[], ...indexes: readonly number[]): void => {
    for (const [index, keeper] of hosts.entries()) {
      keeper.cut = indexes.includes(index);
    }
  };

  const at = (index: number): TestKeeper => {
    const keeper = keepers.all[index];
    assert(keeper);
    return keeper;
  };

  /** Takes as long as a few commands. */
  const work = async (): Promise<void> => {
    const { host, folder } = at(0);
    await readClaim(host, folder);
    await readClaim(host, folder);
  };

  it("is had where nothing was ever installed, and given back", async () => {
    const lease = await acquire("stack dev");
    lease.assertHeld();
    await lease.release();
    await lease.release();
    assert.throws(() => lease.assertHeld(), /was lost: it was given back/);
    (await acquire("stack prod")).assertHeld();
  });

  it("keeps a second operator out, and tells who has it since when", async () => {
    await acquire("stack dev");
    await assert.rejects(
      acquire("stack prod"),
      new RegExp(
        `^UserError: Waited 0 s for the right to change this cluster.*: .*@.* \\(process ${process.pid}, stack dev\\) since 20..-..-..T..:..:..Z is changing this cluster\\. Nothing was touched`,
      ),
    );
  });

  it("lets the second operator wait", async () => {
    const first = await acquire("stack dev");
    const seen: string[] = [];
    const second = acquire("stack prod", { limit: 20_000, report: (text) => seen.push(text) });
    await eventually("the second to wait", async () => seen.length > 0);
    await first.release();
    (await second).assertHeld();
    assert.match(seen.join(), /stack dev/);
  });

  it("goes to exactly one of many who come at once", async () => {
    for (let round = 0; round < 3; round += 1) {
      let holders = 0;
      const most: number[] = [];
      const contender = async (name: string): Promise<void> => {
        const lease = await acquire(name, { hosts: elsewhere(), limit: 60_000 });
        holders += 1;
        most.push(holders);
        await work();
        lease.assertHeld();
        holders -= 1;
        await lease.release();
      };
      await Promise.all(["a", "b", "c", "d"].map(contender));
      assert.deepEqual(most, [1, 1, 1, 1]);
    }
  }).timeout(120_000);

  it("goes to one of two who each miss another host", async () => {
    let holders = 0;
    const most: number[] = [];
    const contender = async (name: string, missing: number): Promise<void> => {
      const hosts = elsewhere();
      cut(hosts, missing);
      const lease = await acquire(name, { hosts, limit: 60_000 });
      holders += 1;
      most.push(holders);
      await work();
      lease.assertHeld();
      holders -= 1;
      await lease.release();
    };
    await Promise.all([contender("a", 0), contender("b", 1), contender("c", 2)]);
    assert.deepEqual(most, [1, 1, 1]);
  }).timeout(60_000);

  it("is refused to one of two programs that declare different FEs", async () => {
    await keepers.close();
    keepers = new Keepers(5);
    await acquire("three FEs", { hosts: keepers.all.slice(0, 3) });
    await assert.rejects(acquire("five FEs", { hosts: elsewhere(5) }), /three FEs/);
  });

  it("is given to one contender per generation of a host's claim", async () => {
    const { host, folder } = at(0);
    const claims = Array.from({ length: 12 }, (_, index) => ({
      generation: 0,
      lifetime: 1000,
      text: `{"n":${index}}`,
    }));
    const results = await Promise.all(claims.map((claim) => makeClaim(host, folder, claim)));
    assert.equal(results.filter(({ won }) => won).length, 1);
    const { text } = await readClaim(host, folder);
    assert(results.every((result) => result.text === text));
  });

  it("is not had by a contender whose knowledge is old", async () => {
    const { host, folder } = at(0);
    const old = { generation: 0, lifetime: 60_000, text: "{}" };
    for (let generation = 0; generation < 12; generation += 1) {
      assert.equal((await makeClaim(host, folder, { ...old, generation })).won, true);
    }
    const late = await makeClaim(host, folder, old);
    assert.deepEqual([late.won, late.generation], [false, 12]);
    // Number 1 was removed long ago, so the late one's link could be made; it is not the newest.
    assert.equal((await readClaim(host, folder)).generation, 12);
  });

  it("is renewed while its owner lives", async () => {
    const lease = await acquire("stack dev", { ttl: 0.6 });
    const { host, folder } = at(0);
    await eventually("three renewals", async () => (await readClaim(host, folder)).generation > 3);
    lease.assertHeld();
    await assert.rejects(acquire("stack prod", { ttl: 0.6 }), /stack dev/);
  });

  it("works with one FE host, and with a minority away", async () => {
    cut(keepers.all, 1);
    const lease = await acquire("stack dev");
    lease.assertHeld();
    cut(keepers.all, 0);
    await assert.rejects(acquire("stack prod"), /stack dev/);
    cut(keepers.all);
    const alone = await acquire("one FE", { hosts: [keepers.keeper("other")] });
    alone.assertHeld();
  });

  it("is not had without a majority, and names the hosts", async () => {
    cut(keepers.all, 0, 2);
    await assert.rejects(
      acquire("stack dev", { limit: 60_000 }),
      /Expected 2 of 3 FE hosts to tell who is changing this cluster, but only 1 could.*\nFE fe-1: fe-1: connection refused\nFE fe-3/s,
    );
    cut(keepers.all);
    (await acquire("stack prod")).assertHeld();
  });

  it("leaves nothing behind where hosts go away while it is taken", async () => {
    const hosts = elsewhere();
    let calls = 0;
    const [first, ...rest] = hosts;
    assert(first);
    first.before = async () => {
      calls += 1;
      if (calls === 2) {
        cut(hosts, 1, 2);
      }
    };
    await assert.rejects(acquire("stack dev", { hosts }), /Expected 2 of 3 FE hosts to keep the lease/);
    assert.equal(rest.length, 2);
    (await acquire("stack prod")).assertHeld();
  });

  it("is lost when a majority cannot be reached any more, before another one can have it", async () => {
    const hosts = elsewhere();
    const lease = await acquire("stack dev", { hosts, ttl: 0.9 });
    cut(hosts, 0, 1);
    let overlapped = false;
    const other = acquire("stack prod", { ttl: 60, limit: 20_000 }).then((had) => {
      try {
        lease.assertHeld();
        overlapped = true;
      } catch {
        // As it should be: lost before the other one had it.
      }
      return had;
    });
    await other;
    assert.equal(overlapped, false);
    cut(hosts);
    assert.throws(() => lease.assertHeld(), /The right to change this cluster was lost: .*run `pulumi up` again/);
  });

  it("tells who took it", async () => {
    const lease = await acquire("stack dev", { ttl: 0.9 });
    for (const { host, folder } of keepers.all.slice(0, 2)) {
      const text = JSON.stringify({ ...ownerHere("stack prod"), user: "ben" });
      const { generation } = await readClaim(host, folder);
      await makeClaim(host, folder, { generation, lifetime: 60_000, text });
    }
    await eventually("the loss", async () => {
      try {
        lease.assertHeld();
        return false;
      } catch (error) {
        return /was lost: ben@.*stack prod/.test(String(error));
      }
    });
    const { host, folder } = at(0);
    await lease.release();
    const kept = await readClaim(host, folder);
    assert.equal(ownerOf(kept)?.what, "stack prod", "another one's claim is not given back");
  });

  it("passes from a killed operator when it expires", async () => {
    const { host, folder } = at(0);
    const text = JSON.stringify({ ...ownerHere("stack dev"), place: "another machine" });
    await makeClaim(host, folder, { generation: 0, lifetime: 700, text });
    await assert.rejects(acquire("stack prod"), /stack dev/);
    (await acquire("stack prod", { limit: 20_000 })).assertHeld();
  });

  describe("where a host's clock was a day ahead when it was claimed", () => {
    const day = 86_400_000;
    const gone = JSON.stringify({ ...ownerHere("stack dev"), place: "another machine", lifetime: 2000 });

    it("passes from an operator who is gone once nobody has renewed the claim in time, and says so", async () => {
      const { host, folder } = at(1);
      await makeClaim(host, folder, { generation: 0, lifetime: day, text: gone });
      const [seen, notes]: [string[], string[]] = [[], []];
      const wish = {
        limit: 30_000,
        report: (text: string) => seen.push(text),
        note: (text: string) => notes.push(text),
      };
      (await acquire("stack prod", wish)).assertHeld();
      assert.match(seen[0] ?? "", /stack dev.* on FE fe-2 lasts longer than a lease can/);
      assert.match(notes.join(), /^The claim of .*stack dev.* on FE fe-2 was taken for expired/);
    });

    it("is not had while the claim is renewed, however far its end", async () => {
      const { host, folder } = at(1);
      let [generation, stop] = [0, false];
      const renewing = (async () => {
        while (!stop) {
          await makeClaim(host, folder, { generation, lifetime: day, text: gone });
          generation += 1;
        }
      })();
      await eventually("the first claim", async () => generation > 0);
      try {
        await assert.rejects(acquire("stack prod", { limit: 5000 }), /stack dev/);
      } finally {
        stop = true;
        await renewing;
      }
    });
  });

  it("tells a contender in vain which claim keeps it out, until when, and what to do", async () => {
    await acquire("stack dev");
    await assert.rejects(acquire("stack prod"), (error: unknown) => {
      const way =
        /It is kept out by \S+\/fe-1\/state\/cluster\/claim\.1 on FE fe-1, which ends by itself at 20\S+Z by that host's clock unless its operator renews it\./;
      assert.match(String(error), way);
      return true;
    });
    await keepers.close();
    keepers = new Keepers(1);
    const { host, folder } = at(0);
    await makeClaim(host, folder, { generation: 0, lifetime: 86_400_000, text: "{}" });
    await assert.rejects(
      acquire("stack prod"),
      /claim\.1 on FE fe-1, which ends by itself at .*If its operator is certainly gone, remove \S+\/claim\.\* there\./,
    );
  });

  it("passes at once from a process of this machine that is dead", async function () {
    if (process.platform !== "linux") {
      this.skip();
    }
    const child = spawn("sleep", ["60"]);
    const pid = child.pid ?? 0;
    const { started: _ours, ...owner } = ownerHere("stack dev");
    const started = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[21] ?? "";
    const theirs = { ...owner, pid, started };
    assert.equal(isDeadHere(theirs), false);
    for (const { host, folder } of keepers.all) {
      await makeClaim(host, folder, { generation: 0, lifetime: 60_000, text: JSON.stringify(theirs) });
    }
    await assert.rejects(acquire("stack prod"), /stack dev/);
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    (await acquire("stack prod")).assertHeld();
  });
});
