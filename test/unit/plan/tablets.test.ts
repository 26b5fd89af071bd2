import assert from "node:assert/strict";
import {
  describeRisks,
  describeUnavoidable,
  judgeStop,
  losesAnyway,
  neededReplicas,
  notCaughtUp,
  notElsewhere,
  notWhole,
} from "../../../provider/plan/tablets.js";
import type { Declared, Tablet, WriteQuorum } from "../../../provider/starrocks/tablet.js";

const declared = (replicationNum: number, writeQuorum: WriteQuorum = "MAJORITY"): Declared => ({
  replicationNum,
  writeQuorum,
});

/** Replicas as text: `1 2 3!` lie on the BEs 1, 2 and 3, the last one not sound. */
const tablet = (replicas: string, of: Declared = declared(3), id = "10123", table = "sales.orders"): Tablet => ({
  id,
  table,
  declared: of,
  replicas: replicas
    .split(" ")
    .filter(Boolean)
    .map((text) => ({ backendId: text.replace("!", ""), sound: !text.endsWith("!") })),
});

const out = (leaving: string, down = "") => ({
  leaving: new Set(leaving.split(" ")),
  down: new Set(down.split(" ").filter(Boolean)),
});

describe("tablets", () => {
  const needs: [Declared, number, string | undefined][] = [
    [declared(1), 0, "reads and writes"],
    [declared(2), 1, "writes"],
    [declared(2, "ONE"), 1, undefined],
    [declared(3), 2, undefined],
    [declared(3, "ONE"), 1, undefined],
    [declared(3, "ALL"), 2, "writes"],
    [declared(4), 3, undefined],
    [declared(5), 3, undefined],
    [declared(5, "ALL"), 4, "writes"],
  ];
  for (const [of, needed, loses] of needs) {
    it(`of R=${of.replicationNum} and quorum ${of.writeQuorum} need ${needed} replicas and lose ${loses ?? "nothing"}`, () => {
      assert.equal(neededReplicas(of), needed);
      assert.equal(losesAnyway(of), loses);
    });
  }

  const waits: [string, Tablet, ReturnType<typeof out>, boolean][] = [
    ["all replicas are well", tablet("1 2 3"), out("1"), false],
    ["one elsewhere is behind", tablet("1 2 3!"), out("1"), true],
    ["the only sound one is here", tablet("1 2! 3!"), out("1"), true],
    ["two are missing, and the one there is lies here", tablet("1"), out("1"), true],
    ["the one here is not sound: nothing is lost", tablet("1! 2 3"), out("1"), false],
    ["none lies here, however bad it is", tablet("2 3!"), out("1"), false],
    ["another BE is down, whatever is said of it", tablet("1 2 3"), out("1", "3"), true],
    ["this BE is down already", tablet("1 2 3"), out("1", "1"), false],
    ["two BEs of one tablet leave at once", tablet("1 2 3"), out("1 2"), true],
    ["two BEs of different tablets leave at once", tablet("1 3 4"), out("1 2"), false],
    ["a spare replica makes up for the one behind", tablet("1 2 3! 4"), out("1"), false],
    ["five replicas, two behind", tablet("1 2 3 4! 5!", declared(5)), out("1"), true],
    ["five replicas, one behind", tablet("1 2 3 4 5!", declared(5)), out("1"), false],
    ["one replica cannot be better", tablet("1", declared(1)), out("1"), false],
    ["the other of two is behind", tablet("1 2!", declared(2)), out("1"), true],
    ["two replicas cannot be better", tablet("1 2", declared(2)), out("1"), false],
  ];
  for (const [when, one, outage, waiting] of waits) {
    it(`${waiting ? "wait" : "do not wait"} when ${when}`, () => {
      assert.equal(judgeStop([one], outage).waiting.length > 0, waiting);
    });
  }

  it("count what cannot be better by table", () => {
    const tablets = [
      tablet("1", declared(1), "1", "d.log"),
      tablet("1", declared(1), "2", "d.log"),
      tablet("2", declared(1), "3", "d.log"),
      tablet("1 2 3", declared(3, "ALL"), "4", "d.strict"),
    ];
    const { waiting, unavoidable } = judgeStop(tablets, out("1"));
    assert.deepEqual(waiting, []);
    assert.equal(
      describeUnavoidable(unavoidable),
      "d.log: 2 tablets (replication_num 1) lose reads and writes; d.strict: 1 tablet (replication_num 3, write_quorum ALL) loses writes",
    );
  });

  it("are named with their state, by table", () => {
    const tablets = [tablet("1 2 3!"), tablet("1 2 3!", declared(3), "10125"), tablet("1", declared(3), "7", "a.b")];
    assert.equal(
      describeRisks(judgeStop(tablets, out("1")).waiting),
      "sales.orders: tablets 10123, 10125 (2 of 3 replicas healthy); a.b: tablet 7 (1 of 3 replicas healthy)",
    );
  });

  it("are counted where there are many", () => {
    const many = Array.from({ length: 100_000 }, (_, index) => tablet("1 2!", declared(3), String(index), "d.t"));
    const text = describeRisks(judgeStop(many, out("1")).waiting);
    assert.equal(text, "d.t: tablets 0, 1, 2, 3, 4 and 99995 more (1 of 3 replicas healthy)");
  });

  const kept: [string, Tablet, string, boolean][] = [
    ["both others are well", tablet("1 2 3"), "", true],
    ["one other is behind", tablet("1 2 3!"), "", false],
    ["one other is down", tablet("1 2 3"), "3", false],
    ["it is the only one", tablet("1", declared(1)), "", false],
    ["the other of two is well", tablet("1 2", declared(2)), "", true],
    ["it lies elsewhere anyway", tablet("2! 3!"), "", true],
    ["the one here is broken and the others are not", tablet("1! 2 3"), "", true],
  ];
  for (const [when, one, down, safe] of kept) {
    it(`${safe ? "may" : "must not"} lose a BE's data for good when ${when}`, () => {
      const risks = notElsewhere([one], "1", new Set(down.split(" ").filter(Boolean)));
      assert.equal(risks.length === 0, safe);
    });
  }

  it("have caught up on a BE when its own replicas are sound, whatever others are", () => {
    assert.deepEqual(notCaughtUp([tablet("1 2! 3")], "1"), []);
    assert.equal(notCaughtUp([tablet("1! 2 3")], "1").length, 1);
  });

  it("are whole again with as many sound replicas as declared, wherever they lie; others are not asked for", () => {
    const which = (of: Tablet, down = ""): number =>
      notWhole([of], new Set(down.split(" ").filter(Boolean)), new Set(["10123"])).length;
    assert.equal(which(tablet("2 3 4")), 0);
    assert.equal(which(tablet("2 3")), 1);
    assert.equal(which(tablet("2 3 4!")), 1);
    assert.equal(which(tablet("2 3 4"), "4"), 1);
    assert.equal(which(tablet("2 3", declared(2))), 0);
    assert.equal(which(tablet("2", declared(3), "10124")), 0);
  });
});
