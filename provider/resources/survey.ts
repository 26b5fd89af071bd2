import { messageOf, TransientError, UserError } from "../error.js";
import type { Outcome } from "../rollout/execute.js";
import { isSteady, Steady } from "../rollout/steady.js";
import { versionComment } from "../starrocks/statements.js";
import { runsVersion } from "../starrocks/versions.js";
import { type Look, until } from "../wait.js";
import { isFe, labelOf, type NodeContext } from "./node/context.js";
import type { Topology } from "./preflight/topology.js";

/** Sees every declared node Alive with the declared version, in equal readings, and queries through each FE. */
export const survey = async (topology: Topology, report: (seen: string) => void): Promise<Outcome> => {
  const [any] = topology.nodes;
  if (!any) {
    return { mark: "not met", detail: "no nodes are declared" };
  }
  const steady = new Steady();
  await until(() => lookAtAll(topology, any, steady), {
    what: `every declared node of ${topology.cluster} to be Alive with ${topology.release.version}`,
    limit: any.limits.alive,
    onProgress: report,
    advice: "`pulumi up --refresh` starts declared nodes that are down.",
  });
  for (const node of topology.nodes.filter(isFe)) {
    await query(topology, node);
  }
  return { mark: "done", detail: `${topology.nodes.length} nodes Alive with ${topology.release.version}` };
};

const lookAtAll = async (topology: Topology, any: NodeContext, steady: Steady): Promise<Look<void>> => {
  const rows = await any.frontends.rows();
  if (!rows) {
    steady.reset();
    return { done: false, seen: "no FE answers" };
  }
  const missing = topology.nodes.flatMap((node) => {
    const { spec } = node;
    const row = isFe(node)
      ? rows.frontends.find(
          ({ address, editLogPort }) => address === spec.address && editLogPort === node.spec.ports.editLog,
        )
      : rows.backends.find(({ address, heartbeatPort }) => address === spec.address && heartbeatPort === portOf(node));
    if (!row) {
      return [`${labelOf(spec)} is not in the cluster`];
    }
    if (!row.alive) {
      return [`${labelOf(spec)} is not Alive${row.errMsg ? ` (${row.errMsg})` : ""}`];
    }
    return runsVersion(row.version, topology.release.version)
      ? []
      : [`${labelOf(spec)} runs ${row.version ?? "no version"}`];
  });
  if (missing.length > 0) {
    steady.reset();
    return { done: false, seen: missing.join("; ") };
  }
  return isSteady(steady, "all Alive");
};

const portOf = ({ spec }: NodeContext): number => (spec.kind === "be" ? spec.ports.heartbeat : spec.ports.editLog);

const query = async (topology: Topology, node: NodeContext): Promise<void> => {
  const contact = node.frontends.contacts.find(({ name }) => name === node.spec.name);
  if (!contact) {
    return;
  }
  try {
    const version = await versionComment(await node.frontends.through(contact), node.limits.sql);
    if (!runsVersion(version, topology.release.version)) {
      throw new UserError(
        `${labelOf(node.spec)} answers as ${version ?? "no version"}, declared is ${topology.release.version}.`,
      );
    }
  } catch (error) {
    if (error instanceof TransientError) {
      throw new UserError(`A query through ${labelOf(node.spec)} failed: ${messageOf(error)}`);
    }
    throw error;
  }
};
