import { versionOfId } from "../../plan/release-id.js";
import type { ClusterRows } from "../../rollout/frontends.js";
import type { NodeNow } from "../../rollout/node-states.js";
import type { Run } from "../../rollout/run.js";
import { nodeRow } from "../../starrocks/rows.js";
import { parseReported } from "../../starrocks/versions.js";
import type { NodeContext } from "../node/context.js";
import { nodeId } from "../node/plan.js";
import { look } from "../node/works.js";
import type { Topology } from "./topology.js";

const stopped = "stopped";

/** Every declared node with what it runs now and what became of it, for the report of an operation that failed. */
export const nodesNow = (run: Run, topology: Topology, rows: ClusterRows | undefined): Promise<readonly NodeNow[]> =>
  Promise.all(
    topology.nodes.map(async (node) => {
      const label = nodeId(node.spec);
      const state = run.journal.stateOf(label);
      // The cluster hears late of one that was stopped or has died just now.
      const asked = state !== "not touched" && state !== "as declared already";
      const runs = asked ? await atHome(node) : inRows(node, rows);
      return { label, state: state === "done" && runs === stopped ? "failed" : state, runs };
    }),
  );

const atHome = async (node: NodeContext): Promise<string | undefined> => {
  const home = await look(node).catch(() => undefined);
  if (!home) {
    return undefined;
  }
  return home.process && home.current !== undefined ? versionOfId(home.current) : stopped;
};

const inRows = ({ spec }: NodeContext, rows: ClusterRows | undefined): string | undefined => {
  const row = rows && nodeRow(spec, rows);
  return row && (row.alive ? parseReported(row.version)?.text : "not Alive");
};
