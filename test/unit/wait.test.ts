import assert from "node:assert/strict";
import { type Look, until } from "../../provider/wait.js";

const pausesOf = async (looks: readonly Look<void>[], every?: number): Promise<readonly number[]> => {
  const times: number[] = [];
  await until(
    async () => {
      times.push(performance.now());
      return looks[times.length - 1] ?? { done: true, value: undefined };
    },
    { what: "the end", limit: 60_000, ...(every !== undefined && { every }) },
  );
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
};

const notYet: Look<void> = { done: false, seen: "nothing" };

describe("until", () => {
  it("looks often at first, and less often the longer it takes", async () => {
    const pauses = await pausesOf(Array.from({ length: 12 }, () => notYet));
    assert.ok((pauses[0] ?? 0) < (pauses.at(-1) ?? 0), pauses.join(", "));
  });

  it("looks as often as it is told to", async () => {
    const pauses = await pausesOf([notYet, notYet], 200);
    assert.ok(
      pauses.every((pause) => pause >= 195),
      pauses.join(", "),
    );
  });

  it("looks soon again at what need only be seen again", async () => {
    const [pause = 0] = await pausesOf([{ ...notYet, soon: true }], 60_000);
    assert.ok(pause < 30_000);
  });

  it("counts from the last look at which something moved, as its limit is for a standstill", async () => {
    const left = Array.from({ length: 6 }, () => ({ ...notYet, moves: true }));
    const look = async (): Promise<Look<void>> => left.pop() ?? { done: true, value: undefined };
    await until(look, { what: "the end", limit: 20, every: 10 });
  });

  it("fails at its limit when nothing moves any more", async () => {
    const left = Array.from({ length: 3 }, () => ({ ...notYet, moves: true }));
    const wait = until(async () => left.pop() ?? notYet, { what: "Godot", limit: 20, every: 10 });
    await assert.rejects(wait, { message: "Waited 0 s for Godot; last seen: nothing." });
    assert.deepEqual(left, []);
  });

  it("fails at its limit, and says what was wanted and what was last seen", async () => {
    const wait = until(async () => notYet, { what: "Godot", limit: 20, advice: "Go home." });
    await assert.rejects(wait, { message: "Waited 0 s for Godot; last seen: nothing. Go home." });
  });
});
