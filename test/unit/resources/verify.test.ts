import assert from "node:assert/strict";
import { TransientError, UserError } from "../../../provider/error.js";
import { limitsOf } from "../../../provider/plan/limits.js";
import { policySchema } from "../../../provider/plan/policy.js";
import type { NodeContext } from "../../../provider/resources/node/context.js";
import { verifyThroughAny, verifyThroughEach } from "../../../provider/resources/verify.js";
import { Frontends } from "../../../provider/rollout/frontends.js";
import { type Sql, SqlError, type Values } from "../../../provider/starrocks/sql.js";
import { fe } from "../plan/specs.js";

/** What an FE answers to a declared query; several: one after the other, the last one for ever. */
type Answer = readonly Values[] | Error;

/** FEs by name, and what each answers. */
const frontends = (answers: Readonly<Record<string, Answer | { readonly inTurn: readonly Answer[] }>>) => {
  const asked: string[] = [];
  const limits = limitsOf({ leader: 1 });
  const contacts = Object.keys(answers).map((name) => ({ ...fe({ name }), connection: {} }));
  const next = (name: string): Answer => {
    const answer = answers[name] ?? [];
    if (!("inTurn" in answer)) {
      return answer;
    }
    const earlier = asked.filter((one) => one.startsWith(`${name}: `)).length - 1;
    return answer.inTurn[Math.min(earlier, answer.inTurn.length - 1)] ?? [];
  };
  const group = new Frontends({
    cluster: "lab",
    contacts,
    connection: { host: "none" },
    sql: { user: `verify-${++groups}` },
    limits,
  });
  group.through = async ({ name }): Promise<Sql> => ({
    name,
    query: () => assert.fail("rows by the names of their columns may be wrong rows"),
    table: async (statement) => {
      asked.push(`${name}: ${statement}`);
      const answer = next(name);
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    },
    close: () => undefined,
  });
  const nodes = contacts.map(
    ({ name }) => ({ spec: { kind: "fe", name }, limits, frontends: group }) as unknown as NodeContext,
  );
  return { asked, nodes };
};

let groups = 0;

const verify = (nodes: readonly NodeContext[], ...queries: readonly unknown[]) =>
  verifyThroughEach({ nodes, policy: policySchema.parse({ verify: queries }) }, () => undefined);

const verifyAny = (nodes: readonly NodeContext[], ...queries: readonly unknown[]) =>
  verifyThroughAny({ nodes, policy: policySchema.parse({ verify: queries }) }, () => undefined);

/** What a follower says while nobody leads. */
const electing = new TransientError('"SELECT 1" on fe-2: leader not ready');

describe("the declared queries at the end", () => {
  it("go through each FE, and its rows are those that are expected", async () => {
    const { asked, nodes } = frontends({ "fe-1": [["2", "1", null]], "fe-2": [["2", "1", null]] });
    const query = { sql: "SELECT 2, 1, NULL", expect: [[2, "1", null]] };
    assert.deepEqual(await verify(nodes, query), { mark: "done" });
    assert.deepEqual(asked, ["fe-1: SELECT 2, 1, NULL", "fe-2: SELECT 2, 1, NULL"]);
  });

  it("fail by the name of the FE that gives other rows, in another order too", async () => {
    const { nodes } = frontends({ "fe-1": [["2", "1"]], "fe-2": [["1", "2"]] });
    await assert.rejects(
      verify(nodes, { sql: "SELECT 2, 1", expect: [[2, 1]] }),
      /^UserError: Through FE fe-2: The declared query "SELECT 2, 1" gave other rows than declared: expected \[\["2","1"\]\], got \[\["1","2"\]\]\.$/,
    );
  });

  it("fail by the name of the FE that does not answer them", async () => {
    const { nodes } = frontends({ "fe-1": [["1"]], "fe-2": new UserError("no such table") });
    await assert.rejects(
      verify(nodes, "SELECT 1"),
      /Through FE fe-2: The declared query "SELECT 1" failed: no such table/,
    );
  });

  it("are none where none are declared", async () => {
    const { asked, nodes } = frontends({ "fe-1": [] });
    assert.equal((await verify(nodes)).mark, "not met");
    assert.deepEqual(asked, []);
  });

  it("are asked again of an FE that has no leader for a moment", async () => {
    const { asked, nodes } = frontends({ "fe-1": [["1"]], "fe-2": { inTurn: [electing, electing, [["1"]]] } });
    assert.deepEqual(await verify(nodes, "SELECT 1"), { mark: "done" });
    assert.equal(asked.length, 4);
  });

  it("fail at the limit where that lasts, by the name of the FE and what it said", async () => {
    const { nodes } = frontends({ "fe-1": [["1"]], "fe-2": electing });
    await assert.rejects(
      verify(nodes, "SELECT 1"),
      /Waited 1 s for FE fe-2 to answer the declared queries \(`rollout\.verify`\); last seen: .*leader not ready\./,
    );
  });
});

describe("the declared queries after the canary", () => {
  const query = { sql: "SELECT 1", expect: [[1]] };

  it("go through whichever FE answers", async () => {
    const { nodes } = frontends({ "fe-1": electing, "fe-2": [["1"]] });
    assert.deepEqual(await verifyAny(nodes, query), { mark: "done" });
  });

  it("are asked again while nobody leads: an election takes a second, and the canary is well", async () => {
    const { asked, nodes } = frontends({
      "fe-1": { inTurn: [electing, [["1"]]] },
      "fe-2": { inTurn: [electing, electing, [["1"]]] },
    });
    assert.deepEqual(await verifyAny(nodes, query), { mark: "done" });
    assert.ok(asked.length > 2, `${asked}`);
  });

  it("fail at the limit where nobody answers, with what was said last", async () => {
    const { nodes } = frontends({ "fe-1": electing, "fe-2": electing });
    await assert.rejects(
      verifyAny(nodes, query),
      /Waited 1 s for an FE to answer the declared queries \(`rollout\.verify`\); last seen: .*leader not ready\./,
    );
  });

  it("fail at once for other rows and for a statement that is refused, whatever another FE would say", async () => {
    for (const [answer, reason] of [
      [[["2"]], /gave other rows than declared: expected \[\["1"\]\], got \[\["2"\]\]/],
      [new SqlError("no such table", "ER_UNKNOWN_ERROR", "no such table"), /failed: no such table/],
    ] as const) {
      const { asked, nodes } = frontends({ "fe-1": { inTurn: [answer, [["1"]]] } });
      await assert.rejects(verifyAny(nodes, query), reason);
      assert.equal(asked.length, 1);
    }
  });

  it("are none where none are declared", async () => {
    const { asked, nodes } = frontends({ "fe-1": [] });
    assert.equal((await verifyAny(nodes)).mark, "not met");
    assert.deepEqual(asked, []);
  });
});
