import { isDeepStrictEqual } from "node:util";
import { messageOf, TransientError, UserError } from "../error.js";
import type { Policy } from "../plan/policy.js";
import { done, notMet, type Outcome } from "../rollout/execute.js";
import { majorityAdvice } from "../rollout/frontends.js";
import type { Sql, Values } from "../starrocks/sql.js";
import { until } from "../wait.js";
import { isFe, labelOf, type NodeContext } from "./node/context.js";
import type { Topology } from "./preflight/topology.js";

type Verification = Policy["verify"][number];

type Report = (seen: string) => void;

/** The user's own queries through whichever FE answers: after the canary. */
export const verifyThroughAny = async (
  topology: Pick<Topology, "nodes" | "policy">,
  report: Report,
): Promise<Outcome> => {
  const [any] = topology.nodes;
  const { policy } = topology;
  if (!any || policy.verify.length === 0) {
    return notMet("no queries are declared");
  }
  const { frontends, limits } = any;
  return answered("an FE", limits, report, async () => {
    let passing: TransientError | undefined;
    const result = await frontends.ask(async (sql) => {
      try {
        await verifyAll(sql, policy.verify, limits.command, report);
        return done;
      } catch (error) {
        if (error instanceof TransientError) {
          passing = error;
          throw error;
        }
        // It is an answer: no other FE is asked for a better one.
        return error as Error;
      }
    });
    return result ?? passing ?? new TransientError("no FE answers");
  });
};

/** The user's own queries through each FE: at the end. */
export const verifyThroughEach = async (
  topology: Pick<Topology, "nodes" | "policy">,
  report: Report,
): Promise<Outcome> => {
  const { policy } = topology;
  if (policy.verify.length === 0) {
    return notMet("no queries are declared");
  }
  for (const node of topology.nodes.filter(isFe)) {
    const { frontends, limits, spec } = node;
    const contact = frontends.contacts.find(({ name }) => name === spec.name);
    if (contact) {
      report(`through ${labelOf(spec)}`);
      await answered(labelOf(spec), limits, report, async () => {
        try {
          await verifyAll(await frontends.through(contact), policy.verify, limits.command, report);
          return done;
        } catch (error) {
          if (error instanceof TransientError) {
            frontends.forget(contact);
            return error;
          }
          return new UserError(`Through ${labelOf(spec)}: ${messageOf(error)}`);
        }
      });
    }
  }
  return done;
};

/**
 * Asks until there is an answer, whichever it is: for a second nobody leads, when a leader has gone, and a node that is
 * well must not be taken back for that.
 */
const answered = (
  who: string,
  { leader }: NodeContext["limits"],
  report: Report,
  ask: () => Promise<Outcome | Error>,
): Promise<Outcome> =>
  until<Outcome>(
    async () => {
      const result = await ask();
      if (result instanceof TransientError) {
        return { done: false, seen: messageOf(result) };
      }
      if (result instanceof Error) {
        throw result;
      }
      return { done: true, value: result };
    },
    {
      what: `${who} to answer the declared queries (\`rollout.verify\`)`,
      limit: leader,
      onProgress: report,
      advice: majorityAdvice,
    },
  );

const verifyAll = async (sql: Sql, verifications: Policy["verify"], limit: number, report: Report): Promise<void> => {
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
    if (error instanceof TransientError) {
      throw error;
    }
    throw new UserError(`The declared query "${query}" failed: ${messageOf(error)}`);
  }
  const wanted = expect?.map((row) => row.map((value) => (value === null ? null : String(value))));
  if (wanted && !isDeepStrictEqual(rows, wanted)) {
    throw new UserError(
      `The declared query "${query}" gave other rows than declared: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(rows.slice(0, 20))}.`,
    );
  }
};
