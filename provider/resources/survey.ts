import { messageOf, TransientError, UserError } from "../error.js";
import type { Outcome } from "../rollout/execute.js";
import type { ClusterRows } from "../rollout/frontends.js";
import { isSteadySoon, Steady } from "../rollout/steady.js";
import { backendRow, frontendRow, nodeRow } from "../starrocks/rows.js";
import { addBackend, versionComment } from "../starrocks/statements.js";
import { runsVersion } from "../starrocks/versions.js";
import { until } from "../wait.js";
import { assertNoneLeaves, endCutShort } from "./decommission.js";
import { isBe, isFe, labelOf, type NodeContext } from "./node/context.js";
import { anyNode, type Topology, versionsText } from "./preflight/topology.js";
import { roleProblem } from "./role.js";

/** Sees every declared node in the cluster, and Alive with the declared version, in equal readings, and queries through each FE. */
export const survey = async (topology: Topology, report: (seen: string) => void): Promise<Outcome> => {
  const [any] = topology.nodes;
  if (!any) {
    return { mark: "not met", detail: "no nodes are declared" };
  }
  const rows = await any.frontends.rows();
  const mended = rows ? await mendMembers(topology.nodes, rows) : [];
  const steady = new Steady();
  await until(
    async () => {
      const missing = await missingOf(topology);
      if (missing.length === 0) {
        return isSteadySoon(steady, "all Alive");
      }
      steady.reset();
      return { done: false, seen: missing.join("; ") };
    },
    {
      what: `every declared node of ${topology.cluster} to be Alive with ${versionsText(topology)}`,
      limit: any.limits.alive,
      onProgress: report,
      advice: "`pulumi up --refresh` starts declared nodes that are down and adds those that are missing.",
    },
  );
  for (const node of topology.nodes.filter(isFe)) {
    await query(node);
  }
  const proven = `${topology.nodes.length} nodes Alive with ${versionsText(topology)}`;
  return { mark: "done", detail: [...mended, proven].join("; ") };
};

/**
 * Makes members of those of these BEs that are none, and keeps those that a removal was about to take out when it was cut
 * short; tells people what it did.
 */
export const mendMembers = async (nodes: readonly NodeContext[], rows: ClusterRows): Promise<readonly string[]> => {
  const added = await addDropped(nodes, rows);
  const kept = await endCutShort(nodes, rows);
  return [
    ...(added.length > 0 ? [`added again, as the cluster had lost ${added.join(", ")}`] : []),
    ...(kept.length > 0 ? [`canceled the decommission of ${kept.join(", ")}, which is declared again`] : []),
  ];
};

/**
 * Adds those of these BEs that the cluster does not have, and gives them: they were dropped, by a rebuild that was killed
 * half-way or by hand, which their members' state does not tell before a refresh.
 */
const addDropped = async (nodes: readonly NodeContext[], { backends }: ClusterRows): Promise<readonly string[]> => {
  const dropped = nodes.filter(isBe).filter(({ spec }) => !backendRow(spec, backends));
  for (const { frontends, limits, run, spec } of dropped) {
    run.lease?.assertHeld();
    await frontends.tell((sql) => addBackend(sql, spec.address, spec.ports.heartbeat, limits.sql));
  }
  return dropped.map(({ spec }) => labelOf(spec));
};

/**
 * What keeps every declared node from being Alive with the declared version, for people; none when nothing does. Rejects where
 * waiting does not heal it.
 */
export const missingOf = async (topology: Topology): Promise<readonly string[]> => {
  const rows = await anyNode(topology).frontends.rows();
  if (!rows) {
    return ["no FE answers"];
  }
  assertNoneLeaves(topology, rows);
  assertRoles(topology, rows);
  return topology.nodes.flatMap(({ spec }) => {
    const row = nodeRow(spec, rows);
    if (!row) {
      return [`${labelOf(spec)} is not in the cluster`];
    }
    if (!row.alive) {
      return [`${labelOf(spec)} is not Alive${row.errMsg ? ` (${row.errMsg})` : ""}`];
    }
    return runsVersion(row.version, spec.release.version)
      ? []
      : [`${labelOf(spec)} runs ${row.version ?? "no version"}`];
  });
};

const assertRoles = ({ nodes }: Topology, { frontends }: ClusterRows): void => {
  const [problem] = nodes.filter(isFe).flatMap(({ spec }) => roleProblem(spec, frontendRow(spec, frontends)) ?? []);
  if (problem !== undefined) {
    throw new UserError(problem);
  }
};

const query = async (node: NodeContext): Promise<void> => {
  const contact = node.frontends.contacts.find(({ name }) => name === node.spec.name);
  if (!contact) {
    return;
  }
  try {
    const version = await versionComment(await node.frontends.through(contact), node.limits.sql);
    const declared = node.spec.release.version;
    if (!runsVersion(version, declared)) {
      throw new UserError(`${labelOf(node.spec)} answers as ${version ?? "no version"}, declared is ${declared}.`);
    }
  } catch (error) {
    if (error instanceof TransientError) {
      throw new UserError(`A query through ${labelOf(node.spec)} failed: ${messageOf(error)}`);
    }
    throw error;
  }
};
