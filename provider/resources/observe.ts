import { UserError } from "../error.js";
import { describeRisks, type TabletRisk } from "../plan/tablets.js";
import type { Outcome } from "../rollout/execute.js";
import { askLeader } from "../rollout/leader.js";
import { tabletsLacking } from "../rollout/tablets.js";
import { type LogMarks, markLogs, mergeLines } from "../starrocks/logs.js";
import { isSameProcess, type ObservedProcess, observeProcess } from "../starrocks/process.js";
import { observeStart } from "../starrocks/start.js";
import { versionOf } from "../starrocks/versions.js";
import { type Look, until } from "../wait.js";
import { labelOf, type NodeContext } from "./node/context.js";
import { assertNoEnd, lastWordsOf, logsOfNode } from "./node/watch.js";
import { type Topology, versionsText } from "./preflight/topology.js";
import { missingOf } from "./survey.js";

/**
 * Watches every node after the last one was changed. A process that ends, started again by somebody or not, or whose log
 * says that it has failed, fails the operation at once. Rows that are not Alive and tablets that have lost a replica since the beginning may recover until its
 * end, and are waited for then; those that lacked one before (as a new cluster's statistics do, for minutes) are not asked of.
 */
export const observe = async (topology: Topology, report: (seen: string) => void): Promise<Outcome> => {
  const [any] = topology.nodes;
  const milliseconds = topology.policy.observe * 1000;
  if (!any || milliseconds === 0) {
    return { mark: "not met", detail: "`rollout.observe` is 0" };
  }
  const ends = performance.now() + milliseconds;
  const followed = await Promise.all(topology.nodes.map(follow));
  let lacking: ReadonlySet<string> | undefined;
  await until<void>(
    async () => {
      await assertWell(followed);
      lacking ??= idsOf(await risksOf(any));
      const left = Math.ceil((ends - performance.now()) / 1000);
      return left > 0
        ? { done: false, seen: `${left} s left` }
        : verdict(await missingOf(topology), await risksOf(any), lacking);
    },
    {
      what: `every node of ${topology.cluster} to be Alive with ${versionsText(topology)}, and its tablets as well as before`,
      limit: milliseconds + any.limits.alive,
      every: Math.min(2000, milliseconds / 4),
      onProgress: report,
      advice:
        "`pulumi up --refresh` starts declared nodes that are down; ADMIN SHOW REPLICA STATUS tells of a table's replicas.",
    },
  );
  return { mark: "done", detail: `all well for ${topology.policy.observe} s` };
};

const verdict = (
  missing: readonly string[],
  risks: readonly TabletRisk[] | undefined,
  before: ReadonlySet<string> | undefined,
): Look<void> => {
  if (missing.length > 0 || !risks) {
    return { done: false, seen: missing.join("; ") || "no FE answers" };
  }
  const worse = risks.filter(({ tablet }) => before?.has(tablet) !== true);
  return worse.length > 0
    ? { done: false, seen: `tablets that have lost replicas since: ${describeRisks(worse)}` }
    : { done: true, value: undefined };
};

const idsOf = (risks: readonly TabletRisk[] | undefined): ReadonlySet<string> | undefined =>
  risks && new Set(risks.map(({ tablet }) => tablet));

const risksOf = ({ frontends, limits, spec }: NodeContext): Promise<readonly TabletRisk[] | undefined> =>
  askLeader(frontends, (sql) => tabletsLacking(sql, { version: versionOf(spec.release.version), limit: limits.sql }));

/** A node with its process when it began to be watched, and how far its logs have been read since. */
interface Followed {
  readonly node: NodeContext;
  readonly process: ObservedProcess | undefined;
  readonly logs: readonly string[];
  marks: LogMarks;
}

const follow = async (node: NodeContext): Promise<Followed> => {
  const { host, spec } = node;
  const logs = await logsOfNode(node);
  const [marks, process] = await Promise.all([markLogs(host, logs), observeProcess(host, spec.kind, spec.home)]);
  return { node, process, logs, marks };
};

/** One may have died between its proof and the first look: no process at all is as bad as another one. */
const assertWell = async (followed: readonly Followed[]): Promise<void> => {
  const looks = await Promise.all(
    followed.map(async (one) => {
      const { host, spec } = one.node;
      const { process, ...read } = await observeStart(host, spec.kind, spec.home, one.logs, one.marks);
      one.marks = read.marks;
      return {
        node: one.node,
        same: isSameProcess(one.process, process),
        lines: mergeLines(Object.values(read.texts)),
      };
    }),
  );
  const other = looks.find(({ same }) => !same)?.node;
  if (other) {
    throw new UserError(
      `${labelOf(other.spec)} was proven, and its process has ended since. ${await lastWordsOf(other)}\n` +
        "`pulumi up --refresh` starts it again.",
    );
  }
  for (const { node, lines } of looks) {
    assertNoEnd(node, lines);
  }
};
