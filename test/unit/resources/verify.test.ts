import assert from "node:assert/strict";
import { UserError } from "../../../provider/error.js";
import { limitsOf } from "../../../provider/plan/limits.js";
import { policySchema } from "../../../provider/plan/policy.js";
import type { NodeContext } from "../../../provider/resources/node/context.js";
import { verifyThroughEach } from "../../../provider/resources/verify.js";
import type { Sql, Values } from "../../../provider/starrocks/sql.js";

type Answer = readonly Values[] | Error;

/** FEs by name, and what each answers to a declared query. */
const frontends = (answers: Readonly<Record<string, Answer>>) => {
  const asked: string[] = [];
  const nodes = Object.keys(answers).map(
    (name) =>
      ({
        spec: { kind: "fe", name },
        limits: limitsOf({}),
        frontends: {
          contacts: Object.keys(answers).map((each) => ({ name: each })),
          through: async (contact: { readonly name: string }): Promise<Sql> => ({
            name: contact.name,
            query: () => assert.fail("rows by the names of their columns may be wrong rows"),
            table: async (statement) => {
              asked.push(`${contact.name}: ${statement}`);
              const answer = answers[contact.name] ?? [];
              if (answer instanceof Error) {
                throw answer;
              }
              return answer;
            },
            close: () => undefined,
          }),
        },
      }) as unknown as NodeContext,
  );
  return { asked, nodes };
};

const verify = (nodes: readonly NodeContext[], ...queries: readonly unknown[]) =>
  verifyThroughEach({ nodes, policy: policySchema.parse({ verify: queries }) }, () => undefined);

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
});
