import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { tellFailure } from "../lab/failure.js";
import { itemsOf } from "../lab/journal.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { NodeProcesses } from "../lab/node-processes.js";
import { previewPlan } from "../lab/story.js";

/** Milliseconds between two looks: a simulated BE is down for several hundred. */
const lookEvery = 30;
/** Seconds. */
const pause = 3;

describe("BEs in racks", () => {
  let lab: Lab;
  const rackOf: Readonly<Record<string, string>> = { be1: "a", be2: "b", be3: "a", be4: "b" };
  const inRacks = ({ backends }: PlainArgs): void => {
    for (const node of backends.nodes) {
      node.rack = rackOf[node.name ?? ""];
    }
    backends.rollout = { maxUnavailable: 2, canary: false, pause };
  };

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 4 });
    lab.declare(lab.args(await lab.release("3.5.7"), inRacks));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("go rack by rack, two at once and never of two racks, with a pause between", async () => {
    lab.declare(lab.args(await lab.release("3.5.8"), inRacks));
    const { plan = "" } = await previewPlan(lab);
    const order = plan.split("\n").flatMap((line) => /(?<=BE )be\d(?=, 3\.5\.7)|rack \w/.exec(line)?.[0] ?? []);
    assert.deepEqual(order, ["rack a", "be1", "be3", "rack b", "be2", "be4"]);
    const processes = new NodeProcesses(lab.fleet);
    const readings: (readonly string[])[] = [];
    let ended = false;
    const watch = async (): Promise<void> => {
      while (!ended) {
        const running = new Set(processes.look().map(({ host }) => host));
        readings.push(Object.keys(rackOf).filter((host) => !running.has(host)));
        await sleep(lookEvery);
      }
    };
    const watching = watch();
    await lab.stack.up().finally(() => {
      ended = true;
    });
    await watching;
    const together = readings.filter((down) => down.length > 1);
    assert.deepEqual(
      together.filter((down) => new Set(down.map((host) => rackOf[host])).size > 1 || down.length > 2),
      [],
    );
    // From its turn to the end of its last step a BE counts as one that may be down.
    const spans = itemsOf(lab.journal())
      .filter(({ id, within }) => id.startsWith("BE ") && within === undefined && !id.includes("cluster"))
      .map(({ id, steps }) => ({
        rack: rackOf[id.slice(3)],
        begin: steps.find(({ verb }) => verb === "turn")?.time ?? 0,
        end: steps.find(({ verb }) => verb === "heal")?.time ?? 0,
      }));
    assert.equal(spans.length, 4);
    const [a, b] = ["a", "b"].map((rack) => {
      const of = spans.filter((span) => span.rack === rack);
      return { begin: Math.min(...of.map(({ begin }) => begin)), end: Math.max(...of.map(({ end }) => end)), of };
    });
    assert.ok(a && b);
    const [first, second] = a.begin < b.begin ? [a, b] : [b, a];
    assert.ok(
      second.begin - first.end >= pause * 1000 - 50,
      `${second.begin - first.end} ms between the racks, in ${JSON.stringify(spans)}`,
    );
    for (const { of } of [a, b]) {
      const [one, other] = of;
      assert.ok(one && other && one.begin < other.end && other.begin < one.end, "BEs of a rack go together");
    }
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
