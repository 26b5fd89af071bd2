import { explained, UserError } from "../../error.js";
import { closesBdb } from "../../plan/back.js";
import type { Action } from "../../plan/node.js";
import type { NodeSpec } from "../../plan/spec.js";
import { deeds, type Item, type Step } from "../../plan/steps.js";
import { RefusedTurn } from "../../rollout/turnstile.js";
import { labelOf, type NodeContext } from "./context.js";

/** How far a node came before it failed, so that the state can tell the truth. */
export class NodeFailure extends UserError {
  constructor(
    message: string,
    /** Whether the node is left otherwise than its state says. */
    readonly touched: boolean,
    options: { readonly cause: unknown },
  ) {
    super(message, options);
  }
}

/** What a failed change left behind. */
export type Left =
  | { readonly as: "untouched" | "not started" | "stopped again" | "it is" }
  | { readonly as: "before"; readonly what: string }
  | { readonly as: "rebuilt"; readonly version: string; readonly why?: string; readonly how: string }
  | { readonly as: "stuck"; readonly why: string };

/** Where a change failed, and how the node is left. */
interface Failed {
  readonly context: NodeContext;
  readonly action: Action;
  readonly item: Item;
  /** Undefined where none was begun. */
  readonly step: Step | undefined;
  readonly left: Left;
}

/** The error that people read: node, step, what was seen, and what to do. What nobody can act on crashes as it is, where nothing was touched. */
export const failureOf = (error: unknown, { action, context, item, left, step }: Failed): unknown => {
  if ((left.as === "untouched" || left.as === "not started") && !(error instanceof UserError)) {
    return error;
  }
  const { spec, host } = context;
  const deed = step ? deeds[step.verb] : "begin";
  const at = step ? `step ${item.steps.indexOf(step) + 1} of ${item.steps.length}` : "at the beginning";
  const others = action.type === "create" ? "" : " No other node is touched any more.";
  const back =
    action.type === "version" &&
    left.as === "it is" &&
    !closesBdb({ kind: spec.kind, from: action.from.version, to: action.to.version })
      ? ` Declaring ${action.from.version} again takes this node back.`
      : "";
  const reason = error instanceof RefusedTurn ? error.reason : explained(error).message;
  const message =
    `${labelOf(spec)} (${host.name}) failed to ${deed} (${at}: ${item.change}).\n${reason}\n` +
    `${leftText(spec, action, left)}${others} Mend the cause and run \`pulumi up\` again: it goes on from here.${back}`;
  return new NodeFailure(message, left.as === "it is" || left.as === "stuck", { cause: error });
};

/** How a node is left, for people. */
export const leftText = (spec: NodeSpec, action: Action, left: Left): string => {
  const label = labelOf(spec);
  switch (left.as) {
    case "untouched":
      return action.type === "create" ? "It does not run; no data was removed." : `${label} was not touched.`;
    case "not started":
      return "It was not started; no data was removed.";
    case "stopped again":
      return "It was stopped again; no data was removed.";
    case "it is":
      return `${label} is left as it is; its data is untouched.`;
    case "before":
      return `${label} was taken back to ${left.what} and is proven there.`;
    case "rebuilt":
      return lines(left.why, `${label} was rebuilt with ${left.version}: ${left.how}.`);
    case "stuck":
      return left.why;
  }
};

/** Those of the texts that there are, a line each. */
export const lines = (...texts: readonly (string | undefined)[]): string => texts.filter(Boolean).join("\n");
