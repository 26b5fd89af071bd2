import assert from "node:assert/strict";
import { Slots } from "../../../provider/host/slots.js";

/** Takes a slot and notes when it was granted. */
const taker = async (slots: Slots, order: number[], id: number) => {
  const release = await slots.acquire();
  order.push(id);
  return release;
};

describe("Slots", () => {
  it("grants no more than its limit, first come first served", async () => {
    const slots = new Slots(2);
    const order: number[] = [];
    const takers = [1, 2, 3, 4].map((id) => taker(slots, order, id));
    const [first, second] = await Promise.all(takers.slice(0, 2));
    assert.deepEqual(order, [1, 2]);
    second?.();
    await takers[2];
    assert.deepEqual(order, [1, 2, 3]);
    first?.();
    await takers[3];
    assert.deepEqual(order, [1, 2, 3, 4]);
    assert.equal(slots.inUse, 2);
  });

  it("takes a slot back once", async () => {
    const slots = new Slots(1);
    const release = await slots.acquire();
    release();
    release();
    assert.equal(slots.inUse, 0);
  });

  it("shrinks to what is in use, and never to nothing", async () => {
    const slots = new Slots(8);
    const release = await slots.acquire();
    slots.shrink();
    const order: number[] = [];
    const waiting = taker(slots, order, 1);
    assert.deepEqual(order, []);
    release();
    (await waiting)();
    slots.shrink();
    (await slots.acquire())();
  });

  it("refuses those who wait and those who come once closed", async () => {
    const slots = new Slots(1);
    await slots.acquire();
    const waiting = assert.rejects(slots.acquire(), /lost/);
    slots.close(new Error("lost"));
    await waiting;
    await assert.rejects(slots.acquire(), /lost/);
  });
});
