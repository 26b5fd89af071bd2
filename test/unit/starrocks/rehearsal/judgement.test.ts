import assert from "node:assert/strict";
import {
  catalogOf,
  catalogProblems,
  frontendProblem,
  looksTorn,
  replayedTo,
} from "../../../../provider/starrocks/rehearsal/judgement.js";
import type { Frontend } from "../../../../provider/starrocks/show.js";
import { versionOf } from "../../../../provider/starrocks/versions.js";

const catalog = (databases: Readonly<Record<string, number>>) => new Map(Object.entries(databases));

describe("the databases of a rehearsal", () => {
  it("are read without those that each version makes for itself, and without 2.x' prefix", () => {
    const rows = [
      { DbName: "default_cluster:sales", TableNum: "3" },
      { DbName: "information_schema", TableNum: "40" },
      { DbName: "sys", TableNum: "5" },
    ];
    assert.deepEqual([...catalogOf(rows)], [["sales", 3]]);
  });

  const cases = [
    { what: "are production's", before: { a: 2 }, after: { a: 2 }, inside: { a: 2 }, problems: [] },
    {
      what: "miss one",
      before: { a: 2, b: 1 },
      after: { a: 2, b: 1 },
      inside: { a: 2 },
      problems: ["database b (1 tables) is missing"],
    },
    {
      what: "miss a table",
      before: { a: 2 },
      after: { a: 2 },
      inside: { a: 1 },
      problems: ["database a has 1 tables, in production 2"],
    },
    {
      what: "have one too many",
      before: { a: 2 },
      after: { a: 2 },
      inside: { a: 3 },
      problems: ["database a has 3 tables, in production 2"],
    },
    {
      what: "have one that production has not",
      before: {},
      after: {},
      inside: { x: 0 },
      problems: ["database x is there, which production does not have"],
    },
    { what: "were copied while tables were made", before: { a: 2 }, after: { a: 5 }, inside: { a: 3 }, problems: [] },
    { what: "were copied before one was made", before: {}, after: { b: 1 }, inside: {}, problems: [] },
    { what: "were copied after one was made", before: {}, after: { b: 4 }, inside: { b: 1 }, problems: [] },
    {
      what: "have more statistics",
      before: { _statistics_: 6 },
      after: { _statistics_: 6 },
      inside: { _statistics_: 9 },
      problems: [],
    },
  ];
  for (const { what, before, after, inside, problems } of cases) {
    it(`may be those that ${what}: ${problems.length === 0 ? "well" : "refused"}`, () => {
      const found = catalogProblems(catalog(before as never), catalog(after as never), catalog(inside as never));
      assert.deepEqual(found, problems);
    });
  }
});

describe("the FE of a rehearsal", () => {
  const row = (changes: Partial<Frontend> = {}): Frontend => ({
    name: "127.0.0.1_19010_1",
    address: "127.0.0.1",
    editLogPort: 19_010,
    httpPort: 18_030,
    queryPort: 19_030,
    rpcPort: 19_020,
    role: "leader",
    join: true,
    alive: true,
    replayedJournalId: 474,
    errMsg: "",
    clusterId: "77",
    version: "3.5.8-e58b001",
    ...changes,
  });
  const problem = (rows: readonly Frontend[], version = "3.5.8", replayed?: number) =>
    frontendProblem(rows, { version: versionOf(version), clusterId: 77, journalId: 470, replayed });

  it("leads itself alone, at the new version, with all of the journal", () => {
    assert.equal(problem([row()]), undefined);
  });
  const wrong = [
    { what: "is in production's cluster", rows: [row({ clusterId: "1" })], says: /cluster 1, the copy is 77/ },
    {
      what: "is not alone",
      rows: [row(), row({ address: "10.0.0.12" })],
      says: /lists 2 FEs \(127\.0\.0\.1, 10\.0\.0\.12\)/,
    },
    { what: "does not lead", rows: [row({ role: "follower" })], says: /it is follower/ },
    { what: "has another version", rows: [row({ version: "3.5.7-d2da301" })], says: /says 3\.5\.7-d2da301/ },
    {
      what: "lacks journal",
      rows: [row({ replayedJournalId: 460 })],
      says: /journal 460 is replayed, production had 470/,
    },
  ];
  for (const { what, rows, says } of wrong) {
    it(`is not well when it ${what}`, () => assert.match(problem(rows) ?? "", says));
  }
  it("may still list production's FEs before 3.3, whose recovery leaves them there", () => {
    assert.equal(
      problem([row({ address: "10.0.0.11" }), row({ address: "10.0.0.12", role: "follower" })], "3.1.15"),
      undefined,
    );
  });
  it("may have replayed more than its row says, as its log tells", () => {
    const lines = ["GlobalStateMgr.replayJournal():2003] finish replay from 395 to 474 in 82 msec"];
    assert.equal(replayedTo(lines), 474);
    assert.equal(problem([row({ replayedJournalId: 0 })], "3.5.8", replayedTo(lines)), undefined);
  });
});

describe("a torn copy", () => {
  it("is told by its words from a version that cannot read the metadata", () => {
    assert.equal(looksTorn(["failed to load journal type 10001: LOG_CHECKSUM: Checksum invalid on read"]), true);
    assert.equal(looksTorn(["catch exception when replaying 12, java.lang.NullPointerException"]), false);
  });
});
