import { engineAlive } from "../engine/alive.js";
import { isEnding, onStop, type Stop, untilEnd } from "../engine/end.js";
import { tell, warn } from "../engine/log.js";
import { explained, messageOf } from "../error.js";
import { type Declared, keyOf, nowhere, type Place, placesOf, racksOf } from "../plan/place.js";
import { defaultPolicy, type Policy } from "../plan/policy.js";
import { withGate } from "../plan/preflight.js";
import { inOrder, isEmpty, line, planText, shortName, subject } from "../plan/rollout.js";
import type { NodeSpec } from "../plan/spec.js";
import type { Item } from "../plan/steps.js";
import { countedByTable, type TableCount } from "../plan/tablets.js";
import type { Runtime } from "../starrocks/jdk.js";
import { backendName } from "../starrocks/rows.js";
import type { AccessDenied } from "../starrocks/sql.js";
import { seconds } from "../wait.js";
import type { Outcome } from "./execute.js";
import { Journal } from "./journal.js";
import type { Lease } from "./lease.js";
import { Memo } from "./memo.js";
import { Mutex, Mutexes } from "./mutex.js";
import { type Proven, ProvenNodes } from "./proven.js";
import { RefusedTurn, Turnstile } from "./turnstile.js";

/** For messages: `BE be-1 was not touched: …`. */
const reasons: Readonly<Record<Stop, string>> = {
  canceled: "the operation was canceled",
  gone: "the Pulumi engine that started this operation is gone",
};

/** What is done around the changes of single nodes; it needs the whole declared cluster. */
export interface Care {
  /** A node of this kind has its turn and is going to be stopped. */
  beforeStop(kind: NodeSpec["kind"]): Promise<void>;
  /** A node has ended its change, or had nothing to change. */
  changed(spec: NodeSpec): Promise<void>;
  /** A BE that is back must catch up with what it missed: where the pause throttles that, it goes on until the next stop. */
  letCatchUp(): Promise<void>;
  /** A BE is going to be stopped: what `letCatchUp` has let go on stands still again. */
  holdStill(): Promise<void>;
  /** The cluster must repair now: balancing and repair go on as the cluster's own values say. */
  letRepair(): Promise<void>;
  /** The operation is over, well or not: what was set for its time is set back. */
  end(): Promise<void>;
  /** What could not be set back so far, and what to do, for people. `end` tries again. */
  readonly unrestored: string | undefined;
  /** Every declared node with what it runs and what became of it; whether a new FE has led. */
  now(): Promise<readonly string[]>;
  /**
   * The declared nodes of this kind that have no process, or whose host does not answer, whatever SHOW still says of them. Those
   * that were changed in this operation are looked at by `Run.lookBack`.
   */
  gone(kind: NodeSpec["kind"], butFor: string): Promise<readonly NodeSpec[]>;
  /** Starts declared FEs that are found down, but for one, which waits for a majority. */
  startFrontends(butFor: string, report: (seen: string) => void): Promise<void>;
  /** Runs the user's own queries through any FE. */
  verify(report: (seen: string) => void): Promise<Outcome>;
}
/** What is done once in an operation, by whoever comes to it first. */
type Once = "inspect" | "lease" | "gate";

/**
 * One operation on one cluster, as far as this process knows of it. All checks of an operation happen one after the
 * other in one provider process, dependents last, so the last one sees the whole plan; and all creates and updates of
 * an update run in one process, so that turns can be given here.
 */
export class Run {
  readonly cluster: string;
  readonly items = new Map<string, Item>();
  /** Statements that change the membership of the FE group go one at a time: two at once find its lock taken. */
  readonly membership = new Mutex();
  /** The first starts of FEs go one by one, each until it is proven: what is wrong with one is found before the next. */
  readonly frontendStarts = new Mutex();
  readonly frontends = new Turnstile(1);
  /** The nodes that were changed here: that one dies later is still its failure. */
  readonly proven = new ProvenNodes();
  /** The JDKs of FE hosts: the release, the pre-flight and each start want the same one. */
  readonly javaHomes = new Memo<string>();
  /** The same of BE hosts, where there may be none. */
  readonly runtimes = new Memo<Runtime>();
  /** What became of changed logins with which the cluster was asked, where it answered. */
  readonly logins = new Memo<"accepted" | AccessDenied | undefined>();
  /** Nodes that turn out to need their change once more go one by one, and before all that still wait for a turn. */
  readonly changingAgain = new Mutex();
  /** BEs ask one at a time whether they may stop, so that of two that may not both go one does. */
  readonly askingToStop = new Mutex();
  /** The rows of BEs that were let stop in their turn. One that still waits for that is not counted as down. */
  readonly letStop = new Set<string>();
  /** The cluster whose `Preflight` was checked first: by it a second one of the same key is told from it. */
  claimed: { readonly preflight: string; readonly cluster: string } | undefined;
  /** Whether this operation includes the cluster's `Preflight`: `--target` and `--exclude` may leave it out. */
  isGuarded = false;
  /** Whether the whole cluster is created: then there is nothing that a release could be rehearsed on. */
  isNew = false;
  /** Whether root of a cluster that this operation founds gets a password. */
  setsPassword = false;
  /** Undefined for nodes that are declared alone. */
  care: Care | undefined;
  /** Whether an FE group answered before the first stop: then it is asked before each other one. */
  answers = false;
  /** The right to change the cluster, once something is going to be done, see `guard`. */
  lease: Lease | undefined;
  /** Whether an earlier operation has left balancing paused, and no FE answered yet to have it restored. */
  leftPaused = false;
  #backends: Turnstile | undefined;
  #maxUnavailable = 1;
  #policy = defaultPolicy;
  #places: ReadonlyMap<string, Place> = new Map();
  #racks: ReadonlyMap<string, string> = new Map();
  #voters = 0;
  #journal: Journal | undefined;
  readonly #nodes = new Mutexes();
  readonly #once = new Map<Once, Promise<void>>();
  #componentUrn: string | undefined;
  #failure: string | undefined;
  #stopped: Stop | undefined;
  /** Why nothing at all is begun any more. */
  #ended: string | undefined;
  readonly #said = new Set<string>();
  /** Tablets of each table that could not do without a BE: the most that one BE had. */
  readonly #unavoidable = new Map<string, number>();

  constructor(cluster: string) {
    this.cluster = cluster;
  }

  /** Takes the whole cluster from the `Preflight`, which is checked before any node. */
  declare(declared: Declared): void {
    this.#policy = declared.policy;
    this.#maxUnavailable = declared.maxUnavailable;
    this.#places = placesOf(declared);
    this.#racks = racksOf(declared.nodes, ({ address, ports }) =>
      backendName({ address, heartbeatPort: ports.heartbeat }),
    );
    this.#voters = declared.nodes.filter((spec) => spec.kind === "fe" && spec.role !== "observer").length;
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** The place of a node in the plan; its own position where no cluster was declared. */
  placeOf(spec: Pick<NodeSpec, "kind" | "name">, position: number): Place {
    return this.#places.get(keyOf(spec)) ?? nowhere(position);
  }

  /** Whether a row of the cluster is that of a BE in another rack than this one: those are never down together. */
  apart(own: string): (row: string) => boolean {
    const rack = this.#racks.get(own);
    return (row) => rack !== undefined && (this.#racks.get(row) ?? rack) !== rack;
  }

  set componentUrn(urn: string | undefined) {
    this.#componentUrn = urn;
  }

  get backends(): Turnstile {
    this.#backends ??= new Turnstile(this.#maxUnavailable, this.#policy.pause * 1000);
    return this.#backends;
  }

  /** Made at the first act, so that a preview leaves no file. */
  get journal(): Journal {
    this.#journal ??= new Journal(this.cluster, { warn: (text) => void warn(this.#componentUrn, text) });
    return this.#journal;
  }

  /** Whether anything was done in this process: then it is an update, and no plan is printed any more. */
  get acted(): boolean {
    return this.#journal !== undefined;
  }

  /** Whether anything but the final proof is going to be done. */
  get willAct(): boolean {
    return [...this.items.values()].some(({ id, steps }) => id !== "rollout" && steps.length > 0);
  }

  /** Work on one node goes one after the other: its own update and the gate's repair may want it at once. */
  onNode<T>(node: string, work: () => Promise<T>): Promise<T> {
    return this.#nodes.run(node, work);
  }

  /** The plan of a whole operation, once all resources were checked; undefined when nothing is going to happen. */
  get plan(): string | undefined {
    const items = withGate([...this.items.values()]);
    const bounds = {
      maxUnavailable: this.#maxUnavailable,
      direction: this.#policy.direction,
      voters: this.#voters,
      setsPassword: this.setsPassword,
    };
    return isEmpty(items) ? undefined : planText(this.cluster, items, bounds);
  }

  /** Runs a piece of work once in a process, for all that want it done. */
  once(what: Once, work: () => Promise<void>): Promise<void> {
    const running = this.#once.get(what) ?? work();
    this.#once.set(what, running);
    return running;
  }

  /** Whether that piece was begun in this process. */
  began(what: Once): boolean {
    return this.#once.has(what);
  }

  /** Notes at the end of an operation what of its plan did not come up: where no node had to be stopped, no gate was passed. */
  settle(): void {
    for (const item of withGate([...this.items.values()])) {
      if (item.steps.length > 0 && item.wave !== "removal" && !this.journal.has(item.id)) {
        this.journal.skip(item, "it did not come to that");
      }
    }
  }

  /** Whether this is the first time that it is said of this operation: what many nodes meet is told in full once. */
  first(what: string): boolean {
    const first = !this.#said.has(what);
    this.#said.add(what);
    return first;
  }

  /** Notes tables that could not do without a BE while it was down, for the report. */
  unavoidable(tables: readonly TableCount[]): void {
    for (const { name, tablets } of countedByTable(tables)) {
      this.#unavoidable.set(name, Math.max(tablets, this.#unavoidable.get(name) ?? 0));
    }
  }

  get #notWhole(): string {
    const tables = [...this.#unavoidable].sort(([one], [other]) => (one < other ? -1 : 1));
    return tables.map(([name, most]) => `${name}, up to ${most} ${most === 1 ? "tablet" : "tablets"} a BE`).join("; ");
  }

  /** Closes the turnstiles: nothing that has not begun is touched. */
  close(reason: string): void {
    this.#ended ??= reason;
    this.closeTurns(reason);
  }

  /** Closes the turnstiles only: what runs is not stopped any more, what does not run yet may be started. */
  closeTurns(reason: string): void {
    this.frontends.close(reason);
    this.backends.close(reason);
  }

  /** Ends the operation as failed. The report goes to the cluster's row, as `Rollout` will not run. */
  async fail(node: string, reason: string): Promise<void> {
    this.close(reason);
    await this.#tellFailure(`stopped at ${node}; nothing after it is touched.`);
  }

  /** Something new has failed. Other new nodes endanger nothing, and what is wrong with them is told in the same operation. */
  async failNew(node: string): Promise<void> {
    this.closeTurns(`${node} failed`);
    await this.#tellFailure(`stopped at ${node}; no running node is touched any more.`);
  }

  async #tellFailure(outcome: string): Promise<void> {
    if (this.#failure === undefined) {
      this.#failure = outcome;
      try {
        await this.care?.end();
      } catch (error) {
        // What the operation failed of is told all the same.
        this.journal.note(messageOf(error));
      }
      const nodes = (await this.care?.now()) ?? [];
      await tell(this.#componentUrn, this.report(`${outcome} It took ${this.journal.seconds.toFixed(0)} s.`, nodes));
    }
  }

  /**
   * Looks back, before `node` is stopped, at those that were changed before it. One that has died since is its failure, as
   * if it had died before its proof: it is taken back, and nothing else is stopped. Gives the rows of those that cannot be seen.
   */
  async lookBack(node: string): Promise<readonly string[]> {
    const { ended, unseen } = await this.proven.look(node);
    const found = ended.filter((one) => this.proven.remove(one.node));
    const [first] = found;
    if (!first) {
      return unseen;
    }
    const reason = `${first.node} failed`;
    this.close(reason);
    const told = await untilEnd(() => this.#takeBack(found));
    await this.fail(first.node, reason);
    throw new RefusedTurn(node, told);
  }

  /** Others of the same build may die in the meantime, too. */
  async #takeBack(found: readonly Proven[]): Promise<string> {
    const told: string[] = [];
    for (let dead = found; dead.length > 0; dead = await this.#died()) {
      for (const one of dead) {
        this.proven.remove(one.node);
        told.push(await one.takeBack().catch((error: unknown) => notTakenBack(one, error)));
      }
    }
    return `${told.join("\n")}\nNo other node is touched any more. Mend the cause and run \`pulumi up\` again: it goes on from here.`;
  }

  /** What cannot be asked now must not hide what was found before. */
  async #died(): Promise<readonly Proven[]> {
    try {
      return (await this.proven.look()).ended;
    } catch (error) {
      this.journal.note(messageOf(error));
      return [];
    }
  }

  /** Nothing new begins, as nobody wants it any more. What is on its way to a safe point goes on. */
  async stop(stop: Stop): Promise<void> {
    if (this.#stopped !== undefined) {
      return;
    }
    this.#stopped = stop;
    this.close(reasons[stop]);
    if (this.acted && this.#failure === undefined) {
      const outcome = `${reasons[stop]}; what was begun on a node is brought to its end, nothing else is touched.`;
      this.journal.note(outcome);
      await tell(this.#componentUrn, this.report(outcome));
    }
  }

  /** Throws where it would be wrong to begin something: another node has failed, another operator has the cluster, or nobody wants it any more. */
  async assertGoing(node: string): Promise<void> {
    this.frontends.assertOpen(node);
    await this.#assertWanted(node, "touched");
  }

  /** The same before a node is started that does not run: a new one may have failed. */
  async assertMayStart(node: string): Promise<void> {
    await this.#assertWanted(node, "started");
  }

  async #assertWanted(node: string, deed: "touched" | "started"): Promise<void> {
    if (this.#ended !== undefined) {
      throw new RefusedTurn(node, this.#ended, deed);
    }
    this.lease?.assertHeld();
    if (await this.isOrphaned()) {
      throw new RefusedTurn(node, reasons.gone, deed);
    }
  }

  /** Whether the engine is gone. Whoever finds that first tells it: a failure that comes of it must not be told for the cause. */
  async isOrphaned(): Promise<boolean> {
    const orphaned = isEnding() || !(await engineAlive());
    if (orphaned) {
      await this.stop("gone");
    }
    return orphaned;
  }

  /** Says once where it is written what was done: a removal has no report. */
  async tellJournal(urn: string | undefined): Promise<void> {
    if (this.acted && this.first("journal")) {
      await tell(urn, `Journal: ${this.journal.place}`);
    }
  }

  /** Why nobody waits for this operation any more; undefined while somebody does. */
  async unwanted(): Promise<string | undefined> {
    await this.isOrphaned();
    return this.#stopped && reasons[this.#stopped];
  }

  /** Lines of the plan for what Pulumi deletes when all else is done. */
  get toCome(): readonly string[] {
    const removals = [...this.items.values()].filter(({ id, wave }) => wave === "removal" && !this.journal.has(id));
    return inOrder(removals).map((item) => `then ${line(item)}`);
  }

  /** What an operator asks first after a change of running nodes. */
  #figures(): readonly string[] {
    const stopped = this.journal.items.filter(({ down }) => down > 0);
    const [longest] = [...stopped].sort((a, b) => b.down - a.down);
    const back = this.journal.items.flatMap(({ back, item }) => (back === undefined ? [] : [`${item.id} to ${back}`]));
    return [
      ...(longest
        ? [`  ${nodeCount(stopped.length)} restarted; longest down: ${longest.item.id}, ${seconds(longest.down)}`]
        : []),
      ...(back.length > 0 ? [`  taken back: ${back.join(", ")}`] : []),
    ];
  }

  /** What was done, in the order of the plan, and what is still to come. */
  report(outcome: string, toCome: readonly string[] = []): string {
    const journal = this.journal;
    const summaries = new Map(journal.items.map(({ item, summary }) => [item.id, summary]));
    const lines = inOrder(
      journal.items.map(({ item }) => item),
      this.#policy.direction,
    ).map((item) => `${item.within === undefined ? "  " : "    "}${subject(item)}: ${summaries.get(item.id)}`);
    return [
      `${shortName(this.cluster)}: ${outcome}`,
      ...lines,
      ...toCome.map((text) => `  ${text}`),
      ...this.#figures(),
      ...(this.care?.unrestored === undefined ? [] : [`  ${this.care.unrestored}`]),
      ...(this.#unavoidable.size > 0 ? [`  not whole while a BE of theirs was down: ${this.#notWhole}`] : []),
      `Journal: ${journal.place}`,
    ].join("\n");
  }
}

const notTakenBack = ({ node }: Proven, error: unknown): string =>
  `${node} was proven, and its process has ended since. It is left as it is: ${explained(error).message}`;

const nodeCount = (count: number): string => (count === 1 ? "1 node" : `${count} nodes`);

const runs = new Map<string, Run>();

/** The operation on a cluster in this process. */
export const runOf = (cluster: string): Run => {
  const existing = runs.get(cluster);
  if (existing) {
    return existing;
  }
  const run = new Run(cluster);
  onStop((stop) => run.stop(stop));
  runs.set(cluster, run);
  return run;
};
