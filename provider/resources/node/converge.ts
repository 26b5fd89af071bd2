import { hold, isEnding } from "../../engine/end.js";
import { explained, UserError } from "../../error.js";
import type { Action } from "../../plan/node.js";
import type { NodeSpec } from "../../plan/spec.js";
import type { Item, Step, Verb } from "../../plan/steps.js";
import { done, Execution, notMet, type Outcome, skipped, type Works } from "../../rollout/execute.js";
import type { Turnstile } from "../../rollout/turnstile.js";
import { PreflightFailed, RefusedTurn } from "../../rollout/turnstile.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { isSameProcess, observeProcess } from "../../starrocks/process.js";
import { NotSignalled } from "../../starrocks/stop.js";
import { copyMetadata } from "./cold-copy.js";
import { labelOf, type NodeContext, type Report } from "./context.js";
import { type KindWork, workOf } from "./kind-work.js";
import { failureOf, type Left, NodeFailure } from "./left.js";
import { untilSpared } from "./others.js";
import { type Found, Recovery } from "./recovery.js";
import { assertMayBringUp, assertRight } from "./right.js";
import { assertStaged } from "./staged.js";
import { javaHomeOf } from "./start.js";
import { configure, folders, look, runsAsDeclared, stop, switchRelease } from "./works.js";

/** What is asked once before the first running node is stopped; rejects with `RefusedTurn`. */
export type Gate = (node: string, report: Report) => Promise<void>;

/** Brings a node to what is declared: observe → act → verify, by the steps that the plan lists. Gives its conf file's digest. */
export const converge = async (
  context: NodeContext,
  action: Action,
  item: Item,
  gate: Gate,
  /** What the state says that the node was brought to last. */
  recorded?: NodeSpec,
): Promise<string | undefined> => new Change(context, action, item, gate, recorded).run();

class Change {
  readonly #context: NodeContext;
  readonly #action: Action;
  readonly #gate: Gate;
  readonly #work: KindWork;
  readonly #turnstile: Turnstile;
  readonly #execution: Execution;
  readonly #recovery: Recovery;
  #leave: (() => void) | undefined;
  #letGo: (() => void) | undefined;
  /** Whether anything was done to the node: then nothing that happens elsewhere refuses its way up again. */
  #touched = false;
  /** Whether it led and has handed that over: then its process ends by itself. */
  #handedOver = false;
  /** Whether this change has taken the node down. */
  #stopped = false;
  /** The home as it was found: looked at once under the node's lock, as nobody else changes it then. */
  #home: ObservedHome | undefined;
  /** The conf file before the change, and the digest of what it became. */
  #conf: string | undefined;
  #confSha256: string | undefined;

  constructor(context: NodeContext, action: Action, item: Item, gate: Gate, recorded: NodeSpec | undefined) {
    const { run, spec } = context;
    this.#context = context;
    this.#action = action;
    this.#gate = gate;
    this.#work = workOf(context);
    this.#turnstile = spec.kind === "be" ? run.backends : run.frontends;
    this.#execution = new Execution(item, this.#works(), run.journal, context.progress, (step) =>
      this.#assertMay(step),
    );
    const execution = this.#execution;
    this.#recovery = new Recovery({ context, work: this.#work, action, recorded, execution });
  }

  async run(): Promise<string | undefined> {
    const { run, spec } = this.#context;
    const { steps } = this.#execution.item;
    try {
      // A node that waits for its turn may be waiting for another one's repair: it must not be locked yet.
      const acting = steps.findIndex(({ verb }) => verb === "turn") + 1;
      await this.#through(() => this.#execution.run(steps.slice(0, acting)));
      while (!(await run.onNode(labelOf(spec), () => this.#act(steps.slice(acting))))) {
        await this.#through(() => this.#execution.beside(() => this.#takeTurn()));
      }
    } finally {
      this.#work.close();
      this.#leave?.();
      this.#letGo?.();
    }
    await run.care?.changed(spec);
    return this.#confSha256;
  }

  /** With the node's lock. False: nothing was done, as what runs now must be stopped and has no turn for that. */
  async #act(steps: readonly Step[]): Promise<boolean> {
    const { run, spec } = this.#context;
    this.#home = undefined;
    const { process } = await this.#through(() => this.#execution.beside(() => this.#found()));
    if (process && this.#action.type === "repair" && this.#action.together) {
      // Its own change was quicker: what that has started is no business of a repair.
      this.#execution.skip("it runs by now");
      return true;
    }
    if (process && this.#leave === undefined && !(await this.#runsAsDeclared(await this.#found()))) {
      return false;
    }
    this.#letGo = hold();
    run.proven.remove(labelOf(spec));
    await this.#through(() => this.#execution.run(steps));
    // Before the next one has its turn.
    run.proven.add({
      node: labelOf(spec),
      row: this.#work.row,
      same: this.#work.same,
      takeBack: () => this.#recovery.diedLater(this.#before),
    });
    return true;
  }

  async #through<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await this.#failed(error);
    }
  }

  /** Which Java a process runs with shows nowhere in its home. */
  async #runsAsDeclared(home: ObservedHome): Promise<boolean> {
    const { type } = this.#action;
    const javaChanges = type === "restart" && this.#action.fields.includes("javaHome");
    return (
      runsAsDeclared(this.#context, home) &&
      (!javaChanges || home.process?.javaHome === (await javaHomeOf(this.#context)))
    );
  }

  /** Another operator may have the cluster since the last step. */
  async #assertMay({ verb }: Step): Promise<void> {
    if (acting.includes(verb)) {
      await (this.#stopped ? assertMayBringUp(this.#context) : assertRight(this.#context));
    }
  }

  get #before(): Found {
    return { home: this.#home, conf: this.#conf };
  }

  async #found(): Promise<ObservedHome> {
    this.#home ??= await look(this.#context);
    return this.#home;
  }

  #works(): Works {
    const { run } = this.#context;
    const conditionalStop = ["create", "repair"].includes(this.#action.type);
    const report: Report = (seen) => this.#execution.report(seen);
    return {
      turn: () => this.#takeTurn(),
      tablets: () => (this.#leave ? this.#work.mayStop(report) : Promise.resolve(skipped("it is not stopped"))),
      handover: async () => {
        const before = async (): Promise<void> => {
          await this.#assertMayStop(report);
          this.#touched = true;
        };
        const outcome = this.#leave ? await this.#work.handOver(report, before) : skipped("it is not stopped");
        this.#handedOver = outcome.mark === "done";
        return outcome;
      },
      stop: async () => {
        if (this.#leave) {
          // Its tablets may have been waited for since, for an hour.
          this.#home = undefined;
        }
        const home = await this.#found();
        if (this.#leave && !home.process) {
          // It ran when it was given its turn: the hand-over has ended it, if not something else; nobody else starts it again.
          this.#touched = true;
          this.#stopped = true;
        }
        await this.#work.note(this.#action.type === "repair");
        // What runs already may work in a cluster whose state was lost: its tablets are asked for as any other's.
        const before = async (): Promise<void> => {
          if (conditionalStop) {
            await this.#work.mayStop(report);
          }
          await this.#assertMayStop(report);
          await this.#work.drain();
        };
        const manner = { conditional: conditionalStop, fits: await this.#runsAsDeclared(home) };
        return this.#work.stop(() => stop(this.#context, home, manner, before, (send) => this.#sendStop(send)), report);
      },
      folders: async () => folders(this.#context, await this.#found()),
      switch: async () => {
        await this.#beginHome();
        const home = await this.#found();
        const copy = this.#stopped ? undefined : await copyMetadata(this.#context, home);
        const outcome = await switchRelease(this.#context, home);
        return copy === undefined ? outcome : { mark: "done", detail: `its metadata was copied to ${copy} before` };
      },
      configure: async (step) => {
        await this.#beginHome();
        const home = await this.#found();
        this.#conf = home.conf?.text;
        const { outcome, sha256 } = await configure(this.#context, home, step.when !== undefined);
        this.#confSha256 = sha256;
        return outcome;
      },
      start: async () => {
        const begun = this.#touched;
        const mayStart = async (): Promise<void> => {
          if (!begun) {
            await this.#assertMayStart();
          }
        };
        await mayStart();
        this.#touched = true;
        return this.#work.start(mayStart);
      },
      prove: async () => {
        const outcome = await this.#work.prove(report, this.#action.type === "repair" && this.#action.together);
        // It is safe now: what follows only waits and looks, for an hour maybe, and for nobody if the engine is gone.
        this.#letGo?.();
        this.#letGo = undefined;
        return outcome;
      },
      heal: () => this.#work.heal(report),
      soak: () => this.#work.soak(report),
      verify: async () => (await run.care?.verify(report)) ?? notMet("no cluster is declared"),
      rollback: async () => notMet("nothing failed"),
      rebuild: async () => notMet("nothing failed"),
    };
  }

  /** A stop whose answer is lost may stop the node all the same: it counts from before it is sent. */
  async #sendStop<T>(send: () => Promise<T>): Promise<T> {
    const before = { touched: this.#touched, stopped: this.#stopped };
    this.#touched = true;
    this.#stopped = true;
    try {
      return await send();
    } catch (error) {
      if (error instanceof NotSignalled) {
        this.#touched = before.touched;
        this.#stopped = before.stopped;
      }
      throw error;
    }
  }

  /**
   * Directly before the node is taken down: no other one may have died meanwhile, and nobody else have the cluster. What
   * has handed leadership over ends anyway, and is brought to its end.
   */
  async #assertMayStop(report: Report): Promise<void> {
    const { run, spec } = this.#context;
    if (this.#stopped || this.#handedOver) {
      assertRight(this.#context);
      return;
    }
    await assertStaged(this.#context);
    await untilSpared(this.#context, this.#work, {
      down: () => this.#down(),
      // Its tablets were asked for with those that were known to be down then.
      judged: [],
      report,
      advice:
        "Bring what is named here back (`pulumi up --refresh` starts declared nodes), then run `pulumi up` again.",
    });
    await run.assertGoing(labelOf(spec));
  }

  /** Nodes of this kind that are down, or may be: their hosts do not answer. Rejects where one that was changed before has died. */
  async #down(): Promise<readonly string[]> {
    const { run, spec } = this.#context;
    const unseen = await run.lookBack(labelOf(spec));
    return [...new Set([...unseen, ...(run.answers ? await this.#work.down() : [])])].sort();
  }

  /** Before the home becomes another one than the state says; of a new node the state says nothing. */
  async #beginHome(): Promise<void> {
    const { run, spec } = this.#context;
    if (!this.#touched && this.#action.type !== "create") {
      await (this.#action.type === "repair" ? this.#assertMayStart() : run.assertGoing(labelOf(spec)));
      this.#touched = true;
    }
  }

  async #assertMayStart(): Promise<void> {
    const { run, spec } = this.#context;
    const isNeeded = this.#action.type === "repair" && this.#action.needed;
    await (isNeeded ? assertMayBringUp(this.#context) : run.assertMayStart(labelOf(spec)));
  }

  async #takeTurn(): Promise<Outcome> {
    const { limits, position, run, spec } = this.#context;
    await run.assertGoing(labelOf(spec));
    const home = await look(this.#context);
    if (!home.process) {
      return skipped("it is down already: nothing to wait for");
    }
    if (await this.#runsAsDeclared(home)) {
      return skipped("it runs as declared");
    }
    await this.#gate(labelOf(spec), this.#execution.report);
    const place = run.placeOf(spec, position);
    this.#leave = await this.#turnstile.enter({
      node: labelOf(spec),
      row: this.#work.row,
      position: place.position,
      wave: place.turn,
      down: () => this.#down(),
      apart: run.apart(this.#work.row),
      limit: limits.turn,
      onProgress: this.#execution.report,
    });
    await run.care?.beforeStop(spec.kind);
    return done;
  }

  /** Closes the turnstiles, leaves the node as well as can be, and gives the error that people read. */
  async #failed(error: unknown): Promise<unknown> {
    const { run, spec } = this.#context;
    const isNew = this.#action.type === "create";
    if (error instanceof RefusedTurn && (isNew || !this.#touched)) {
      if (error instanceof PreflightFailed) {
        await run.fail("the pre-flight", "the pre-flight did not pass");
      }
      return error;
    }
    if (error instanceof NodeFailure) {
      return error;
    }
    if (isNew) {
      run.closeTurns(`${labelOf(spec)} failed`);
      const left =
        this.#work.started || this.#stopped ? await this.#recovery.undoStart() : ({ as: "not started" } as const);
      await run.failNew(labelOf(spec));
      return this.#failure(error, left);
    }
    run.close(`${labelOf(spec)} failed`);
    const left = await this.#recover(error);
    this.#execution.settle("it did not come to that");
    await run.fail(labelOf(spec), `${labelOf(spec)} failed`);
    return this.#failure(error, left);
  }

  /** What is not touched has nothing to be taken back. A bug of ours is no reason to leave a node down. */
  async #recover(error: unknown): Promise<Left> {
    if (!this.#touched || (await this.#runsOn())) {
      return { as: "untouched" };
    }
    if (this.#letGo === undefined && (isEnding() || !(error instanceof UserError))) {
      // It was proven, and nothing is begun any more; nor is a bug a reason to stop it.
      return { as: "it is" };
    }
    this.#letGo ??= hold();
    return this.#recovery.takeBack(explained(error), this.#before);
  }

  /** Whether no more was done to it than a hand-over that came to nothing: its process is the one that was found. */
  async #runsOn(): Promise<boolean> {
    const { host, spec } = this.#context;
    const found = this.#home?.process;
    const verb = this.#execution.step?.verb;
    if (!found || this.#stopped || this.#handedOver || !(verb === "handover" || verb === "stop")) {
      return false;
    }
    return isSameProcess(found, await observeProcess(host, spec.kind, spec.home).catch(() => undefined));
  }

  #failure(error: unknown, left: Left): unknown {
    const { item, step } = this.#execution;
    return failureOf(error, { context: this.#context, action: this.#action, item, step, left });
  }
}

/** Steps that change something on a host; those that stop a node ask by themselves, in their last moment. */
const acting: readonly Verb[] = ["folders", "handover", "switch", "configure", "start"];
