import assert from "node:assert/strict";
import { Memo } from "../../../provider/rollout/memo.js";

describe("Memo", () => {
  it("finds a thing out once, also for those that ask meanwhile", async () => {
    const memo = new Memo<number>();
    let asked = 0;
    const find = async (): Promise<number> => {
      asked += 1;
      return asked;
    };
    assert.deepEqual(await Promise.all([memo.get("a", find), memo.get("a", find)]), [1, 1]);
    assert.equal(await memo.get("a", find), 1);
    assert.equal(await memo.get("b", find), 2);
  });

  it("asks again for what could not be found out", async () => {
    const memo = new Memo<string>();
    await assert.rejects(
      memo.get("a", async () => {
        throw new Error("gone");
      }),
      /gone/,
    );
    assert.equal(await memo.get("a", async () => "there"), "there");
    const silent = new Memo<string | undefined>();
    assert.equal(await silent.get("a", async () => undefined), undefined);
    assert.equal(await silent.get("a", async () => "there"), "there");
  });
});
