import { hold, isEnding } from "../../engine/end.js";
import { explained, messageOf, type UserError } from "../../error.js";
import type { Action } from "../../plan/node.js";
import type { NodeRelease, NodeSpec } from "../../plan/spec.js";
import { type Execution, notMet } from "../../rollout/execute.js";
import { LeaseLost } from "../../rollout/lease.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { stopProcess } from "../../starrocks/stop.js";
import { type Before, stuck, takeBack, whatNow, wordsOf } from "./back.js";
import { isBe, labelOf, type NodeContext } from "./context.js";
import type { KindWork } from "./kind-work.js";
import { type Left, leftText, lines } from "./left.js";
import { HalfRebuilt, rebuild } from "./rebuild.js";
import { assertMayBringUp, assertRight, howLeft } from "./right.js";
import { declaredConf, differingKeys } from "./settings.js";

/** The node as its change found it. */
export interface Found {
  readonly home: ObservedHome | undefined;
  /** Its conf file; undefined where that was not written. */
  readonly conf: string | undefined;
}

/** A change whose node may have to be left better than its failure does. */
interface Failing {
  readonly context: NodeContext;
  readonly work: KindWork;
  readonly action: Action;
  /** What the state says that the node was brought to before. */
  readonly recorded: NodeSpec | undefined;
  readonly execution: Execution;
}

/** The way back of one node. */
export class Recovery {
  readonly #context: NodeContext;
  readonly #work: KindWork;
  readonly #action: Action;
  readonly #recorded: NodeSpec | undefined;
  readonly #execution: Execution;

  constructor({ action, context, execution, recorded, work }: Failing) {
    this.#context = context;
    this.#work = work;
    this.#action = action;
    this.#recorded = recorded;
    this.#execution = execution;
  }

  /** Takes back what failed after something was done to the node. */
  async takeBack(error: UserError, found: Found): Promise<Left> {
    if (this.#action.type === "repair" || error instanceof LeaseLost) {
      return this.#lost({ spec: this.#context.spec, conf: undefined, opened: this.#work.opened }, error);
    }
    const before = this.#before(found);
    if (!before) {
      return { as: "it is" };
    }
    try {
      const back = await this.#execution.recover("rollback", () =>
        takeBack(this.#context, this.#work, before, this.#execution.report),
      );
      if (!back) {
        return { as: "it is" };
      }
      const what = wordsOf(this.#context, before);
      this.#context.run.journal.tookBack(this.#execution.item, what);
      return { as: "before", what };
    } catch (stop) {
      return this.#lost(before, stop, stuck(this.#context, before, stop));
    }
  }

  /**
   * The node died after its change had succeeded, so the state says that it has been changed. What was ended from outside is
   * started again as it was proven; what its log gives a reason for, or does not come up again, is left as if it had
   * died before. Its settings are not taken back then: the next operation starts it as its state says, and would not
   * see other ones. Says for people what was done.
   */
  async diedLater(found: Found): Promise<string> {
    const { run, spec } = this.#context;
    return run.onNode(labelOf(spec), async () => {
      const { error, ofItself } = await this.#work.ended();
      if (isEnding()) {
        return lines(error.message, leftText(spec, this.#action, { as: "it is" }));
      }
      const letGo = hold();
      try {
        const failure = ofItself ? error : await this.#startAgain();
        if (failure === undefined) {
          return lines(error.message, `${labelOf(spec)} was started again with ${spec.release.version} and is proven.`);
        }
        const left = this.#action.type === "restart" ? { as: "it is" as const } : await this.takeBack(failure, found);
        const state =
          left.as === "before" || left.as === "rebuilt" ? ` The state has it with ${spec.release.version} still.` : "";
        const again = ofItself ? undefined : `It was started again, and failed: ${failure.message}`;
        return lines(error.message, again, `${leftText(spec, this.#action, left)}${state}`);
      } finally {
        letGo();
      }
    });
  }

  /** Gives what it fails of. */
  async #startAgain(): Promise<UserError | undefined> {
    const { journal } = this.#context.run;
    const label = labelOf(this.#context.spec);
    try {
      // The cluster may still call the one that ended Alive: its proof must not be taken for the new one's.
      await this.#work.note().catch(() => undefined);
      await assertMayBringUp(this.#context);
      await this.#work.start();
      await this.#work.prove(this.#execution.report);
      journal.note(`${label} had ended after its proof. It was started again and is proven.`);
      return undefined;
    } catch (error) {
      const failure = explained(error);
      journal.note(`${label} had ended after its proof, and could not be started again: ${failure.message}`);
      return failure;
    }
  }

  /**
   * A node whose first start could not be proven is stopped again, so that nothing runs that the state does not know.
   * Where even that failed the state keeps the node, as failed.
   */
  async undoStart(): Promise<Left> {
    const { host, limits, spec } = this.#context;
    try {
      assertRight(this.#context);
      const options = { graceful: false, timeoutSeconds: limits.stop / 1000 };
      const { did } = await stopProcess(host, spec.kind, spec.home, options);
      return { as: did === "was not running" ? "untouched" : "stopped again" };
    } catch {
      return { as: "it is" };
    }
  }

  /** The node as it was before a change of its version or its settings. */
  #before({ conf: found, home }: Found): Before | undefined {
    const action = this.#action;
    const recorded = this.#recorded;
    const { release } = this.#context.spec;
    const conf = recorded ? confBefore(found, recorded, this.#context.spec) : found;
    const opened = this.#work.opened || home?.current === release.id;
    switch (action.type) {
      case "version":
        return {
          spec: { ...(recorded ?? this.#context.spec), release: former(home, action.from, action.to) },
          conf,
          opened,
        };
      case "restart":
        return recorded && { spec: recorded, conf, opened };
      default:
        return undefined;
    }
  }

  /** What is left for a node that starts with no release on its data: a canary BE may be rebuilt, if the user wants that. */
  async #lost(before: Before, failure: unknown, reason?: string): Promise<Left> {
    const context = this.#context;
    if (failure instanceof LeaseLost) {
      return { as: "stuck", why: lines(reason, await howLeft(context)) };
    }
    const { spec } = before;
    let refusal: string | undefined;
    try {
      const rebuilt = await this.#execution.recover("rebuild", async () =>
        isBe(context) && spec.kind === "be"
          ? rebuild(context, { ...before, spec }, failure, this.#execution.report)
          : notMet(`${labelOf(context.spec)} is no BE`),
      );
      if (rebuilt?.mark === "done") {
        const how = rebuilt.detail ?? "";
        return {
          as: "rebuilt",
          version: before.spec.release.version,
          ...(reason !== undefined && { why: reason }),
          how,
        };
      }
    } catch (error) {
      refusal = `It was not rebuilt: ${messageOf(error)}`;
      if (error instanceof HalfRebuilt) {
        return { as: "stuck", why: lines(reason, refusal) };
      }
    }
    return reason === undefined && refusal === undefined
      ? { as: "it is" }
      : { as: "stuck", why: lines(reason, refusal, await whatNow(context, before, failure)) };
  }
}

/** The conf file that was found, but where an operation that was cut short had written the declared settings into it already. */
const confBefore = (found: string | undefined, recorded: NodeSpec, declared: NodeSpec): string | undefined =>
  found === undefined || differingKeys(declared, found).length > 0 ? found : declaredConf(recorded, found);

/** The release that a home was proven on last: the state has another one where it was taken back after its change had succeeded. */
const former = (home: ObservedHome | undefined, recorded: NodeRelease, declared: NodeRelease): NodeRelease => {
  const { current, marker, previous } = home ?? {};
  const { id, version } = marker?.releases.at(-1) ?? recorded;
  return id !== declared.id && (id === current || id === previous) ? { id, version } : recorded;
};
