import type { Plain } from "../../engine/outputs.js";
import {
  type Action,
  changeText,
  nodeSteps,
  type Recorded,
  type Status,
  statuses,
  stopsNode,
} from "../../plan/node.js";
import { type Place, theOthers } from "../../plan/place.js";
import type { NodeSpec } from "../../plan/spec.js";
import type { Item, Wave } from "../../plan/steps.js";
import { specOf } from "./context.js";

export const waveOf = (spec: NodeSpec): Wave => {
  if (spec.kind === "be") {
    return "backends";
  }
  return ({ leader: "leader", follower: "followers", observer: "observers" } as const)[spec.role];
};

/** The id of a node's item. */
export const nodeId = ({ kind, name }: Pick<NodeSpec, "kind" | "name">): string => `${kind.toUpperCase()} ${name}`;

/** The node in a plan: the same item for the preview's words and for the run. */
export const nodeItem = (action: Action, spec: NodeSpec, { group, manner, position }: Place): Item => ({
  id: nodeId(spec),
  wave: waveOf(spec),
  position,
  ...groupOf(action, { group, manner }),
  change: changeText(action, spec),
  ...(action.type === "version" && { from: action.from.version, to: action.to.version }),
  stops: stopsNode(action),
  ...(action.type === "create" && { first: true as const }),
  steps: nodeSteps(action, spec, manner),
});

/** Nodes are stopped group by group; first starts wait for nobody but the canary. */
const groupOf = (action: Action, { group, manner }: Pick<Place, "group" | "manner">): Pick<Item, "group"> => {
  if (group === undefined || !(stopsNode(action) || action.type === "create")) {
    return {};
  }
  return { group: stopsNode(action) || manner.canary ? group : theOthers };
};

/** What a state says of a node, from its outputs. */
export const recordedOf = (kind: "fe" | "be", outputs: Plain): Recorded => ({
  spec: specOf(kind, outputs),
  status: statuses.find((status): status is Status => status === outputs.status) ?? "running",
  // Earlier releases recorded the values, too: `mem_limit: declared …`.
  drift: Array.isArray(outputs.drift) ? outputs.drift.map((entry) => String(entry).replace(/:.*/, "")) : [],
});
