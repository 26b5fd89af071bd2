import assert from "node:assert/strict";
import { TransientError, UserError } from "../../../provider/error.js";
import { type Proven, ProvenNodes } from "../../../provider/rollout/proven.js";
import { Run } from "../../../provider/rollout/run.js";
import { inFolder } from "./items.js";

const node = (name: string, same: Proven["same"], takeBack = async () => `${name} was taken back`): Proven => ({
  node: `BE ${name}`,
  row: `${name}:9050`,
  same,
  takeBack,
});
const lives = async (): Promise<boolean> => true;
const died = async (): Promise<boolean> => false;
const unreachable = (): Promise<boolean> => Promise.reject(new TransientError("connection refused"));

describe("ProvenNodes", () => {
  it("sees who has ended, and who cannot be asked, which is not well", async () => {
    const proven = new ProvenNodes();
    for (const one of [node("be-1", lives), node("be-2", died), node("be-3", unreachable)]) {
      proven.add(one);
    }
    const { ended, unseen } = await proven.look();
    assert.deepEqual(
      ended.map((one) => one.node),
      ["BE be-2"],
    );
    assert.deepEqual(unseen, ["be-3:9050"]);
  });

  it("does not take for dead what its own change stops meanwhile", async () => {
    const proven = new ProvenNodes();
    proven.add(
      node("be-1", async () => {
        proven.remove("BE be-1");
        return false;
      }),
    );
    assert.deepEqual(await proven.look(), { ended: [], unseen: [] });
  });
});

describe("Run.lookBack", () => {
  it("gives the rows that cannot be seen: they count as down", async () => {
    const run = new Run("sr");
    run.proven.add(node("be-1", unreachable));
    assert.deepEqual(await run.lookBack("BE be-2"), ["be-1:9050"]);
    assert.equal(run.backends.closed, undefined);
  });

  it("says so where the dead one cannot even be looked at", () =>
    inFolder(async () => {
      const run = new Run("sr");
      run.proven.add(node("be-1", died, () => Promise.reject(new UserError("connection refused"))));
      await assert.rejects(
        run.lookBack("BE be-2"),
        /^UserError: BE be-2 was not touched: BE be-1 was proven, and its process has ended since\. It is left as it is: connection refused\n/,
      );
      assert.equal(run.backends.closed, "BE be-1 failed");
    }));

  it("closes the turnstiles at one that has died, and takes back that one and those that die meanwhile, once", () =>
    inFolder(async () => {
      const run = new Run("sr");
      let second = true;
      const back: string[] = [];
      const notes = (name: string) => async () => {
        assert.equal(run.frontends.closed, "BE be-1 failed", "before anything else");
        back.push(name);
        second = false;
        return `${name} was taken back`;
      };
      run.proven.add(node("be-1", died, notes("be-1")));
      run.proven.add(node("be-2", async () => second, notes("be-2")));
      const looks = await Promise.allSettled([run.lookBack("BE be-3"), run.lookBack("BE be-4")]);
      assert.deepEqual(back, ["be-1", "be-2"]);
      const [first, other] = looks;
      assert.equal(
        first.status === "rejected" && String(first.reason.message),
        "BE be-3 was not touched: be-1 was taken back\nbe-2 was taken back\n" +
          "No other node is touched any more. Mend the cause and run `pulumi up` again: it goes on from here.",
      );
      assert.equal(other.status, "fulfilled", "told once; its turnstile is closed");
      await assert.rejects(run.assertGoing("BE be-4"), /^UserError: BE be-4 was not touched: BE be-1 failed$/);
    }));
});
