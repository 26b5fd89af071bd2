import assert from "node:assert/strict";
import { Downs, type Excuse, unnoticed } from "./downs.js";
import type { NodeName } from "./plan.js";

const nodes: readonly NodeName[] = ["fe1", "fe2", "fe3", "be1", "be2", "be3"];

/** What is down after so many milliseconds, and whom a fault takes down then. */
interface Moment {
  readonly after: number;
  readonly down: readonly NodeName[];
  readonly struck?: NodeName;
  /** A fault begins to take it down again and again. */
  readonly loops?: NodeName;
  /** That is over. */
  readonly healed?: NodeName;
  /** A fault meant it, and hit nothing. */
  readonly missed?: NodeName;
}

interface History {
  readonly what: string;
  readonly maxUnavailable?: number;
  readonly frontends?: number;
  readonly moments: readonly Moment[];
  readonly extra: number;
}

const long = unnoticed + 100;
const short = unnoticed / 2;

const histories: readonly History[] = [
  { what: "one BE down by the operation", moments: [{ after: 100, down: ["be1"] }], extra: 0 },
  { what: "two BEs down by the operation", moments: [{ after: 100, down: ["be1", "be2"] }], extra: 1 },
  {
    what: "two BEs where two may be down",
    maxUnavailable: 2,
    moments: [{ after: 100, down: ["be1", "be2"] }],
    extra: 0,
  },
  {
    what: "a fault that strikes while another BE is down by the operation",
    moments: [
      { after: 100, down: ["be1"] },
      { after: long, down: ["be1", "be2"], struck: "be2" },
      { after: long, down: ["be1", "be2"] },
    ],
    extra: 0,
  },
  {
    what: "a BE that the operation stops long after a fault has taken another one down",
    moments: [
      { after: 100, down: ["be1"], struck: "be1" },
      { after: long, down: ["be1", "be2"] },
    ],
    extra: 1,
  },
  {
    what: "a BE whose stop was decided on when the fault struck",
    moments: [
      { after: 100, down: ["be1"], struck: "be1" },
      { after: short, down: ["be1", "be2"] },
      { after: long, down: ["be1", "be2"] },
    ],
    extra: 0,
  },
  {
    what: "a BE that is stopped when the struck one runs again",
    moments: [
      { after: 100, down: ["be1"], struck: "be1" },
      { after: long, down: [] },
      { after: 100, down: ["be2"] },
    ],
    extra: 0,
  },
  {
    what: "a BE that is stopped besides a struck one where two may be down",
    maxUnavailable: 2,
    moments: [
      { after: 100, down: ["be1"], struck: "be1" },
      { after: long, down: ["be1", "be2"] },
    ],
    extra: 0,
  },
  {
    what: "a node of the other kind",
    moments: [
      { after: 100, down: ["be1"], struck: "be1" },
      { after: long, down: ["be1", "fe2"] },
    ],
    extra: 0,
  },
  {
    what: "a struck BE that runs again, and is then stopped by the operation besides another one",
    moments: [
      { after: 100, down: ["be1"], struck: "be1" },
      { after: long, down: [] },
      { after: long, down: ["be2"] },
      { after: 5000, down: ["be1", "be2"] },
    ],
    extra: 1,
  },
  {
    what: "a struck BE that was not seen down yet, as its process is just ending",
    moments: [
      { after: 100, down: [], struck: "be1" },
      { after: 100, down: ["be1"] },
      { after: short, down: ["be1", "be2"] },
    ],
    extra: 0,
  },
  {
    what: "a BE that is struck once more",
    moments: [
      { after: 100, down: ["be1"], struck: "be1" },
      { after: long, down: [] },
      { after: long, down: ["be2"] },
      { after: 100, down: ["be1", "be2"], struck: "be1" },
    ],
    extra: 0,
  },
  {
    what: "a BE that a fault takes down again and again",
    moments: [
      { after: 100, down: ["be1"], loops: "be1" },
      { after: long, down: [] },
      { after: long, down: ["be2"] },
      { after: 100, down: ["be1", "be2"] },
    ],
    extra: 0,
  },
  {
    what: "a BE that a fault took down again and again, and the operation after the fault",
    moments: [
      { after: 100, down: ["be1"], loops: "be1" },
      { after: long, down: ["be1"], healed: "be1" },
      { after: long, down: [] },
      { after: long, down: ["be1", "be2"] },
    ],
    extra: 1,
  },
  {
    what: "a BE that has not come back since such a fault is over",
    moments: [
      { after: 100, down: [], loops: "be1" },
      { after: long, down: ["be1"], healed: "be1" },
      { after: short, down: ["be1", "be2"] },
    ],
    extra: 0,
  },
  {
    what: "a BE that such a fault never took down",
    moments: [
      { after: 100, down: [], loops: "be1" },
      { after: long, down: [], healed: "be1" },
      { after: long, down: ["be1", "be2"] },
    ],
    extra: 1,
  },
  {
    what: "a BE that a fault did not hit",
    moments: [
      { after: 100, down: [], missed: "be1" },
      { after: 100, down: ["be1", "be2"] },
    ],
    extra: 1,
  },
  {
    what: "one of two FEs, of which the one that is left ends by itself",
    frontends: 2,
    moments: [
      { after: 100, down: ["fe1"], struck: "fe1" },
      { after: long, down: ["fe1", "fe2"] },
    ],
    extra: 0,
  },
];

describe("the nodes that an operation has down", () => {
  for (const { what, moments, extra, frontends = 3, maxUnavailable = 1 } of histories) {
    it(`are ${extra} too many: ${what}`, () => {
      const downs = new Downs({ frontends, maxUnavailable });
      let now = 0;
      let most = 0;
      downs.look(nodes, new Set(nodes), now);
      const excuses = new Map<NodeName, Excuse>();
      for (const { after, down, healed, loops, missed, struck } of moments) {
        now += after;
        if (struck) {
          downs.excuse(struck).struck();
        }
        if (loops) {
          excuses.set(loops, downs.excuse(loops));
        }
        if (healed) {
          excuses.get(healed)?.healed();
        }
        if (missed) {
          downs.excuse(missed).takeBack();
        }
        const running = new Set(nodes.filter((node) => !down.includes(node)));
        most = Math.max(most, ...downs.look(nodes, running, now).map(({ count }) => count));
      }
      assert.equal(most, extra);
    });
  }

  it("are none that a new cluster has not started yet", () => {
    const downs = new Downs({ frontends: 3, maxUnavailable: 1 });
    downs.excuse("be1");
    downs.look(["be1"], new Set(), 0);
    assert.deepEqual(downs.look(["be1", "be2"], new Set(), long), []);
  });
});
