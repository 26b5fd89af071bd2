import { hold } from "../../engine/end.js";
import { messageOf, UserError } from "../../error.js";
import type { Action } from "../../plan/node.js";
import type { Item } from "../../plan/steps.js";
import { verbs } from "../../plan/steps.js";
import { done, Execution, type Outcome, skipped, type Works } from "../../rollout/execute.js";
import { PreflightFailed, RefusedTurn } from "../../rollout/turnstile.js";
import { stopProcess } from "../../starrocks/stop.js";
import { BeWork } from "./be.js";
import { isBe, isFe, labelOf, type NodeContext } from "./context.js";
import { FeWork } from "./fe.js";
import { configure, folders, look, runsAsDeclared, stop, switchRelease } from "./works.js";

/** The differences between the kinds of node, behind one face. */
interface KindWork {
  /** Whether the start script was run here: then what it left is ours to stop. */
  readonly started: boolean;
  /** How `down` names this node. */
  readonly row: string;
  readonly down: () => Promise<readonly string[]>;
  note(): Promise<void>;
  readonly start: () => Promise<Outcome>;
  readonly prove: (report: (seen: string) => void) => Promise<Outcome>;
}

const workOf = (context: NodeContext): KindWork => {
  if (isFe(context)) {
    return new FeWork(context);
  }
  if (isBe(context)) {
    return new BeWork(context);
  }
  throw new Error(`No work for a node of kind ${(context as NodeContext).spec.kind}`);
};

/** What is asked once before the first running node is stopped; rejects with `RefusedTurn`. */
export type Gate = (node: string, report: (seen: string) => void) => Promise<void>;

/** How far a node came before it failed, so that the state can tell the truth. */
export class NodeFailure extends UserError {
  constructor(
    message: string,
    /** Whether anything on the host may have been changed. */
    readonly touched: boolean,
    options: { readonly cause: unknown },
  ) {
    super(message, options);
  }
}

/** Brings a node to what is declared: observe → act → verify, by the steps that the plan lists. */
export const converge = async (
  context: NodeContext,
  action: Action,
  item: Item,
  gate: Gate,
  /** Settings that were declared before and are no longer: the release's own values count again. */
  undeclared: readonly string[] = [],
): Promise<void> => {
  const { run, spec } = context;
  const turnstile = spec.kind === "be" ? run.backends : run.frontends;
  const work = workOf(context);
  const conditionalStop = action.type === "create";
  let leave: (() => void) | undefined;
  let letGo: (() => void) | undefined;
  let touched = false;
  let stopped = false;
  const takeTurn = async (): Promise<Outcome> => {
    await run.assertGoing(labelOf(spec));
    const home = await look(context);
    if (!home.process) {
      return skipped("it is down already: nothing to wait for");
    }
    if (runsAsDeclared(context, home)) {
      return skipped("it runs as declared");
    }
    await gate(labelOf(spec), execution.report);
    leave = await turnstile.enter({
      node: labelOf(spec),
      row: work.row,
      position: context.position,
      down: run.answers ? work.down : async () => [],
      limit: context.limits.turn,
      onProgress: execution.report,
    });
    return done;
  };
  const works: Works = {
    turn: takeTurn,
    stop: async () => {
      await work.note();
      // What runs already may work in a cluster whose state was lost: it waits for its turn like any other.
      const outcome = await stop(context, conditionalStop, conditionalStop ? takeTurn : async () => done);
      stopped = outcome.mark === "done";
      touched ||= stopped || !conditionalStop;
      return outcome;
    },
    folders: () => folders(context),
    switch: () => switchRelease(context),
    configure: (step) => configure(context, step.when !== undefined, undeclared),
    start: async () => {
      // What was stopped here is started again, whatever happened to others or to the engine.
      if (!stopped) {
        await run.assertGoing(labelOf(spec));
      }
      if (action.type === "repair") {
        await work.note();
      }
      touched = true;
      return work.start();
    },
    prove: () => work.prove(execution.report),
  };
  const execution = new Execution(item, works, run.journal, context.progress);
  try {
    // A node that waits for its turn may be waiting for another one's repair: it must not be locked yet.
    const acting = item.steps.findIndex(({ verb }) => verb !== "folders" && verb !== "turn");
    await execution.run(item.steps.slice(0, acting));
    await run.onNode(labelOf(spec), () => {
      letGo = hold();
      return execution.run(item.steps.slice(acting));
    });
  } catch (error) {
    if (error instanceof RefusedTurn) {
      if (error instanceof PreflightFailed) {
        await run.fail("the pre-flight", "the pre-flight did not pass");
      }
      throw error;
    }
    const undone = action.type === "create" && work.started ? await undoStart(context) : undefined;
    if (undone) {
      throw describe(context, action, execution, error, undone);
    }
    if (action.type !== "create") {
      await run.fail(labelOf(spec), `${labelOf(spec)} failed`);
    }
    throw describe(context, action, execution, error, touched ? "left as it is" : "untouched");
  } finally {
    leave?.();
    letGo?.();
  }
};

/**
 * A node whose first start could not be proven is stopped again, so that nothing runs that the state does not know.
 * Undefined where even that failed: then the state keeps the node, as failed.
 */
const undoStart = async ({ host, limits, spec }: NodeContext): Promise<"untouched" | "stopped again" | undefined> => {
  try {
    const options = { graceful: false, timeoutSeconds: limits.stop / 1000 };
    const { did } = await stopProcess(host, spec.kind, spec.home, options);
    return did === "was not running" ? "untouched" : "stopped again";
  } catch {
    return undefined;
  }
};

/** The error that people read: node, step, what was seen, and what to do. */
const describe = (
  context: NodeContext,
  action: Action,
  execution: Execution,
  error: unknown,
  left: "untouched" | "stopped again" | "left as it is",
): Error => {
  if (!(error instanceof UserError)) {
    return error as Error;
  }
  const { spec, host } = context;
  const { step, item } = execution;
  const verb = step ? verbs[step.verb] : "begin";
  const at = step ? `step ${item.steps.indexOf(step) + 1} of ${item.steps.length}` : "at the beginning";
  const label = labelOf(spec);
  const states = {
    untouched: action.type === "create" ? "It does not run; no data was removed." : `${label} was not touched.`,
    "stopped again": "It was stopped again; no data was removed.",
    "left as it is": `${label} is left as it is; its data is untouched.`,
  };
  const others = action.type === "create" ? "" : " No other node is touched any more.";
  const message =
    `${label} (${host.name}) failed to ${verb} (${at}: ${item.change}).\n${messageOf(error)}\n` +
    `${states[left]}${others} Mend the cause and run \`pulumi up\` again: it goes on from here.` +
    (action.type === "version" ? ` Declaring ${action.from.version} again takes this node back.` : "");
  return new NodeFailure(message, left === "left as it is", { cause: error });
};
