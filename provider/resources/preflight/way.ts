import { warn } from "../../engine/log.js";
import { UserError } from "../../error.js";
import { foundProblems, type Judgement, pathProblems, runningVersions } from "../../plan/paths/judge.js";
import type { ClusterRows } from "../../rollout/frontends.js";
import type { Run } from "../../rollout/run.js";
import { lookForHazards } from "../../starrocks/hazard-looks.js";
import { isFe } from "../node/context.js";
import { distinct, tellNotes, usesNames } from "../version-path.js";
import { feVersionOf, isOverlaid, type Topology } from "./topology.js";

type Problems = Judgement["problems"];

/** Judges the way from what the cluster really runs to what is declared, and looks in it for what stands in that way. */
export const assertWay = async (run: Run, topology: Topology, rows: ClusterRows): Promise<void> => {
  const [any] = topology.nodes;
  const declared = declaredIn(topology);
  const running = {
    frontends: runningVersions(rows.frontends.map(({ version }) => version)),
    backends: runningVersions(rows.backends.map(({ version }) => version)),
  };
  const judged = pathProblems({ ...declared, ...running, known: "running", policy: run.policy });
  assertNone(judged.problems);
  // Of what really runs: a state may have told preview otherwise, or nobody has looked at it.
  const left = distinct([...running.frontends, ...running.backends]).filter((version) => version !== declared.to);
  if (judged.notes.length > 0 && left.length > 0) {
    await tellNotes(topology, `${left.join(", ")} → ${declared.to}`, judged.notes);
  }
  if (!any || judged.toLookFor.length === 0) {
    return;
  }
  const found = await any.frontends.ask((sql) => lookForHazards(sql, judged.toLookFor, any.limits.sql));
  if (!found) {
    throw new UserError(
      "No FE answered when it was asked for what stands in the way of this version. Run `pulumi up` again.",
    );
  }
  const seen = foundProblems(found, run.policy);
  assertNone(seen.problems);
  for (const note of seen.notes) {
    await warn(topology.clusterUrn, note);
  }
};

/** A node whose host holds data, and the version on which its home says that it ran last. */
export interface LastRun {
  readonly kind: "fe" | "be";
  readonly version: string;
}

/**
 * What stands in the way from the versions on which nodes ran last: no state knows them after a destroy, and nodes that
 * are all down report none.
 */
export const problemsSince = (topology: Topology, lasts: readonly LastRun[]): readonly string[] => {
  const versions = (kind: LastRun["kind"]): readonly string[] =>
    runningVersions(lasts.flatMap((last) => (last.kind === kind ? [last.version] : [])));
  const { policy } = topology;
  const way = { known: "proven", policy, frontends: versions("fe"), backends: versions("be") } as const;
  return lasts.length === 0
    ? []
    : pathProblems({ ...declaredIn(topology), ...way }).problems.map(({ reason }) => reason);
};

/** The end of the way, as the program has it. */
const declaredIn = (topology: Topology) => ({
  to: feVersionOf(topology),
  overlay: isOverlaid(topology),
  fqdn: usesNames(topology),
  settings: topology.nodes.filter(isFe).map(({ spec }) => spec.config),
});

const assertNone = (problems: Problems): void => {
  if (problems.length > 0) {
    throw new UserError(problems.map(({ reason }) => reason).join("\n"));
  }
};
