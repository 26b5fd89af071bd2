import { UserError } from "../../error.js";
import type { BeSpec } from "../../plan/spec.js";
import { describeEach, describeRisks, describeUnavoidable, type Verdict } from "../../plan/tablets.js";
import { done, notMet, type Outcome } from "../../rollout/execute.js";
import { askLeader } from "../../rollout/leader.js";
import type { Run } from "../../rollout/run.js";
import { tabletsWithoutEach } from "../../rollout/tablets.js";
import { backendRow } from "../../starrocks/rows.js";
import { type Look, until } from "../../wait.js";
import { isBe, labelOf, type NodeContext } from "../node/context.js";
import { speaks } from "../node/tablets.js";
import { look, runsAsDeclared } from "../node/works.js";
import type { Topology } from "./topology.js";

interface Judged {
  readonly label: string;
  readonly verdict: Verdict;
}

/**
 * Asks before the first stop what each BE's own turn asks again: else the last BE would wait, and be refused, when all
 * the others run the new version already.
 */
export const tabletsAllowAll = async (
  run: Run,
  topology: Topology,
  report: (seen: string) => void,
): Promise<Outcome> => {
  if (!run.answers) {
    return notMet("there is no cluster yet");
  }
  const stopping = await thoseToStop(topology);
  const [any] = stopping;
  if (!any) {
    return notMet("no BE is stopped");
  }
  await until<void>(() => lookOnce(run, stopping), {
    what: "every tablet to be safe without each BE that is going to be stopped",
    limit: any.limits.tablets,
    every: 500,
    onProgress: report,
    advice:
      "These tablets would lose more than their tables' replication allows. Wait for their repair " +
      "(ADMIN SHOW REPLICA STATUS FROM <table>), or raise `limits.tablets`.",
  });
  return done;
};

/** BEs that run otherwise than declared. */
const thoseToStop = async ({ nodes }: Topology): Promise<readonly NodeContext<BeSpec>[]> => {
  const backends = nodes.filter(isBe);
  const homes = await Promise.all(backends.map(look));
  return backends.filter((node, index) => {
    const home = homes[index];
    return home?.process !== undefined && !runsAsDeclared(node, home);
  });
};

const lookOnce = async (run: Run, stopping: readonly NodeContext<BeSpec>[]): Promise<Look<void>> => {
  await run.assertGoing("The cluster");
  const judged = await judge(stopping);
  if (!judged) {
    return { done: false, seen: "no FE answers" };
  }
  if (run.policy.singleReplicaTables === "refuse") {
    assertAvoidable(judged);
  }
  const waiting = judged.flatMap(({ label, verdict }) =>
    verdict.waiting.length > 0 ? [{ label, text: describeRisks(verdict.waiting) }] : [],
  );
  return waiting.length === 0
    ? { done: true, value: undefined }
    : { done: false, seen: `waiting for tablets: ${describeEach(waiting)}` };
};

const judge = async (stopping: readonly NodeContext<BeSpec>[]): Promise<readonly Judged[] | undefined> => {
  const [any] = stopping;
  const rows = await any?.frontends.rows();
  if (!any || !rows) {
    return undefined;
  }
  const known = stopping.flatMap((node) => {
    const row = backendRow(node.spec, rows.backends);
    return row ? [{ label: labelOf(node.spec), id: row.id }] : [];
  });
  const verdicts = await askLeader(any.frontends, (sql) =>
    tabletsWithoutEach(sql, {
      leaving: known.map(({ id }) => id),
      version: speaks(rows, any.spec),
      limit: any.limits.sql,
    }),
  );
  return verdicts?.flatMap((verdict, index) => {
    const one = known[index];
    return one ? [{ label: one.label, verdict }] : [];
  });
};

/** No waiting helps here. */
const assertAvoidable = (judged: readonly Judged[]): void => {
  const tables = judged.flatMap(({ label, verdict }) =>
    verdict.unavoidable.length > 0 ? [{ label, text: describeUnavoidable(verdict.unavoidable) }] : [],
  );
  if (tables.length > 0) {
    throw new UserError(
      `No BE is stopped, as \`singleReplicaTables\` is "refuse" and these tables cannot do without one: ${describeEach(tables)}. ` +
        "Raise their replication_num, or let them be reported.",
    );
  }
};
