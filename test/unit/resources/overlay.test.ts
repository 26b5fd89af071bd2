import assert from "node:assert/strict";
import { releaseOfPart } from "../../../provider/plan/overlay.js";
import { feVersionOf, isOverlaid, topologyOf, versionsText } from "../../../provider/resources/preflight/topology.js";
import { handlersOf, type Kind, outputsOf, sample } from "./samples.js";

type Inputs = Readonly<Record<string, unknown>>;

const file = { archive: "./hotfix", sha256: "b".repeat(64) };
const binary = { "be/lib/starrocks_be": { ...file, version: "3.5.6-hotfix1" } };
const jar = { "fe/lib/starrocks-fe.jar": file };

const released = (inputs: Inputs, overlay: object): Inputs => ({
  ...inputs,
  release: { ...(inputs.release as object), overlay },
});

const changes = async (kind: Kind, overlay: object): Promise<boolean> => {
  const inputs = sample(kind);
  return (await handlersOf(kind).diff("id", outputsOf(kind, inputs), released(inputs, overlay))).changes;
};

describe("an overlay", () => {
  it("is another release for hosts and rehearsals of its part alone", async () => {
    // The sample's host has a BE.
    assert.equal(await changes("release", binary), true);
    assert.equal(await changes("release", jar), false);
    assert.equal(await changes("rehearsal", jar), true);
    assert.equal(await changes("rehearsal", binary), false);
  });

  it("goes with as few words as it came", async () => {
    const inputs = sample("release");
    const { changes: gone } = await handlersOf("release").diff(
      "id",
      released(outputsOf("release", inputs), binary),
      inputs,
    );
    assert.equal(gone, true);
  });

  it("has a step of its own in the plan of a host", async () => {
    const { inputs, failures } = await handlersOf("release").check(
      {},
      released(sample("release"), { ...binary, ...jar }),
    );
    assert.deepEqual(failures ?? [], []);
    const plan = JSON.stringify(inputs.plan);
    assert.match(plan, /compose a release with be\/lib\/starrocks_be by hotfix, .* check that be is 3\.5\.6-hotfix1/);
    assert.doesNotMatch(plan, /starrocks-fe\.jar/);
  });

  it("is refused by the path at fault", async () => {
    for (const [overlay, message] of [
      [{ "be/../x": file }, /^release\.overlay\.be\/\.\.\/x: must be the path of a file inside the release/],
      [{ "be/lib/x": { ...file, version: "3.5.7" } }, /^release\.overlay\.be\/lib\/x: .* is no build of 3\.5\.6/],
      [{ "be/lib/x": { ...file, sha256: "b" } }, /^release\.overlay\.be\/lib\/x\.sha256: must be 64 lowercase hex/],
      [{ "be/lib/x": { ...file, url: "https://h/x" } }, /^release\.overlay\.be\/lib\/x: unknown argument `url`/],
    ] as const) {
      const { failures = [] } = await handlersOf("release").check({}, released(sample("release"), overlay));
      assert.match(failures.map(({ reason }) => reason).join("\n"), message);
    }
  });

  it("of the FE makes its version the one that the way is judged by", () => {
    const inputs = sample("preflight");
    assert.deepEqual([feVersionOf(topologyOf(inputs)), isOverlaid(topologyOf(inputs))], ["3.5.6", false]);
    const base = { version: "3.5.6", sha256: "a".repeat(64) };
    const overlay = { "fe/lib/starrocks-fe.jar": { ...file, version: "3.5.6-hotfix2" } };
    const release = releaseOfPart({ ...base, overlay }, "fe");
    const nodes = (inputs.nodes as readonly Inputs[]).map((node) => (node.kind === "fe" ? { ...node, release } : node));
    const topology = topologyOf({ ...inputs, nodes });
    assert.equal(feVersionOf(topology), "3.5.6-hotfix2");
    assert.equal(isOverlaid(topology), true);
    assert.equal(versionsText(topology), "3.5.6 and 3.5.6-hotfix2");
  });
});
