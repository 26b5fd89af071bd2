import { UserError } from "../../error.js";
import { strangers } from "../../plan/expected.js";
import { underWay, underWaySource } from "../../plan/paths/rows/jumps.js";
import { versionOfId } from "../../plan/release-id.js";
import { done, notMet, type Outcome } from "../../rollout/execute.js";
import type { ClusterRows } from "../../rollout/frontends.js";
import { healthOf } from "../../rollout/health.js";
import type { Run } from "../../rollout/run.js";
import { decommissioning } from "../../rollout/tablets.js";
import { holdsMetadata } from "../../starrocks/folders.js";
import { isInUse } from "../../starrocks/marker.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { backendName, frontendRow, nodeRow } from "../../starrocks/rows.js";
import { until } from "../../wait.js";
import { isFe, labelOf, type NodeContext } from "../node/context.js";
import { nodeId } from "../node/plan.js";
import { look } from "../node/works.js";
import { mendMembers } from "../survey.js";
import { assertClocks } from "./clocks.js";
import { anyNode, type Topology } from "./topology.js";
import { assertWay } from "./way.js";

interface Seen {
  readonly node: NodeContext;
  readonly home: ObservedHome;
}

/** Everything Alive as expected, as far as there is a cluster that can be asked; then each further stop is asked for too. */
export const assertHealthy = async (run: Run, topology: Topology, report: (seen: string) => void): Promise<Outcome> => {
  const { frontends, limits } = anyNode(topology);
  const nodes = await Promise.all(topology.nodes.map(async (node) => ({ node, home: await look(node) })));
  if (!clusterExists(nodes)) {
    return notMet("there is no cluster yet");
  }
  const inUse = nodes.filter(({ home }) => isInUse(home.marker)).map(({ node }) => node);
  let mended: readonly string[] | undefined;
  const rows = await until<ClusterRows>(
    async () => {
      const seen = await frontends.rows();
      if (!seen) {
        return { done: false, seen: "no FE answers" };
      }
      assertMembers(nodes, seen);
      assertThere(nodes, seen);
      if (mended === undefined) {
        mended = await mendMembers(inUse, seen);
        if (mended.length > 0) {
          return { done: false, seen: mended.join("; ") };
        }
      }
      const wrong = [...downNames(seen).map((name) => `${name} not Alive`), ...strangersIn(run, nodes, seen)];
      return wrong.length === 0 ? { done: true, value: seen } : { done: false, seen: wrong.join(", ") };
    },
    {
      what: "every FE and BE of the cluster to be Alive with its version before the first one is stopped",
      limit: Math.max(limits.alive, limits.leader),
      onProgress: report,
      advice:
        "Nothing was stopped. Bring the nodes named here back, or drop them from the cluster. One that runs another version was changed by " +
        "somebody else: `pulumi up --refresh` records what runs there and plans from that; or restart it from `current` in its home.",
    },
  );
  run.answers = true;
  run.journal.health("before", healthOf(rows));
  assertSettled(run, rows);
  await assertClocks(topology);
  await assertWay(run, topology, rows);
  return mended?.length ? { mark: "done", detail: mended.join("; ") } : done;
};

/**
 * An FE that has metadata of the group and is not in it was dropped by hand. All that is asked before a stop is asked of
 * members: it could be stopped, and would never come back.
 */
const assertMembers = (nodes: readonly Seen[], { frontends }: ClusterRows): void => {
  const dropped = nodes.find(
    ({ node: { spec }, home: { data, marker } }) =>
      spec.kind === "fe" && data.some(holdsMetadata) && marker?.left === undefined && !frontendRow(spec, frontends),
  );
  if (dropped) {
    const { host, spec } = dropped.node;
    throw new UserError(
      `${labelOf(spec)} on ${host.name} has metadata, but SHOW FRONTENDS does not list it: somebody has dropped it. Nothing was stopped. ` +
        "Take it out of the program; or stop it, move its metadata folder away, and let `pulumi up --refresh` add it anew.",
    );
  }
};

/**
 * A member whose host was reinstalled, or got a new disk, is brought back by its own repair, which comes after the gate: with a
 * change of the others it would be waited for in vain. Nor can it be started here, before a change of the version: the release on
 * which it would have to come first is on its host no more.
 */
const assertThere = (nodes: readonly Seen[], rows: ClusterRows): void => {
  const gone = nodes.find(
    ({ node: { spec }, home: { current, marker, process } }) =>
      !marker && current === undefined && !process && nodeRow(spec, rows)?.alive === false,
  );
  if (gone) {
    const { host, spec } = gone.node;
    throw new UserError(
      `Nothing of ${labelOf(spec)} is on ${host.name} any more (${spec.home} holds no marker), but its cluster has it, not Alive: ` +
        "was the host reinstalled, or its disk replaced? Nothing was stopped. " +
        "First run `pulumi up --refresh` with the program as it was, which brings release and node back, then this change.",
    );
  }
};

/** Whether an FE of this cluster has ever run: then not answering is a fault, not the beginning. */
const clusterExists = (nodes: readonly Seen[]): boolean =>
  nodes.some(({ node, home }) => isFe(node) && home.data.some(holdsMetadata));

const strangersIn = (run: Run, nodes: readonly Seen[], rows: ClusterRows): readonly string[] =>
  strangers(
    nodes.map(({ node: { spec }, home }) => ({
      label: labelOf(spec),
      reported: nodeRow(spec, rows)?.version,
      declared: spec.release.version,
      known: knownIn(home),
      // Not only what this program gave it: a refresh records what somebody else did.
      planned: run.items.get(nodeId(spec))?.from,
    })),
  );

/** A switch of ours leaves the release in `bin/`, too. */
const knownIn = ({ binRelease, current, marker }: ObservedHome): readonly string[] => [
  ...(marker?.releases.slice(-1) ?? []).map(({ version }) => version),
  ...(current !== undefined && current === binRelease ? [versionOfId(current)] : []),
];

/** A BE that gives its tablets away needs all the others. */
const assertSettled = (run: Run, { backends }: ClusterRows): void => {
  const leaving = decommissioning(backends).join(", ");
  if (leaving === "") {
    return;
  }
  if (!run.policy.acceptHazards.includes(underWay)) {
    throw new UserError(
      `${leaving} is being decommissioned: its tablets move to the other BEs, which must not be stopped meanwhile. ` +
        "Wait until it has left SHOW BACKENDS, or end it with CANCEL DECOMMISSION BACKEND. " +
        `Source: ${underWaySource}. ` +
        `To do it nevertheless, name it: acceptHazards: ["${underWay}"].`,
    );
  }
  run.journal.note(`accepted ${underWay}: ${leaving} is being decommissioned`);
};

const downNames = ({ frontends, backends }: ClusterRows): readonly string[] => [
  ...frontends.filter(({ alive }) => !alive).map(({ address }) => `FE ${address}`),
  ...backends.filter(({ alive }) => !alive).map(backendName),
];
