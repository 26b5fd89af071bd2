import { messageOf, TransientError, UserError } from "../../error.js";
import { mayStartOnDeclared } from "../../plan/preflight.js";
import { versionOfId } from "../../plan/release-id.js";
import { type Execution, notMet, type Outcome } from "../../rollout/execute.js";
import type { Run } from "../../rollout/run.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { isBe, isFe, labelOf, type NodeContext } from "../node/context.js";
import { converge } from "../node/converge.js";
import { nodeItem } from "../node/plan.js";
import { look } from "../node/works.js";
import type { Topology } from "./topology.js";

interface Asked {
  /** Nodes that it is about. Default: all. */
  readonly nodes?: readonly NodeContext[];
  /** What a host that cannot be asked means. Default: refused; else what the cluster says of its node counts. */
  readonly unreachable?: "refused" | "left";
}

/**
 * Starts every declared node that has run before and is down now, within the work of the item that this execution runs;
 * FEs first: without a majority nothing can be proven.
 */
export const repairDown = async (
  run: Run,
  topology: Topology,
  { item, report }: Pick<Execution, "item" | "report">,
  { nodes: asked = topology.nodes, unreachable = "refused" }: Asked = {},
): Promise<Outcome> => {
  const repaired: string[] = [];
  for (const kind of ["fe", "be"] as const) {
    const nodes = asked.filter(({ spec }) => spec.kind === kind);
    const homes = await Promise.all(nodes.map((node) => homeOf(node, unreachable)));
    const down = nodes.flatMap((node, index) => {
      const home = homes[index];
      return home && isDown(home) ? [{ node, home }] : [];
    });
    for (const { node, home } of down) {
      report(`starting ${labelOf(node.spec)}`);
      const spec = { ...node.spec, release: await releaseFor(topology, node, home) } as NodeContext["spec"];
      const action = { type: "repair", status: "stopped" } as const;
      const { id, wave, position } = item;
      const place = { id: `${labelOf(spec)}, found down`, within: id, wave, position };
      const own = { ...nodeItem(action, spec, run.placeOf(spec, node.position)), ...place };
      await converge({ ...node, spec }, action, own, async () => undefined);
      repaired.push(labelOf(node.spec));
    }
  }
  return repaired.length === 0 ? notMet("all run") : { mark: "done", detail: `started ${repaired.join(", ")}` };
};

/**
 * The release on which a node found down is started: the declared one, as it may be down because the one before was
 * bad. An FE whose turn has not come yet takes the one on which it was proven last.
 */
const releaseFor = async (
  topology: Topology,
  node: NodeContext,
  { current, marker, previous }: ObservedHome,
): Promise<NodeContext["spec"]["release"]> => {
  const { release } = node.spec;
  if (!isFe(node) || current === undefined || current === release.id) {
    return release;
  }
  const proven = marker?.releases.at(-1);
  const backends = await Promise.all(topology.nodes.filter(isBe).map(async (backend) => (await look(backend)).current));
  if (mayStartOnDeclared(release.version, { proven: proven?.version, backends: versionsOf(backends) })) {
    return release;
  }
  const { id, version } = proven ?? {};
  return id !== undefined && version !== undefined && [current, previous].includes(id)
    ? { id, version }
    : { id: current, version: versionOfId(current) };
};

/** Versions of the releases that are current in homes; a home that was never used has none. */
const versionsOf = (ids: readonly (string | undefined)[]): readonly string[] =>
  ids.flatMap((id) => (id === undefined ? [] : [versionOfId(id)]));

/** Whether it has run before, belongs here still, and does not run. */
const isDown = ({ marker, process }: ObservedHome): boolean =>
  process === undefined && (marker?.releases.length ?? 0) > 0 && marker?.left === undefined;

/** Undefined where the host cannot be asked, and that is no reason to refuse. */
const homeOf = async (node: NodeContext, unreachable: Asked["unreachable"]): Promise<ObservedHome | undefined> => {
  try {
    return await look(node);
  } catch (error) {
    if (!(error instanceof TransientError)) {
      throw error;
    }
    if (unreachable === "left") {
      return undefined;
    }
    throw new UserError(`${labelOf(node.spec)} could not be looked at: ${messageOf(error)}`);
  }
};
