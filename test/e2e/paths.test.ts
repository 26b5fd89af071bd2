import assert from "node:assert/strict";
import type { Outcome } from "../engine/stack.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { told } from "../lab/told.js";

describe("a way from one version to another", () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 1 });
    lab.declare(lab.args(await lab.release("3.3.9")));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const preview = async (version: string, more: Partial<PlainArgs> = {}): Promise<Outcome> => {
    lab.declare(lab.args(await lab.release(version), (args) => Object.assign(args, more)));
    const before = lab.fleet.handshakes();
    const outcome = await lab.stack.start("preview").ended;
    assert.equal(lab.fleet.handshakes(), before, "a preview asks no host");
    return outcome;
  };
  /** The warnings on the cluster's row. */
  const allowed = async (version: string, more?: Partial<PlainArgs>): Promise<string> => {
    const outcome = await preview(version, more);
    assert.deepEqual(told(outcome, "error"), {});
    return told(outcome, "warning").sr ?? "";
  };
  const refused = async (version: string, more?: Partial<PlainArgs>): Promise<string> => {
    const outcome = await preview(version, more);
    return told(outcome, "error")["sr-rollout"] ?? outcome.stdout;
  };

  it("shows what is known of it on the cluster's row, once", async () => {
    assert.match(
      await allowed("3.4.5"),
      /^sr: what is known of StarRocks 3\.3\.9 → 3\.4\.5 \(docs\/versions\.md\):\n {2}asks release-notes: Before: read the release notes (.*\n)*.*schema-change-under-way: if found before the first stop: [^\n]*$/,
    );
  });

  it("says nothing of a patch", async () => {
    assert.equal(await allowed("3.3.11"), "");
  });

  it("refuses a withdrawn release, unless that is accepted", async () => {
    assert.match(
      await refused("3.3.10"),
      /release\.version: 3\.3\.9 → 3\.3\.10: StarRocks withdrew 3\.3\.10 .*acceptHazards: \["withdrawn-3-3-10"\]/,
    );
    assert.match(
      await allowed("3.3.10", { acceptHazards: ["withdrawn-3-3-10"] }),
      /accepted withdrawn-3-3-10: StarRocks withdrew/,
    );
  });

  it("refuses an older version that is not said, and one below the floor", async () => {
    const unsaid = await refused("3.2.2");
    assert.match(unsaid, /release\.version: 3\.2\.2 is older than 3\.3\.9, which FEs of this cluster run/);
    assert.match(unsaid, /forbidden floor-3-3: 3\.3 goes down to 3\.2\.3 or later only: .* lose metadata/);
    assert.match(
      await refused("3.2.2", { direction: "downgrade" }),
      /release\.version: 3\.3\.9 → 3\.2\.2: 3\.3 goes down .*acceptHazards: \["floor-3-3"\]/,
    );
    assert.match(await allowed("3.2.11", { direction: "downgrade" }), /if found before the first stop, refused: /);
  });

  it("may be left again while all FEs run what is declared", async () => {
    lab.declare(lab.args(await lab.release("3.4.5", { be: { faults: [{ fault: "dieAtStart" }] } })));
    await lab.stack.up([], { expectFailure: true });
    await allowed("3.3.9");
    await lab.stack.up();
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
