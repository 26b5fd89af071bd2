import { TransientError, UserError } from "../../error.js";
import { canElect, describeQuorum, quorumProblem } from "../../plan/quorum.js";
import type { FeSpec } from "../../plan/spec.js";
import { done, notMet, type Outcome, skipped } from "../../rollout/execute.js";
import type { Contact } from "../../rollout/frontends.js";
import { isSteady, Steady } from "../../rollout/steady.js";
import { holdsMetadata } from "../../starrocks/folders.js";
import { feBootstrap } from "../../starrocks/http.js";
import { feVerdict, meaningOf } from "../../starrocks/logs.js";
import { frontendRow, isRowOf } from "../../starrocks/rows.js";
import {
  addFrontend,
  endpoint,
  type Frontend,
  isNewer,
  showFrontends,
  versionComment,
} from "../../starrocks/statements.js";
import { runsVersion, versionOf } from "../../starrocks/versions.js";
import { type Look, until } from "../../wait.js";
import { labelOf, type NodeContext, type Report } from "./context.js";
import { firstStart, noteRejoined } from "./first-start.js";
import { handOverLeadership, stopLeader } from "./leadership.js";
import { type StartWish, startNode } from "./start.js";
import { type Ended, endedUnwatched, type Watch } from "./watch.js";
import { look, noteProven } from "./works.js";

interface Before {
  readonly row: Frontend | undefined;
  /** Whether an FE group answered: then this FE must become a working part of it again. */
  readonly answered: boolean;
}

/** All that an FE can come to while too few others run: no proof of its version. */
const waitsForMajority = "it waits for a majority of the FE group";

/** Milliseconds between two looks for other FEs that are down. */
const othersEvery = 2000;

export class FeWork {
  readonly #context: NodeContext<FeSpec>;
  readonly #self: Contact;
  /** What the work that failed has noted of the group: it holds where nobody answers. */
  readonly #known: Before | undefined;
  #before: Before = { row: undefined, answered: false };
  #watch: Watch | undefined;
  #proven = false;
  #opened = false;
  /** It leads, and others can elect another one. */
  #succeeded = false;
  /** It had no metadata, and there was no group to join. */
  #founds = false;
  /** When others were looked at that it waits for. */
  #othersSeen = Number.NEGATIVE_INFINITY;
  #othersFailed: string | undefined;
  /** Lets the next FE start for the first time. */
  #letNext: (() => void) | undefined;
  /** Its metadata was lost while the group knew it: its old row is dropped and it is added anew. */
  #rejoins = false;

  constructor(context: NodeContext<FeSpec>, failed?: FeWork) {
    this.#context = context;
    this.#known = failed === undefined ? undefined : failed.#before;
    const { spec } = context;
    const known = context.frontends.contacts.find(({ name }) => name === spec.name);
    // By its own spec: one that is taken back listens on the ports that it had.
    this.#self = { ...spec, connection: known?.connection ?? {} };
  }

  get started(): boolean {
    return this.#watch?.started.did === "ran";
  }

  get opened(): boolean {
    return this.#opened;
  }

  get row(): string {
    return `FE ${this.#context.spec.address}`;
  }

  get proven(): boolean {
    return this.#proven;
  }

  readonly down = async (): Promise<readonly string[]> => {
    const { frontends, run, spec } = this.#context;
    const [rows, gone = []] = await Promise.all([frontends.rows(), run.care?.gone("fe", labelOf(spec))]);
    if (!rows) {
      return ["the FE group (no leader answers)"];
    }
    const own = frontendRow(spec, rows.frontends);
    const dead = new Set(gone.map((one) => one.kind === "fe" && frontendRow(one, rows.frontends)));
    const down = rows.frontends
      .filter((row) => row !== own && (!row.alive || dead.has(row)))
      .map(({ address }) => `FE ${address}`);
    const voters = rows.frontends.map((row) => ({ ...row, name: `FE ${row.address}` }));
    const problem = quorumProblem(voters, new Set(own ? [`FE ${own.address}`] : []));
    return down.length === 0 && problem ? [describeQuorum(problem)] : down;
  };

  async note(now = false): Promise<void> {
    const { frontends, limits, run, spec } = this.#context;
    const known = this.#known;
    // Where the gate saw a cluster, its silence is an election, not an answer; but that may need this very FE.
    const rows = run.answers && !known && !now ? await frontends.rowsSoon(limits.leader) : await frontends.rows();
    const row = rows && frontendRow(spec, rows.frontends);
    this.#before = known && !rows ? known : { answered: rows !== undefined, row };
    this.#succeeded = rows !== undefined && row?.role === "leader" && canElect(rows.frontends, row);
  }

  readonly stop = (stop: () => Promise<Outcome>, report: (seen: string) => void): Promise<Outcome> =>
    this.#succeeded ? stopLeader(this.#context, stop, report) : stop();

  readonly start = async (mayStart = async (): Promise<void> => undefined): Promise<Outcome> => {
    const { run } = this.#context;
    const home = await look(this.#context);
    const [data] = home.data;
    if (home.process || holdsMetadata(data)) {
      return this.#startWith({});
    }
    // One by one until it is proven, so that what is wrong with one FE is found before the next is touched.
    this.#letNext = await run.frontendStarts.acquire();
    try {
      await mayStart();
      const { rejoins, wish } = await firstStart(this.#context, home.marker);
      this.#rejoins = rejoins;
      this.#founds = wish.helper === undefined;
      return await this.#startWith(wish);
    } catch (error) {
      this.close();
      throw error;
    }
  };

  readonly close = (): void => this.#letNext?.();

  async #startWith(wish: StartWish): Promise<Outcome> {
    this.#proven = false;
    const watch = await startNode(this.#context, wish, () => {
      this.#opened = true;
    });
    this.#watch = watch;
    if (watch.started.did !== "ran") {
      return skipped("it runs as declared");
    }
    return wish.helper ? { mark: "done", detail: `joins through ${wish.helper}` } : done;
  }

  /** The turnstile counts FEs; what only their votes tell is asked here. */
  readonly mayStop = async (): Promise<Outcome> => notMet("an FE holds no tablets");

  readonly heal = async (): Promise<Outcome> => notMet("an FE holds no tablets");

  readonly soak = async (): Promise<Outcome> => notMet("an FE is no canary");

  /** An FE drains for 15 s by itself when it is stopped gracefully (3.4.2). */
  readonly drain = async (): Promise<void> => undefined;

  /** Leadership goes to the declared leader, which is changed last: no FE that is still old shall follow a new one. */
  readonly handOver = async (report: (seen: string) => void, before: () => Promise<void>): Promise<Outcome> =>
    handOverLeadership(this.#context, report, before);

  readonly same = async (): Promise<boolean> => (await this.#watch?.same()) ?? true;

  readonly ended = async (): Promise<Ended> => {
    const watch = this.#watch;
    if (!watch) {
      return endedUnwatched;
    }
    const verdict = feVerdict(await watch.lines(), versionOf(this.#context.spec.release.version));
    return {
      error: new UserError(`${await watch.ended()}${meaningOf(verdict)}`),
      ofItself: verdict.state === "failed",
    };
  };

  readonly led = async (): Promise<boolean> =>
    (await this.#watch?.lines())?.some((line) =>
      /(leader|master) finished to replay journal, can write now/.test(line),
    ) ?? false;

  readonly prove = async (report: (seen: string) => void, together = false): Promise<Outcome> => {
    const { limits, spec, host, frontends } = this.#context;
    frontends.forget(this.#self);
    const steady = new Steady();
    // Alone it cannot become ready; the leader, where it is started last, must.
    const mayWait = together || (!this.#before.answered && spec.role !== "leader");
    const ready = until<string>(() => this.#look(steady, mayWait, report), {
      what: `${labelOf(spec)} on ${host.name} to be ready with ${spec.release.version}`,
      limit: limits.start,
      onProgress: report,
      advice: "Its process runs; look at fe.log. Raise `limits.start` if it is loading a large image.",
    }).finally(this.close);
    const detail = await (this.#watch?.whileWaiting(ready) ?? ready);
    if (detail !== waitsForMajority) {
      await this.#assertLasts();
      this.#proven = true;
      await noteProven(this.#context);
    }
    return { mark: "done", detail };
  };

  /** In a group that worked before it, the next FE may be stopped as soon as this one is proven. */
  async #assertLasts(): Promise<void> {
    const watch = this.#watch;
    if (!this.started || !this.#before.row || !watch) {
      return;
    }
    await watch.hasServed();
    const { alive, lines, same } = await watch.look();
    if (!alive) {
      throw await this.#died(watch, lines);
    }
    if (!same) {
      throw await watch.replaced();
    }
  }

  async #look(steady: Steady, mayWait: boolean, report: Report): Promise<Look<string>> {
    const { host, limits, spec } = this.#context;
    const bootstrap = await feBootstrap(host, spec.address, spec.ports.http, { limit: limits.http });
    if (bootstrap.ok) {
      this.#watch?.serves();
      return this.#lookInside(steady);
    }
    const look = await this.#lookAtLog(bootstrap.seen, steady, mayWait);
    return !mayWait && !look.done && look.seen === waitsForMajority
      ? { done: false, seen: [look.seen, await this.#startOthers(report)].filter(Boolean).join("; ") }
      : look;
  }

  /**
   * The other one of two led without a majority while this one was down, and such an FE ends by itself after some 40 s (seen
   * on a real 3.5.7): without it this one would wait in vain. Gives why one could not be started.
   */
  async #startOthers(report: Report): Promise<string | undefined> {
    const { run, spec } = this.#context;
    if (this.#othersFailed === undefined && performance.now() - this.#othersSeen > othersEvery) {
      try {
        await run.care?.startFrontends(labelOf(spec), report);
      } catch (error) {
        if (!(error instanceof UserError)) {
          throw error;
        }
        // The others may be a majority without that one.
        this.#othersFailed = error.message;
      }
      this.#othersSeen = performance.now();
    }
    return this.#othersFailed;
  }

  /** A starting FE says for a moment what a waiting one says again and again. */
  #steadily(steady: Steady, value: string): Look<string> {
    return steady.note(value) ? { done: true, value } : { done: false, seen: value };
  }

  async #lookAtLog(seen: string, steady: Steady, mayWait: boolean): Promise<Look<string>> {
    const { spec } = this.#context;
    const watch = this.#watch;
    if (!watch) {
      return { done: false, seen };
    }
    const { alive, lines } = await watch.look();
    const verdict = feVerdict(lines, versionOf(spec.release.version));
    if (!alive || (verdict.state === "failed" && !(await watch.alive()))) {
      throw await this.#died(watch, lines);
    }
    switch (verdict.state) {
      case "waiting-to-be-added":
        return this.#waitingToBeAdded();
      case "waiting-for-majority":
        return mayWait ? this.#steadily(steady, waitsForMajority) : { done: false, seen: waitsForMajority };
      case "failed":
        return { done: false, seen: `its log says: ${verdict.line}` };
      default:
        return { done: false, seen: verdict.line ? `its log says: ${verdict.line}` : seen };
    }
  }

  async #died(watch: Watch, lines: readonly string[]): Promise<UserError> {
    const verdict = feVerdict(lines, versionOf(this.#context.spec.release.version));
    return new UserError(`${(await watch.died()).message}${meaningOf(verdict)}`);
  }

  /** What a joining FE does until it is added; its membership is another resource, unless it lost its metadata. */
  async #waitingToBeAdded(): Promise<Look<string>> {
    const { frontends, host, limits, run, spec } = this.#context;
    if (!this.#rejoins) {
      const known = this.#before.row !== undefined;
      return known
        ? { done: false, seen: "it joins its group" }
        : { done: true, value: "it waits to be added to the group" };
    }
    this.#rejoins = false;
    await run.membership.run(() =>
      frontends.tell((sql) => addFrontend(sql, spec.role, spec.address, spec.ports.editLog, limits.sql), spec.name),
    );
    await noteRejoined(host, spec);
    return { done: false, seen: "added to its group again" };
  }

  /** It serves: its own answer and the group's must both be the new process's. */
  async #lookInside(steady: Steady): Promise<Look<string>> {
    const { frontends, limits, spec } = this.#context;
    let own: string | undefined;
    let rows: readonly Frontend[];
    try {
      const sql = await frontends.through(this.#self);
      own = await versionComment(sql, limits.sql);
      rows = await showFrontends(sql, limits.sql);
    } catch (error) {
      frontends.forget(this.#self);
      if (!(error instanceof TransientError)) {
        throw error;
      }
      return { done: false, seen: error.message };
    }
    if (!runsVersion(own, spec.release.version)) {
      throw new UserError(
        `${labelOf(spec)} answers as StarRocks ${own ?? "of no version"}, declared is ${spec.release.version}. ` +
          `Does another FE listen on ${spec.address}:${spec.ports.query}?`,
      );
    }
    this.#assertName(rows);
    const missing = this.#missing(rows);
    if (missing !== undefined) {
      steady.reset();
      return { done: false, seen: missing };
    }
    const reading = isSteady(steady, `ready with ${own}`);
    return reading.done ? { done: true, value: `ready with ${own}` } : reading;
  }

  /** One that founded its group has the name there that its host has for itself: `fe1.example.com` where `fe1` is declared. */
  #assertName(rows: readonly Frontend[]): void {
    const { host, spec } = this.#context;
    const [only, ...others] = rows;
    if (!only || others.length > 0 || isRowOf(spec, only)) {
      return;
    }
    const [known, declared] = [endpoint(only.address, only.editLogPort), endpoint(spec.address, spec.ports.editLog)];
    const again = this.#founds
      ? `; or let StarRocks take the other one (\`priority_networks\` in \`config\`, the host's name in its DNS or /etc/hosts) and move ${spec.metaDir}, which is new and empty, away`
      : "";
    throw new UserError(
      `${labelOf(spec)} is alone in its cluster and is ${known} there, declared is ${declared}: StarRocks takes the name or the ` +
        `address that ${host.name} has for itself. Declare that one as \`address\`${again}.`,
    );
  }

  #missing(rows: readonly Frontend[]): string | undefined {
    const { spec } = this.#context;
    const row = frontendRow(spec, rows);
    if (!row) {
      const known = rows.map(({ address, editLogPort }) => endpoint(address, editLogPort)).join(", ");
      return `it is not in SHOW FRONTENDS as ${endpoint(spec.address, spec.ports.editLog)} (its \`address\`), which has ${known}`;
    }
    if (!row.alive) {
      return `SHOW FRONTENDS says: not Alive${row.errMsg ? `, ${row.errMsg}` : ""}`;
    }
    const before = this.#before.row;
    if (!before) {
      return undefined;
    }
    if (!runsVersion(row.version, spec.release.version)) {
      return `SHOW FRONTENDS still says ${row.version ?? "no version"}`;
    }
    return this.started && !isNewer(before.startTime, row.startTime)
      ? "the heartbeat of the new process is awaited"
      : undefined;
  }
}
