import assert from "node:assert/strict";
import type { Path } from "../../../../provider/plan/paths/hazard.js";
import { hazardsOf } from "../../../../provider/plan/paths/hazards-of.js";
import { hazards } from "../../../../provider/plan/paths/table.js";
import { parseVersion } from "../../../../provider/starrocks/versions.js";

const ids = (from: string | undefined, to: string, more: Partial<Path> = {}): readonly string[] =>
  hazardsOf({ from, to, ...more }).map(({ id }) => id);

/** What every jump between lines meets, whichever they are. */
const always = ["release-notes", "image-between-hops", "decommission-under-way"];
const everyUp = [...always, "schema-change-under-way"];
const everyDown = [...always, "unknown-operations", "data-of-newer-be"];

describe("the table of ways between versions", () => {
  const ways: readonly { from?: string; to: string; more?: Partial<Path>; meets: readonly string[] }[] = [
    // Patches go both ways.
    { from: "3.5.7", to: "3.5.8", meets: [] },
    { from: "3.5.8", to: "3.5.7", meets: [] },
    { from: "3.5.7", to: "3.5.7-ee", meets: [] },
    { from: "3.3.9", to: "3.3.11", meets: [] },
    { from: "3.3.11", to: "3.3.9", meets: [] },
    // Lines one by one.
    {
      from: "3.4.10",
      to: "3.5.7",
      meets: [...everyUp, "jdk-17", "old-collectors-in-java-opts", "add-opens-for-jdk-17"],
    },
    {
      from: "3.4.9-ee",
      to: "3.5.0-rc1",
      meets: [...everyUp, "jdk-17", "old-collectors-in-java-opts", "add-opens-for-jdk-17", "low-cardinality-to-3-5"],
    },
    { from: "3.5.7", to: "4.0.3", meets: everyUp },
    { from: "3.2.9", to: "3.3.2", meets: [...everyUp, "jdk-11"] },
    { from: "3.1.9", to: "3.2.6", meets: [...everyUp, "pipeline-engine-for-3-2"] },
    { from: "2.5.13", to: "3.0.4", meets: [...everyUp, "database-named-starrocks", "bdb-jar-to-3-0"] },
    // Several at once.
    {
      from: "3.3.9",
      to: "4.0.3",
      meets: [
        "several-lines",
        ...everyUp,
        "jdk-17",
        "old-collectors-in-java-opts",
        "add-opens-for-jdk-17",
        "low-cardinality-to-3-5",
      ],
    },
    {
      from: "4.0.3",
      to: "3.4.7",
      meets: ["several-lines", ...always, "floor-4-0", "unknown-operations", "data-of-newer-be"],
    },
    // Lines that this table has never heard of.
    { from: "4.1.3", to: "4.2.0", meets: ["line-not-known", ...everyUp] },
    { from: "4.1.3", to: "5.0.0", meets: ["line-not-known", ...everyUp] },
    { from: "4.1.3", to: "4.3.0", meets: ["several-lines", "line-not-known", ...everyUp] },
    // The old ones.
    {
      from: "1.19.2",
      to: "2.0.0",
      meets: [
        "release-notes",
        "java-opts-for-jdk-9",
        "image-by-restart",
        "decommission-under-way",
        "schema-change-under-way",
      ],
    },
    {
      from: "1.19.2",
      to: "2.1.0",
      meets: [
        "stepwise-to-2-0",
        "several-lines",
        "release-notes",
        "java-opts-for-jdk-9",
        "image-by-restart",
        "decommission-under-way",
        "schema-change-under-way",
      ],
    },
    {
      from: "2.0.5",
      to: "2.1.0",
      meets: [
        "release-notes",
        "java-opts-for-jdk-9",
        "image-by-restart",
        "decommission-under-way",
        "schema-change-under-way",
        "chunk-size-from-2-0",
        "batch-size-from-2-0",
      ],
    },
    // Releases that were taken back, also as a first deployment; leaving one is free.
    { to: "3.3.10", meets: ["withdrawn-3-3-10"] },
    { to: "3.3.10-ee", meets: ["withdrawn-3-3-10"] },
    { to: "3.3.9", meets: [] },
    { to: "3.3.11-rc1", meets: [] },
    { from: "3.3.9", to: "3.3.10", meets: ["withdrawn-3-3-10"] },
    { from: "3.3.11", to: "3.3.10", meets: ["withdrawn-3-3-10"] },
    { from: "3.3.10", to: "3.3.11", meets: [] },
    { from: "3.3.10", to: "3.3.10", meets: [] },
    // Down.
    { from: "4.1.1", to: "4.0.6", meets: everyDown },
    { from: "4.1.1", to: "4.0.5", meets: [...always, "floor-4-1", "unknown-operations", "data-of-newer-be"] },
    { from: "4.0.1", to: "3.5.2", meets: everyDown },
    { from: "4.0.1", to: "3.5.1", meets: [...always, "floor-4-0", "unknown-operations", "data-of-newer-be"] },
    {
      from: "4.0.3",
      to: "3.5.10",
      meets: [...always, "meta-scan-rewrite-from-4-0-2", "unknown-operations", "data-of-newer-be"],
    },
    { from: "4.0.3", to: "3.5.11", meets: everyDown },
    { from: "4.0.3", to: "4.0.1", meets: ["meta-scan-rewrite-to-4-0-1"] },
    { from: "3.5.7", to: "3.5.2", meets: [] },
    { from: "3.5.7", to: "3.5.1", meets: ["floor-3-5-2"] },
    { from: "3.5.1", to: "3.5.0", meets: [] },
    { from: "3.5.7", to: "3.4.6", meets: everyDown },
    { from: "3.5.7", to: "3.4.5", meets: [...always, "floor-3-5", "unknown-operations", "data-of-newer-be"] },
    { from: "3.4.5", to: "3.3.11", meets: everyDown },
    { from: "3.4.5", to: "3.3.8", meets: [...always, "floor-3-4", "unknown-operations", "data-of-newer-be"] },
    {
      from: "2.5.5",
      to: "2.4.1",
      more: { fqdn: true },
      meets: [...everyDown.slice(0, 4), "jdk-8-or-11-below-2-5", "data-of-newer-be"],
    },
    {
      from: "2.4.5",
      to: "2.3.1",
      more: { fqdn: true },
      meets: [
        "release-notes",
        "java-opts-for-jdk-9",
        "image-by-restart",
        "decommission-under-way",
        "unknown-operations",
        "fqdn-below-2-4",
        "data-of-newer-be",
      ],
    },
    {
      from: "2.2.5",
      to: "2.1.1",
      meets: [
        "release-notes",
        "java-opts-for-jdk-9",
        "image-by-restart",
        "decommission-under-way",
        "unknown-operations",
        "data-of-newer-be",
      ],
    },
    {
      from: "3.0.2",
      to: "2.5.3",
      meets: [...always, "bdb-jar-from-3-0", "rbac-stays", "unknown-operations", "data-of-newer-be"],
    },
    // A cluster stays what it is, whatever its version does.
    {
      from: "3.5.7",
      to: "3.5.7",
      more: { runMode: { from: "shared_nothing", to: "shared_data" } },
      meets: ["run-mode-change"],
    },
    { from: "3.5.7", to: "3.5.7", more: { runMode: { from: "shared_data", to: "shared_data" } }, meets: [] },
    { to: "3.5.7", more: { runMode: { to: "shared_data" } }, meets: [] },
    // Single files.
    { from: "3.5.7", to: "3.5.7-hotfix", more: { overlay: true }, meets: ["single-files"] },
    { from: "2.5.7", to: "2.5.8", more: { overlay: true }, meets: [] },
  ];
  for (const { from, to, more, meets } of ways) {
    it(`${from ?? "nothing"} → ${to}${more ? ` ${JSON.stringify(more)}` : ""}`, () => {
      assert.deepEqual([...ids(from, to, more)].sort(), [...meets].sort());
    });
  }

  it("3.3 → 3.2 has a floor of its own from 3.3.9 on", () => {
    const floors = (from: string, to: string) => ids(from, to).filter((id) => id.startsWith("floor-"));
    assert.deepEqual(floors("3.3.5", "3.2.2"), ["floor-3-3"]);
    assert.deepEqual(floors("3.3.5", "3.2.3"), []);
    assert.deepEqual(floors("3.3.5", "3.2.11"), []);
    assert.deepEqual(floors("3.3.9", "3.2.10"), ["floor-3-3-9"]);
    assert.deepEqual(floors("3.3.10", "3.2.10"), ["floor-3-3-9"]);
    assert.deepEqual(floors("3.3.9", "3.2.2"), ["floor-3-3"]);
    assert.deepEqual(floors("3.3.9", "3.2.11"), []);
    const wants = ["schema-changes", "job-history", "renamed-columns", "temporary-tables"].map(
      (row) => `${row}-from-3-3`,
    );
    assert.deepEqual(
      wants.filter((id) => ids("3.3.9", "3.2.11").includes(id)),
      wants,
    );
    assert.deepEqual(ids("3.3.9", "3.2.7").includes("lz4-views-from-3-3"), true);
  });

  it("leaves out what declared settings see to on every FE", () => {
    const shows = (id: string, to: string, from: string, settings: readonly Record<string, string>[]) =>
      ids(from, to, { settings }).includes(id);
    const ignoring = { ignore_unknown_log_id: "true" };
    assert.equal(shows("unknown-operations", "3.4.6", "3.5.7", [ignoring, ignoring]), false);
    assert.equal(shows("unknown-operations", "3.4.6", "3.5.7", [ignoring, {}]), true);
    assert.equal(shows("unknown-operations", "3.4.6", "3.5.7", [{ ignore_unknown_log_id: "false" }]), true);
    const renamed = { metadata_ignore_unknown_operation_type: "true" };
    assert.equal(shows("unknown-operations", "3.3.12", "3.4.6", [renamed]), false);
    assert.equal(shows("unknown-operations", "3.2.11", "3.3.9", [renamed]), true, "3.2 knows only the old name");
    assert.equal(shows("unknown-operations", "3.2.11", "3.3.9", [ignoring]), false);
    const old = (...settings: readonly Record<string, string>[]) =>
      shows("old-collectors-in-java-opts", "3.5.7", "3.4.5", settings);
    const [clean, collector] = ["-Xmx8g -XX:+UseG1GC", "-XX:+UseConcMarkSweepGC"];
    assert.equal(old({ JAVA_OPTS: clean, JAVA_OPTS_FOR_JDK_11: clean }), false);
    assert.equal(old({ JAVA_OPTS: clean }), true, "what the nodes' files have for JDK 11 still wins");
    assert.equal(old({ JAVA_OPTS: clean, JAVA_OPTS_FOR_JDK_11: collector }), true);
    assert.equal(old({ JAVA_OPTS: collector, JAVA_OPTS_FOR_JDK_11: clean }), true);
    assert.equal(old(), true);
    assert.equal(shows("java-opts-for-jdk-9", "2.3.5", "2.2.1", [{}]), true);
    assert.equal(shows("java-opts-for-jdk-9", "2.3.5", "2.2.1", [{ JAVA_OPTS_FOR_JDK_9: clean }]), false);
    assert.equal(shows("java-opts-for-jdk-9", "2.4.0", "2.3.5", [{}]), false);
  });

  it("has ids that can stand in programs for ever: kebab-case, each once", () => {
    for (const { id } of hazards) {
      assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    }
    assert.equal(new Set(hazards.map(({ id }) => id)).size, hazards.length);
  });

  it("gives versions as bounds, a sentence and a source to each row", () => {
    for (const { id, source, text, when } of hazards) {
      for (const { since = "0.0.0", before = "0.0.0" } of [when.from ?? {}, when.to ?? {}]) {
        assert.ok(parseVersion(since) && parseVersion(before), id);
      }
      assert.match(text, /\.$/, id);
      assert.ok(source.length > 0, id);
    }
  });
});
