import { z } from "zod";
import { progressOf } from "../../engine/log.js";
import type { Plain } from "../../engine/outputs.js";
import type { Connection } from "../../host/connection.js";
import { hostFor } from "../../host/pool.js";
import type { Host } from "../../host/types.js";
import { type Limits, limitsOf } from "../../plan/limits.js";
import { type BeSpec, beFields, beSpec, type FeSpec, feFields, feSpec, type NodeSpec } from "../../plan/spec.js";
import { Frontends } from "../../rollout/frontends.js";
import { type Run, runOf } from "../../rollout/run.js";
import { beNodeInputs, feNodeInputs, read } from "../inputs.js";
import { accessSecrets, within } from "../reach.js";

/** All that the work on one node needs. */
export interface NodeContext<S extends NodeSpec = NodeSpec> {
  readonly spec: S;
  readonly host: Host;
  readonly frontends: Frontends;
  readonly run: Run;
  readonly limits: Limits;
  readonly position: number;
  readonly preflight: string | undefined;
  /** What its log is cleaned of, besides secrets among its settings. */
  readonly secrets: readonly string[];
  /** Whether the state knows the node: then its folders were made before. */
  readonly recorded?: boolean;
  /** Shows in the resource's row what is going on. */
  readonly progress: (text: string) => void;
  readonly urn: string | undefined;
}

/** Takes what is seen while something is waited for. */
export type Report = (seen: string) => void;

/** What else is known where a node is asked whether it may stop. */
export interface StopAsked {
  /** Nodes that are down, by `down`, whatever the cluster's rows still say of them. */
  readonly down?: readonly string[];
  /** It has failed and is going to be taken back: the operation is closed by that, and nothing is refused for its own sake. */
  readonly failed?: {
    /** Whether its process has ended by itself: then there is nothing to ask any more. */
    readonly isGone: () => Promise<boolean>;
  };
}

/** For people: `BE be-1`. */
export const labelOf = (spec: NodeSpec): string => `${spec.kind.toUpperCase()} ${spec.name}`;

// Made once: zod compiles a schema at its first use.
const feSchema = z.object(feFields);
const beSchema = z.object(beFields);

/** The node that inputs or recorded outputs describe. */
export const specOf = (kind: "fe" | "be", inputs: Plain): NodeSpec =>
  kind === "fe" ? feSpec({ ...read(feSchema, inputs), kind }) : beSpec({ ...read(beSchema, inputs), kind });

/** Where inputs put a node in the plan of its cluster. */
export const placeOf = (inputs: Plain): { readonly run: Run; readonly position: number } => ({
  run: runOf(String(inputs.cluster)),
  position: typeof inputs.position === "number" ? inputs.position : 0,
});

export const contextOf = (kind: "fe" | "be", inputs: Plain): NodeContext => {
  const { __urn, position, connection, sql, frontends, preflight, limits } =
    kind === "fe" ? read(feNodeInputs, inputs) : read(beNodeInputs, inputs);
  const spec = specOf(kind, inputs);
  return assemble(spec, connection, {
    sql,
    contacts: frontends,
    limits: limitsOf(limits),
    position,
    preflight,
    urn: __urn,
  });
};

interface Surroundings {
  readonly sql: { readonly user: string; readonly password?: string | undefined };
  readonly contacts: Frontends["contacts"];
  readonly limits: Limits;
  readonly position: number;
  readonly preflight: string | undefined;
  readonly urn: string | undefined;
}

/** A node with the way to it: from its own inputs, or from the topology of the whole cluster. */
export const assemble = (spec: NodeSpec, connection: Connection, around: Surroundings): NodeContext => ({
  spec,
  host: hostFor(within(around.limits, connection)),
  frontends: new Frontends({
    cluster: spec.cluster,
    contacts: around.contacts,
    connection: within(around.limits, connection),
    sql: around.sql,
    limits: around.limits,
  }),
  run: runOf(spec.cluster),
  limits: around.limits,
  position: around.position,
  preflight: around.preflight,
  secrets: accessSecrets({ connection, sql: around.sql }),
  progress: progressOf(around.urn),
  urn: around.urn,
});

export const isFe = (context: NodeContext): context is NodeContext<FeSpec> => context.spec.kind === "fe";
export const isBe = (context: NodeContext): context is NodeContext<BeSpec> => context.spec.kind === "be";
