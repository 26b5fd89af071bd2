import { backendWaves } from "./backend-waves.js";
import type { Manner } from "./node.js";
import type { Policy } from "./policy.js";
import type { BeSpec, NodeSpec } from "./spec.js";

/** Where a node has its place among those of its kind, and in which manner it is changed. */
export interface Place {
  /** Place in the plan within its wave. */
  readonly position: number;
  /** Only nodes of one turn are down together. */
  readonly turn: number;
  /** For people, where there is more than one turn. */
  readonly group?: string;
  readonly manner: Manner;
}

/** All but the canary. */
export const theOthers = "the others";

export interface Declared {
  readonly nodes: readonly NodeSpec[];
  readonly policy: Policy;
  readonly maxUnavailable: number;
}

/** The places of all nodes of a declared cluster, by kind and name. */
export const placesOf = ({ nodes, policy, maxUnavailable }: Declared): ReadonlyMap<string, Place> => {
  const backends = nodes.flatMap((spec) => (spec.kind === "be" ? [spec] : []));
  const waves = backendWaves(backends, { canary: policy.canary, maxUnavailable });
  const order = waves.flat();
  const voters = nodes.filter((spec) => spec.kind === "fe" && spec.role !== "observer").length;
  const racks = backends.some(({ rack }) => rack !== undefined);
  const placeOf = (spec: NodeSpec, position: number): Place => {
    if (spec.kind === "fe") {
      return { position, turn: 0, manner: { group: voters > 1 } };
    }
    const turn = waves.findIndex((wave) => wave.includes(spec.name));
    const canary = spec.name === policy.canary;
    const rack = racks ? `rack ${spec.rack ?? "of its own"}` : theOthers;
    const group = canary ? "canary, alone" : rack;
    return {
      position: order.indexOf(spec.name),
      turn,
      ...((racks || policy.canary) && waves.length > 1 && { group }),
      manner: {
        group: false,
        ...(canary && {
          canary: {
            soak: policy.soak,
            verify: policy.verify.length > 0,
            rebuild: policy.onUnrecoverable === "rebuild",
          },
        }),
      },
    };
  };
  return new Map(nodes.map((spec, position) => [keyOf(spec), placeOf(spec, position)]));
};

/** The rack of each BE by a name for it; none where no BE has one. A BE without one among racks is one by itself. */
export const racksOf = (nodes: readonly NodeSpec[], nameOf: (spec: BeSpec) => string): ReadonlyMap<string, string> => {
  const backends = nodes.flatMap((spec) => (spec.kind === "be" ? [spec] : []));
  return backends.some(({ rack }) => rack !== undefined)
    ? new Map(
        backends.map((spec) => [nameOf(spec), spec.rack === undefined ? `node ${spec.name}` : `rack ${spec.rack}`]),
      )
    : new Map();
};

export const keyOf = ({ kind, name }: Pick<NodeSpec, "kind" | "name">): string => `${kind} ${name}`;

/** A node that is declared alone: no cluster tells its place. */
export const nowhere = (position: number): Place => ({ position, turn: 0, manner: { group: false } });
