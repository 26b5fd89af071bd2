import assert from "node:assert/strict";
import type { Hazard } from "../../../../provider/plan/paths/hazard.js";
import { foundProblems, type Journey, pathProblems, runningVersions } from "../../../../provider/plan/paths/judge.js";
import { hazards } from "../../../../provider/plan/paths/table.js";

interface Case {
  readonly what: string;
  readonly to: string;
  /** Versions of the FEs, then of the BEs. */
  readonly fe?: readonly string[];
  readonly be?: readonly string[];
  readonly direction?: "downgrade";
  readonly accept?: readonly string[];
  readonly known?: "running";
  readonly more?: Partial<Journey>;
  /** Patterns of the problems, `property: reason`. */
  readonly refused?: readonly RegExp[];
  /** The beginnings of notes. */
  readonly notes?: readonly string[];
}

const journey = ({ to, fe = [], be = [], direction, accept = [], known, more }: Case): Journey => ({
  to,
  frontends: fe,
  backends: be,
  known: known ?? "recorded",
  policy: { direction: direction ?? "upgrade", acceptHazards: [...accept] },
  ...more,
});

const three = (version: string): readonly string[] => [version, version, version];

const cases: readonly Case[] = [
  { what: "a first deployment", to: "3.5.7" },
  { what: "nothing that changes", to: "3.5.7", fe: three("3.5.7"), be: three("3.5.7") },
  { what: "a patch", to: "3.5.8", fe: three("3.5.7"), be: three("3.5.7") },
  { what: "another build", to: "3.5.7-ee", fe: three("3.5.7"), be: three("3.5.7") },
  {
    what: "a minor jump",
    to: "4.0.3",
    fe: three("3.5.7"),
    be: three("3.5.7"),
    notes: [
      "asks release-notes: Before: read",
      "asks image-between-hops: Between",
      "forbidden decommission-under-way: if found before the first stop, refused: A BE",
      "warning schema-change-under-way: if found before the first stop: Schema changes",
    ],
  },
  {
    what: "a withdrawn release",
    to: "3.3.10",
    fe: three("3.3.9"),
    be: three("3.3.9"),
    refused: [
      /^release\.version: 3\.3\.9 → 3\.3\.10: StarRocks withdrew 3\.3\.10 .*Source: release-3\.3\.md.*acceptHazards: \["withdrawn-3-3-10"\]\.$/,
    ],
  },
  {
    what: "a withdrawn release as a first deployment",
    to: "3.3.10",
    refused: [/^release\.version: 3\.3\.10: StarRocks withdrew 3\.3\.10/],
  },
  {
    what: "a withdrawn release that is accepted",
    to: "3.3.10",
    fe: three("3.3.9"),
    be: three("3.3.9"),
    accept: ["withdrawn-3-3-10"],
    notes: ["accepted withdrawn-3-3-10: StarRocks withdrew 3.3.10"],
  },
  {
    what: "ids that nobody knows",
    to: "3.5.7",
    fe: three("3.5.7"),
    accept: ["floor-3-5", "flor-3-4"],
    refused: [
      /^acceptHazards: there is no hazard "flor-3-4"; did you mean "floor-3-4", "floor-3-\d", "floor-3-\d"\? docs\/versions\.md lists all$/,
    ],
  },
  {
    what: "an older version without a word",
    to: "3.4.5",
    fe: three("3.5.7"),
    be: three("3.5.7"),
    refused: [
      /^release\.version: 3\.4\.5 is older than 3\.5\.7, which FEs of this cluster run: .*metadata\. Declare 3\.5\.7 or a newer .*`direction: "downgrade"`.*\nThis way down:\n(.*\n)*.*forbidden floor-3-5: 3\.5 goes down to 3\.4\.6 or later only/,
    ],
  },
  {
    what: "an older patch without a word",
    to: "3.5.6",
    fe: three("3.5.7"),
    be: three("3.5.7"),
    refused: [/^release\.version: 3\.5\.6 is older than 3\.5\.7, .*abandons a half-done upgrade\.\)$/],
  },
  { what: "an older patch that is said", to: "3.5.6", fe: three("3.5.7"), be: three("3.5.7"), direction: "downgrade" },
  {
    what: "a downgrade below the floor, though said",
    to: "3.4.5",
    fe: three("3.5.7"),
    be: three("3.5.7"),
    direction: "downgrade",
    refused: [/^release\.version: 3\.5\.7 → 3\.4\.5: 3\.5 goes down to 3\.4\.6 .*acceptHazards: \["floor-3-5"\]/],
    notes: ["asks release-notes", "asks image-between", "forbidden decommission", "asks unknown-op", "warning data-of"],
  },
  {
    what: "a downgrade to the floor",
    to: "3.4.6",
    fe: three("3.5.7"),
    be: three("3.5.7"),
    direction: "downgrade",
    notes: ["asks release-notes", "asks image-between", "forbidden decommission", "asks unknown-op", "warning data-of"],
  },
  {
    what: "going back from a half-done upgrade: all FEs run it still",
    to: "3.4.5",
    fe: three("3.4.5"),
    be: ["3.5.7", "3.5.7", "3.4.5"],
    notes: ["warning data-of-newer-be"],
  },
  {
    what: "going back to a withdrawn release, from which a half-done upgrade was to lead away",
    to: "3.3.10",
    fe: three("3.3.10"),
    be: ["3.3.11", "3.3.10"],
  },
  {
    what: "going back after a bad FE build: the state cannot tell whether it ever came up",
    to: "3.5.7",
    fe: ["3.5.8", "3.5.7", "3.5.7"],
    be: three("3.5.8"),
    notes: [
      "going back: some FEs are recorded with 3.5.8. If one of them ever came up on it, the pre-flight refuses 3.5.7",
    ],
  },
  {
    what: "going back when the cluster itself says that an FE runs the newer one",
    to: "3.5.7",
    fe: ["3.5.8", "3.5.7", "3.5.7"],
    be: three("3.5.8"),
    known: "running",
    refused: [/^release\.version: 3\.5\.7 is older than 3\.5\.8, which FEs/],
  },
  {
    what: "another target in between: what no FE has read is not judged by FEs' floors",
    to: "3.4.2",
    fe: three("3.3.9"),
    be: ["3.5.7", "3.3.9"],
    notes: [
      "asks release-notes",
      "asks image-between",
      "forbidden decommission",
      "warning schema-change",
      "warning data-of",
    ],
  },
  {
    what: "the rest of a downgrade: all FEs are down already",
    to: "3.4.6",
    fe: three("3.4.6"),
    be: three("3.5.7"),
    direction: "downgrade",
    notes: ["warning data-of-newer-be"],
  },
  {
    what: "an upgrade that is called a downgrade",
    to: "3.5.8",
    fe: three("3.5.7"),
    be: three("3.5.7"),
    direction: "downgrade",
    refused: [/^direction: is "downgrade", but 3\.5\.8 is newer than 3\.5\.7, which FEs/],
  },
  {
    what: "`direction` that still stands there when all is done",
    to: "3.5.6",
    fe: three("3.5.6"),
    be: three("3.5.6"),
    direction: "downgrade",
  },
  {
    what: "another run mode",
    to: "3.5.7",
    fe: three("3.5.7"),
    be: three("3.5.7"),
    more: { runMode: { from: "shared_nothing", to: "shared_data" } },
    refused: [/^frontends\.config\.run_mode: 3\.5\.7: A cluster stays .*acceptHazards: \["run-mode-change"\]/],
  },
  {
    what: "a patch that takes nodes out, too",
    to: "3.5.8",
    fe: three("3.5.7"),
    be: three("3.5.7"),
    more: { leaving: true },
    refused: [
      /^release\.version: 3\.5\.7 → 3\.5\.8: The same program takes nodes out\. .*a `pulumi up` of its own first\./,
    ],
  },
  {
    what: "taking nodes out alone",
    to: "3.5.7",
    fe: three("3.5.7"),
    be: three("3.5.7"),
    more: { leaving: true },
  },
];

describe("a change of version of a whole cluster", () => {
  for (const one of cases) {
    it(`${one.refused ? "refuses" : "lets through"} ${one.what}`, () => {
      const { problems, notes } = pathProblems(journey(one));
      const reasons = problems.map(({ property, reason }) => `${property}: ${reason}`);
      assert.equal(reasons.length, one.refused?.length ?? 0, reasons.join("\n"));
      for (const [index, pattern] of (one.refused ?? []).entries()) {
        assert.match(reasons[index] ?? "", pattern);
      }
      const wanted = one.notes ?? [];
      assert.deepEqual(
        notes.map((note, index) => note.slice(0, wanted[index]?.length ?? 60)),
        wanted,
      );
    });
  }

  it("says which rows the cluster must be looked at for", () => {
    const { toLookFor } = pathProblems(journey({ what: "", to: "3.5.7", fe: three("3.4.5"), be: three("3.4.5") }));
    assert.deepEqual(
      toLookFor.map(({ looks }) => looks),
      ["decommissions under way", "schema changes under way", "low cardinality optimization on"],
    );
  });
});

describe("what a look at the cluster has shown", () => {
  const row = (id: string): Hazard => {
    const found = hazards.find((hazard) => hazard.id === id);
    assert.ok(found);
    return found;
  };
  const found = [
    { hazard: row("database-named-starrocks"), seen: "`starrocks` in SHOW DATABASES" },
    { hazard: row("batch-size-from-2-0"), seen: "batch_size = 8192" },
    { hazard: row("pipeline-engine-for-3-2"), seen: "enable_pipeline_engine = false" },
    { hazard: row("low-cardinality-to-3-5"), seen: "cbo_enable_low_cardinality_optimize = true" },
    { hazard: row("schema-change-under-way"), seen: "shop.orders (job 10050, RUNNING)" },
  ];
  const reason = (text: string, seen: string, id: string): string =>
    `${text} Found: ${seen}. Source: ${row(id).source}. To do it nevertheless, name it: acceptHazards: ["${id}"].`;

  it("is refused where the row forbids or what it asks for must be done before, and told where it only asks", () => {
    const { problems, notes } = foundProblems(found, { acceptHazards: [] });
    assert.deepEqual(
      problems.map((problem) => problem.reason),
      [
        reason(
          "A database is called `starrocks`, a name that 3.0 and later keep for themselves. Rename it first.",
          "`starrocks` in SHOW DATABASES",
          "database-named-starrocks",
        ),
        reason("Before: SET GLOBAL batch_size = 4096 (or less).", "batch_size = 8192", "batch-size-from-2-0"),
        reason(
          "Before: SET GLOBAL enable_pipeline_engine = true.",
          "enable_pipeline_engine = false",
          "pipeline-engine-for-3-2",
        ),
        reason(
          "Before: SET GLOBAL cbo_enable_low_cardinality_optimize = false, for as long as versions are mixed. After: set it back to true.",
          "cbo_enable_low_cardinality_optimize = true",
          "low-cardinality-to-3-5",
        ),
      ],
    );
    assert.deepEqual(new Set(problems.map(({ property }) => property)), new Set(["release.version"]));
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? "", /^warning schema-change-under-way: Schema changes /);
    assert.ok(notes[0]?.endsWith(` (${row("schema-change-under-way").source})`), notes[0]);
  });

  it("is told only, once the user has accepted it", () => {
    const accepted = [
      "database-named-starrocks",
      "batch-size-from-2-0",
      "pipeline-engine-for-3-2",
      "low-cardinality-to-3-5",
    ];
    const { problems, notes } = foundProblems(found, { acceptHazards: accepted });
    assert.deepEqual(problems, []);
    for (const [index, id] of accepted.entries()) {
      assert.match(notes[index] ?? "", new RegExp(`^accepted ${id}: `));
    }
  });
});

it("takes the versions of nodes as they report them, and none of those that report none", () => {
  assert.deepEqual(
    runningVersions(["3.5.7-d2da301", "3.5.7-ee-d2da301", "3.5.7-ee", "3.5.7", undefined, "UNKNOWN", ""]),
    ["3.5.7", "3.5.7-ee", "3.5.7-ee", "3.5.7"],
  );
});
