import { isDeepStrictEqual } from "node:util";
import { messageOf, UserError } from "../error.js";
import type { Policy } from "../plan/policy.js";
import { done, notMet, type Outcome } from "../rollout/execute.js";
import type { Sql, Values } from "../starrocks/sql.js";
import { isFe, labelOf } from "./node/context.js";
import type { Topology } from "./preflight/topology.js";

type Verification = Policy["verify"][number];

/** The user's own queries through whichever FE answers: after the canary. */
export const verifyThroughAny = async (topology: Topology, report: (seen: string) => void): Promise<Outcome> => {
  const [any] = topology.nodes;
  const { policy } = topology;
  if (!any || policy.verify.length === 0) {
    return notMet("no queries are declared");
  }
  const { frontends, limits } = any;
  const asked = await frontends.ask(async (sql) => {
    await verifyAll(sql, policy.verify, limits.command, report);
    return true;
  });
  if (!asked) {
    throw new UserError("No FE answered the declared queries (`rollout.verify`).");
  }
  return done;
};

/** The user's own queries through each FE: at the end. */
export const verifyThroughEach = async (
  topology: Pick<Topology, "nodes" | "policy">,
  report: (seen: string) => void,
): Promise<Outcome> => {
  const { policy } = topology;
  if (policy.verify.length === 0) {
    return notMet("no queries are declared");
  }
  for (const node of topology.nodes.filter(isFe)) {
    const contact = node.frontends.contacts.find(({ name }) => name === node.spec.name);
    if (contact) {
      report(`through ${labelOf(node.spec)}`);
      const sql = await node.frontends.through(contact);
      await verifyAll(sql, policy.verify, node.limits.command, report).catch((error) => {
        throw new UserError(`Through ${labelOf(node.spec)}: ${messageOf(error)}`);
      });
    }
  }
  return done;
};

const verifyAll = async (
  sql: Sql,
  verifications: Policy["verify"],
  limit: number,
  report: (seen: string) => void,
): Promise<void> => {
  for (const [index, verification] of verifications.entries()) {
    report(`query ${index + 1} of ${verifications.length}`);
    await verifyOne(sql, verification, limit);
  }
};

const verifyOne = async (sql: Sql, { sql: query, expect }: Verification, limit: number): Promise<void> => {
  let rows: readonly Values[];
  try {
    rows = await sql.table(query, limit);
  } catch (error) {
    throw new UserError(`The declared query "${query}" failed: ${messageOf(error)}`);
  }
  const wanted = expect?.map((row) => row.map((value) => (value === null ? null : String(value))));
  if (wanted && !isDeepStrictEqual(rows, wanted)) {
    throw new UserError(
      `The declared query "${query}" gave other rows than declared: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(rows.slice(0, 20))}.`,
    );
  }
};
