import assert from "node:assert/strict";
import { RefusedTurn, type TurnOptions, Turnstile } from "../../../provider/rollout/turnstile.js";
import { WaitError } from "../../../provider/wait.js";

const nobody = async (): Promise<readonly string[]> => [];

const turn = (position: number, options: Partial<TurnOptions> = {}): TurnOptions => ({
  node: `BE be-${position}`,
  row: `BE 10.0.0.2${position}:9050`,
  position,
  down: nobody,
  limit: 5000,
  ...options,
});

/** A promise that a test settles. */
const signal = <T = void>() => {
  let settle: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
};

/** A node that waits, and what it saw while it did. */
const waiting = (turnstile: Turnstile, options: TurnOptions) => {
  const first = signal();
  const seen: string[] = [];
  const entered = turnstile.enter({
    ...options,
    onProgress: (text) => {
      seen.push(text);
      first.settle();
    },
  });
  return { entered, seen, waits: first.promise };
};

describe("Turnstile", () => {
  for (const width of [1, 2, 3]) {
    it(`lets at most ${width} in, and as many`, async () => {
      const turnstile = new Turnstile(width);
      let inside = 0;
      let most = 0;
      await Promise.all(
        [1, 2, 3, 4, 5].map(async (position) => {
          const leave = await turnstile.enter(turn(position));
          inside += 1;
          most = Math.max(most, inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
          leave();
        }),
      );
      assert.equal(most, width);
    });
  }

  it("gives the next turn to the lowest position among those waiting, and says who is before", async () => {
    const turnstile = new Turnstile(1);
    const leave = await turnstile.enter(turn(7));
    const order: string[] = [];
    const waiters = [3, 1, 2].map((position) => {
      const waiter = waiting(turnstile, turn(position));
      const done = waiter.entered.then((out) => {
        order.push(`be-${position}`);
        out();
      });
      return { ...waiter, done };
    });
    await Promise.all(waiters.map(({ waits }) => waits));
    assert.match(waiters[1]?.seen[0] ?? "", /^waiting for its turn: BE be-7(, BE be-3)? first$/);
    leave();
    await Promise.all(waiters.map(({ done }) => done));
    assert.deepEqual(order, ["be-1", "be-2", "be-3"]);
  });

  it("does not wait for a node of a lower position that has not come", async () => {
    const turnstile = new Turnstile(1);
    (await turnstile.enter(turn(5)))();
    (await turnstile.enter(turn(1)))();
  });

  it("counts nodes that others have stopped, names them, and goes on when they are back", async () => {
    const turnstile = new Turnstile(1);
    const answers = [["BE 10.0.0.29:9050"], []];
    const waiter = waiting(turnstile, turn(1, { down: async () => answers.shift() ?? [] }));
    await waiter.entered;
    assert.deepEqual(waiter.seen, ["waiting for its turn: BE 10.0.0.29:9050 down"]);
  });

  it("does not count a node that is inside a second time when the cluster sees it down", async () => {
    const turnstile = new Turnstile(2);
    const first = turn(1);
    await turnstile.enter(first);
    const second = waiting(turnstile, turn(2, { down: async () => [first.row] }));
    (await second.entered)();
    assert.deepEqual(second.seen, []);
  });

  it("counts both: who is inside and who is down", async () => {
    const turnstile = new Turnstile(2);
    await turnstile.enter(turn(1));
    const down = async () => ["BE 10.0.0.29:9050"];
    await assert.rejects(turnstile.enter(turn(2, { down, limit: 1 })), WaitError);
  });

  it("says at its limit what was last seen, that nothing was touched, and what to do", async () => {
    const turnstile = new Turnstile(1);
    const down = async () => ["BE 10.0.0.29:9050"];
    await assert.rejects(turnstile.enter(turn(1, { down, limit: 1 })), (error: Error) => {
      assert.match(
        error.message,
        /^Waited 0 s for the turn of BE be-1; last seen: .*BE 10\.0\.0\.29:9050 down\. It was not touched\./,
      );
      assert.match(error.message, /run `pulumi up` again/);
      return true;
    });
    // Its place in the queue is free: the next one goes in.
    (await turnstile.enter(turn(2)))();
  });

  describe("at a limit that all turns together exceed", () => {
    /** Longer than the limit, in which those that wait look a few times. */
    const longer = (limit: number) => new Promise((resolve) => setTimeout(resolve, 3 * limit));

    it("lets three waves in, one after the other, with a pause between them that is longer, too", async () => {
      const limit = 40;
      const turnstile = new Turnstile(2, 3 * limit);
      const order: number[] = [];
      await Promise.all(
        [1, 2, 3, 4, 5, 6].map(async (position) => {
          const wave = Math.ceil(position / 2);
          const leave = await turnstile.enter(turn(position, { wave, limit }));
          order.push(wave);
          await longer(limit);
          leave();
        }),
      );
      assert.deepEqual(order, [1, 1, 2, 2, 3, 3]);
    });

    it("fails where a node that is down stands in the way, and not those behind it", async () => {
      const turnstile = new Turnstile(1);
      const leave = await turnstile.enter(turn(1));
      const first = turnstile.enter(turn(2, { down: async () => ["BE 10.0.0.29:9050"], limit: 40 }));
      const behind = turnstile.enter(turn(3, { limit: 1 }));
      await Promise.race([longer(40), first, behind]);
      leave();
      await assert.rejects(first, /^UserError: Waited 0 s for the turn of BE be-2; .*BE 10\.0\.0\.29:9050 down\./);
      (await behind)();
    });

    it("starts again when a node comes out", async () => {
      const turnstile = new Turnstile(3);
      const leaves = [await turnstile.enter(turn(1)), await turnstile.enter(turn(2))];
      const down = ["BE 10.0.0.27:9050", "BE 10.0.0.28:9050", "BE 10.0.0.29:9050"];
      const waiter = waiting(turnstile, turn(3, { down: async () => down, limit: 600 }));
      await waiter.waits;
      for (const leave of leaves) {
        await longer(100);
        leave();
      }
      await longer(100);
      down.pop();
      (await waiter.entered)();
    });
  });

  it("loses no turn when the cluster cannot be asked", async () => {
    const turnstile = new Turnstile(1);
    const down = () => Promise.reject(new Error("host key changed"));
    await assert.rejects(turnstile.enter(turn(1, { down })), /host key changed/);
    const leave = await turnstile.enter(turn(2));
    leave();
    (await turnstile.enter(turn(1)))();
  });

  it("may be left twice", async () => {
    const turnstile = new Turnstile(1);
    const leave = await turnstile.enter(turn(1));
    leave();
    leave();
    (await turnstile.enter(turn(2)))();
  });
});

describe("a closed Turnstile", () => {
  it("refuses those that wait and those that come, with one short line, for the first reason", async () => {
    const turnstile = new Turnstile(1);
    await turnstile.enter(turn(1));
    const waiter = waiting(turnstile, turn(2));
    await waiter.waits;
    turnstile.close("BE be-1 failed");
    turnstile.close("BE be-9 failed");
    await assert.rejects(waiter.entered, new RefusedTurn("BE be-2", "BE be-1 failed"));
    await assert.rejects(turnstile.enter(turn(3)), (error: Error) => {
      assert.equal(error.message, "BE be-3 was not touched: BE be-1 failed");
      assert.equal(error.stack, "");
      return true;
    });
    assert.equal(turnstile.closed, "BE be-1 failed");
    assert.throws(() => turnstile.assertOpen("FE fe-1"), /^UserError: FE fe-1 was not touched: BE be-1 failed$/);
  });

  it("refuses a node for which the cluster was being asked when another one failed", async () => {
    const turnstile = new Turnstile(2);
    const down = async () => {
      turnstile.close("BE be-1 failed");
      return [];
    };
    await assert.rejects(turnstile.enter(turn(2, { down })), RefusedTurn);
  });
});

describe("Turnstile, of nodes that have died since one came in", () => {
  const other = "BE 10.0.0.29:9050";
  const inside = async (width: number): Promise<Turnstile> => {
    const turnstile = new Turnstile(width);
    await waiting(turnstile, turn(1)).entered;
    return turnstile;
  };

  it("has no room for one more than may be down", async () => {
    for (const [width, down] of [
      [1, `${other} down`],
      [2, undefined],
    ] as const) {
      const turnstile = await inside(width);
      const [row = ""] = turnstile.rows;
      assert.equal(turnstile.tooMany(row, [other]), down);
    }
  });

  it("counts one that never came in, as it was found down, beside those inside and those that died", async () => {
    const [row = ""] = (await inside(1)).rows;
    assert.equal(new Turnstile(1).tooMany(row, [other]), `${other} down`);
    assert.equal(new Turnstile(1).tooMany(row, []), undefined);
    const turnstile = await inside(1);
    assert.equal(turnstile.tooMany(other, []), `${row} down`);
  });

  it("counts those that are inside once, and none of another rack beside them", async () => {
    const turnstile = await inside(2);
    const [row = ""] = turnstile.rows;
    assert.equal(turnstile.tooMany(row, [row, other]), undefined);
    assert.equal(
      turnstile.tooMany(row, [other], (name) => name === other),
      `${other} down, in another rack`,
    );
  });
});

describe("Turnstile, of nodes in racks", () => {
  it("lets no node in while one of another rack is down, however many may be", async () => {
    const turnstile = new Turnstile(2);
    const answers = [["BE 10.0.0.29:9050"], []];
    const apart = (row: string): boolean => row === "BE 10.0.0.29:9050";
    const waiter = waiting(turnstile, turn(1, { apart, down: async () => answers.shift() ?? [] }));
    (await waiter.entered)();
    assert.deepEqual(waiter.seen, ["waiting for its turn: BE 10.0.0.29:9050 down, in another rack"]);
  });

  it("counts one of its own rack that is down as one of those that may be", async () => {
    const turnstile = new Turnstile(2);
    const waiter = waiting(turnstile, turn(1, { apart: () => false, down: async () => ["BE 10.0.0.29:9050"] }));
    (await waiter.entered)();
    assert.deepEqual(waiter.seen, []);
  });
});
