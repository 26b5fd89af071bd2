import assert from "node:assert/strict";
import { Mutex } from "../../../provider/rollout/mutex.js";

const soon = () => new Promise((resolve) => setImmediate(resolve));

describe("Mutex", () => {
  it("runs one piece of work after the other, in the order in which they came", async () => {
    const mutex = new Mutex();
    const log: string[] = [];
    await Promise.all(
      ["a", "b", "c"].map((name) =>
        mutex.run(async () => {
          log.push(`${name} begins`);
          await soon();
          log.push(`${name} ends`);
        }),
      ),
    );
    assert.deepEqual(log, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  it("gives each its own result, and goes on after a failure", async () => {
    const mutex = new Mutex();
    const results = await Promise.allSettled([
      mutex.run(async () => 1),
      mutex.run(() => Promise.reject(new Error("lock taken"))),
      mutex.run(async () => 3),
    ]);
    assert.deepEqual(
      results.map((result) => (result.status === "fulfilled" ? result.value : (result.reason as Error).message)),
      [1, "lock taken", 3],
    );
  });
});
