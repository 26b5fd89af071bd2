import { messageOf, TransientError, UserError } from "../error.js";
import type { Outcome } from "../rollout/execute.js";
import { isSteady, Steady } from "../rollout/steady.js";
import { observeProcess } from "../starrocks/process.js";
import { backendRow, frontendRow } from "../starrocks/rows.js";
import { versionComment } from "../starrocks/statements.js";
import { runsVersion } from "../starrocks/versions.js";
import { until } from "../wait.js";
import { isFe, labelOf, type NodeContext } from "./node/context.js";
import { type Topology, versionsText } from "./preflight/topology.js";

/** Sees every declared node Alive with the declared version, in equal readings, and queries through each FE. */
export const survey = async (topology: Topology, report: (seen: string) => void): Promise<Outcome> => {
  const [any] = topology.nodes;
  if (!any) {
    return { mark: "not met", detail: "no nodes are declared" };
  }
  const steady = new Steady();
  await until(
    async () => {
      const missing = await missingOf(topology, any);
      if (missing.length === 0) {
        return isSteady(steady, "all Alive");
      }
      steady.reset();
      return { done: false, seen: missing.join("; ") };
    },
    {
      what: `every declared node of ${topology.cluster} to be Alive with ${versionsText(topology)}`,
      limit: any.limits.alive,
      onProgress: report,
      advice: "`pulumi up --refresh` starts declared nodes that are down.",
    },
  );
  for (const node of topology.nodes.filter(isFe)) {
    await query(node);
  }
  return { mark: "done", detail: `${topology.nodes.length} nodes Alive with ${versionsText(topology)}` };
};

/** What keeps every declared node from being Alive with the declared version, for people; none when nothing does. */
const missingOf = async ({ nodes }: Topology, any: NodeContext): Promise<readonly string[]> => {
  const rows = await any.frontends.rows();
  if (!rows) {
    return ["no FE answers"];
  }
  return nodes.flatMap(({ spec }) => {
    const row = spec.kind === "fe" ? frontendRow(spec, rows.frontends) : backendRow(spec, rows.backends);
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

/**
 * Watches every node after the last one was changed: a process that ends and is started again by somebody, or a row that is
 * not Alive any more, ends the operation as failed.
 */
export const observe = async (topology: Topology, report: (seen: string) => void): Promise<Outcome> => {
  const [any] = topology.nodes;
  const milliseconds = topology.policy.observe * 1000;
  if (!any || milliseconds === 0) {
    return { mark: "not met", detail: "`rollout.observe` is 0" };
  }
  const ends = performance.now() + milliseconds;
  const before = await processes(topology);
  await until<void>(
    async () => {
      const now = await processes(topology);
      // One may have died between its proof and the first look.
      const other = topology.nodes.find((_, index) => before[index] !== now[index] || now[index] === noProcess);
      if (other) {
        throw new UserError(
          `${labelOf(other.spec)} was proven, and its process has ended since. Look at its log in ${other.spec.home}/log on ${other.host.name}; ` +
            "`pulumi up --refresh` starts it again.",
        );
      }
      const missing = await missingOf(topology, any);
      const left = Math.ceil((ends - performance.now()) / 1000);
      if (left > 0) {
        return { done: false, seen: `${left} s left` };
      }
      return missing.length === 0 ? { done: true, value: undefined } : { done: false, seen: missing.join("; ") };
    },
    {
      what: `every node of ${topology.cluster} to stay Alive with ${versionsText(topology)}`,
      limit: milliseconds + any.limits.alive,
      every: Math.min(2000, milliseconds / 4),
      onProgress: report,
      advice: "`pulumi up --refresh` starts declared nodes that are down.",
    },
  );
  return { mark: "done", detail: `all well for ${topology.policy.observe} s` };
};

const noProcess = "none";

const processes = (topology: Topology): Promise<readonly string[]> =>
  Promise.all(
    topology.nodes.map(async ({ host, spec }) => {
      const process = await observeProcess(host, spec.kind, spec.home);
      return process ? `${process.pid} ${process.startedAt}` : noProcess;
    }),
  );

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
