import assert from "node:assert/strict";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { previewThenUp } from "../lab/story.js";
import { recordedVersions, told } from "../lab/told.js";
import type { BuiltHotfix, BuiltRelease } from "../simulator/release.js";

describe("a vendor's hotfix over a release", () => {
  let lab: Lab;
  let base: BuiltRelease;
  let jar: BuiltHotfix;
  let binary: BuiltHotfix;

  type Entry = { archive: string; sha256?: string; version?: string };
  const declare = (overlay?: Record<string, Entry>, more: Partial<PlainArgs> = {}): void =>
    lab.declare(
      lab.args(base, (args) => {
        Object.assign(args, more);
        args.release = { ...args.release, ...(overlay && { overlay }) };
      }),
    );
  const entry = ({ archive, path, sha256 }: BuiltHotfix, version?: string): Record<string, Entry> => ({
    [path]: { archive, sha256, ...(version !== undefined && { version }) },
  });
  const versionsOf = () => recordedVersions(lab.stack);

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 2 });
    base = await lab.release("3.5.7");
    jar = await lab.hotfix("fe", "3.5.7-hotfix1");
    binary = await lab.hotfix("be", "3.5.7", { commit: "abcdef0" });
    declare();
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("refuses in preview what cannot be an overlay", async () => {
    declare({ "../etc/passwd": { archive: jar.archive } });
    const { stdout } = await lab.stack.start("preview").ended;
    assert.match(stdout, /release\.overlay\["\.\.\/etc\/passwd"\]: must be the path of a file inside the release/);
  });

  it("refuses a file of another digest, with nothing touched", async () => {
    declare({ [jar.path]: { archive: jar.archive, sha256: "0".repeat(64), version: "3.5.7-hotfix1" } });
    const processes = new NodeProcesses(lab.fleet);
    const before = processes.byHost();
    const { stdout, exitCode } = await lab.stack.up([], { expectFailure: true });
    assert.equal(exitCode, 1);
    assert.match(stdout, /starrocks-fe\.jar\S* arrived with sha256 [0-9a-f]{64}, expected 0{64}; it was removed/);
    assert.deepEqual(restarted(before, processes.byHost()), []);
  });

  it("refuses a file that replaces none, and one that says another version", async () => {
    declare({ "fe/lib/nothing.jar": { archive: jar.archive } });
    const none = await lab.stack.up([], { expectFailure: true });
    assert.match(
      none.stdout,
      /release\.overlay\["fe\/lib\/nothing\.jar"\].*the release has no file fe\/lib\/nothing\.jar/,
    );
    declare(entry(jar));
    const other = await lab.stack.up([], { expectFailure: true });
    assert.match(other.stdout, /with it the FE says 3\.5\.7-hotfix1, declared 3\.5\.7\. Set its `version`/);
  });

  it("of the FE restarts the FE alone, on a version of its own", async () => {
    declare(entry(jar, "3.5.7-hotfix1"));
    const { plan = "", preview, restarted: touched } = await previewThenUp(lab);
    assert.deepEqual(touched, ["fe1"]);
    assert.match(plan, /sr: StarRocks 3\.5\.7 → 3\.5\.7-hotfix1 \(patch version\) on 1 FE\./);
    assert.match(
      plan,
      /host \S+, 3\.5\.7, fe, with another fe\/lib\/starrocks-fe\.jar: stage and verify\s+→ put the overlay/,
    );
    assert.doesNotMatch(plan, /BE be\d/);
    assert.match(told(preview, "warning").sr ?? "", /3\.5\.7 → 3\.5\.7-hotfix1 .*\n {2}warning single-files: /);
    assert.deepEqual(await versionsOf(), { be1: "3.5.7", be2: "3.5.7", fe1: "3.5.7-hotfix1" });
    await lab.stack.preview(["--expect-no-changes"]);
    await lab.stack.refresh(["--expect-no-changes"]);
  });

  it("of the BE restarts the BEs alone, also as another build of the same version", async () => {
    declare({ ...entry(jar, "3.5.7-hotfix1"), ...entry(binary) });
    const { plan = "", restarted: touched } = await previewThenUp(lab);
    assert.deepEqual(touched, ["be1", "be2"]);
    assert.match(plan, /BE be1, 3\.5\.7, another build/);
    assert.doesNotMatch(plan, /FE fe1/);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  /** An `up` that must fail; gives what people read of each resource. */
  const fails = async () => {
    const processes = new NodeProcesses(lab.fleet);
    const before = processes.byHost();
    const outcome = await lab.stack.up([], { expectFailure: true });
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    return { errors: told(outcome, "error"), touched: restarted(before, processes.byHost()) };
  };

  it("that is a bad BE touches one, which is taken back to the hotfix before", async () => {
    const bad = await lab.hotfix("be", "3.5.7-hotfix2", {
      be: { faults: [{ fault: "dieAtStart", message: "no cigar" }] },
    });
    declare({ ...entry(jar, "3.5.7-hotfix1"), ...entry(bad, "3.5.7-hotfix2") });
    const { errors, touched } = await fails();
    assert.deepEqual(touched, ["be1"]);
    assert.match(errors["sr-be-be1"] ?? "", /no cigar[\s\S]*BE be1 was taken back to 3\.5\.7 and is proven there\./);
    declare({ ...entry(jar, "3.5.7-hotfix1"), ...entry(binary) });
    const { restarted: again } = await previewThenUp(lab);
    assert.deepEqual(again, []);
  });

  it("that is a bad FE is met by the rehearsal, where the user wants one, and no node is touched", async () => {
    const bad = await lab.hotfix("fe", "3.5.7-hotfix2", { fe: { faults: [{ fault: "dieOnReplay" }] } });
    declare({ ...entry(bad, "3.5.7-hotfix2"), ...entry(binary) }, { rehearsal: true });
    const { errors, touched } = await fails();
    assert.deepEqual(touched, []);
    assert.match(
      errors["sr-rehearsal"] ?? "",
      /The rehearsal of StarRocks 3\.5\.7-hotfix2 on [\d.]+ failed \(judge\)\./,
    );
    assert.match(errors["sr-rehearsal"] ?? "", /No node of the cluster was touched\./);
  });

  it("goes when it is taken out: nodes run the release itself again", async () => {
    declare();
    const { plan = "", restarted: touched } = await previewThenUp(lab);
    assert.deepEqual(touched, ["be1", "be2", "fe1"]);
    assert.match(plan, /FE fe1, 3\.5\.7-hotfix1 → 3\.5\.7/);
    assert.deepEqual(await versionsOf(), { be1: "3.5.7", be2: "3.5.7", fe1: "3.5.7" });
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
