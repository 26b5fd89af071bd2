import { UserError } from "../../error.js";
import type { BeSpec } from "../../plan/spec.js";
import { done, notMet, type Outcome, skipped } from "../../rollout/execute.js";
import { isSteady, Steady } from "../../rollout/steady.js";
import { allowDrain } from "../../starrocks/drain.js";
import { beHealth } from "../../starrocks/http.js";
import { type BeState, beVerdict, meaningOf, type Verdict } from "../../starrocks/logs.js";
import { backendName, backendRow } from "../../starrocks/rows.js";
import type { Backend } from "../../starrocks/statements.js";
import { isNewer } from "../../starrocks/statements.js";
import { features, parseReported, runsVersion, type Version, versionOf } from "../../starrocks/versions.js";
import { type Look, until } from "../../wait.js";
import { labelOf, type NodeContext, type StopAsked } from "./context.js";
import { startNode } from "./start.js";
import { speaks, tabletsAllow, tabletsHealed } from "./tablets.js";
import { assertNoEnd, type Ended, endedUnwatched, type Watch, type Watched } from "./watch.js";
import { noteProven } from "./works.js";

/** What the cluster said of the BE before it was started; its start time must be another one afterwards. */
interface Before {
  readonly row: Backend | undefined;
  /** Whether the cluster answered: then it must answer for the proof too. */
  readonly answered: boolean;
}

/** Its process ended before it was proven. */
export class BeDied extends UserError {
  constructor(
    message: string,
    /** What its log says of that. */
    readonly verdict: Verdict<BeState>,
  ) {
    super(message);
  }

  /** Whether its data may be why: the log names no other cause, such as a port that is taken or a disk that is not mounted. */
  get mayBeItsData(): boolean {
    return this.verdict.meaning === undefined || this.verdict.crash === true;
  }
}

export class BeWork {
  readonly #context: NodeContext<BeSpec>;
  #before: Before = { row: undefined, answered: false };
  #watch: Watch | undefined;
  #proven = false;

  constructor(context: NodeContext<BeSpec>) {
    this.#context = context;
  }

  /** An FE's concern; whether a BE can go back its own start tells. */
  readonly opened = false;

  get started(): boolean {
    return this.#watch?.started.did === "ran";
  }

  get row(): string {
    const { address, ports } = this.#context.spec;
    return backendName({ address, heartbeatPort: ports.heartbeat });
  }

  get proven(): boolean {
    return this.#proven;
  }

  readonly down = async (): Promise<readonly string[]> => {
    const { frontends, run, spec } = this.#context;
    const [rows, gone = []] = await Promise.all([frontends.rows(), run.care?.gone("be", labelOf(spec))]);
    if (!rows) {
      return ["the FE group (no leader answers)"];
    }
    const own = backendRow(spec, rows.backends);
    const dead = new Set(gone.map((one) => one.kind === "be" && backendRow(one, rows.backends)));
    return rows.backends.filter((row) => row !== own && (!row.alive || dead.has(row))).map(backendName);
  };

  /** Takes note of what is there before anything is stopped. */
  async note(now = false): Promise<void> {
    const { frontends, limits, run, spec } = this.#context;
    // Where the gate saw a cluster, its silence is an election, not an answer.
    const rows = run.answers && !now ? await frontends.rowsSoon(limits.leader) : await frontends.rows();
    this.#before = { answered: rows !== undefined, row: rows && backendRow(spec, rows.backends) };
  }

  readonly start = async (): Promise<Outcome> => {
    this.#proven = false;
    await this.#noteReport();
    const watch = await startNode(this.#context, {});
    this.#watch = watch;
    return watch.started.did === "ran" ? done : skipped("it runs as declared");
  };

  /** Nothing runs now: what was reported until here, as while it was drained, is of the process before. */
  async #noteReport(): Promise<void> {
    const { frontends, spec } = this.#context;
    const { row } = this.#before;
    const rows = row && (await frontends.rows());
    const { tabletReport } = (rows && backendRow(spec, rows.backends)) ?? {};
    if (row && tabletReport !== undefined) {
      this.#before = { ...this.#before, row: { ...row, tabletReport } };
    }
  }

  readonly close = (): void => undefined;

  readonly stop = (stop: () => Promise<Outcome>): Promise<Outcome> => stop();

  readonly drain = async (): Promise<void> => {
    const { host, limits, run, spec } = this.#context;
    const { drain } = run.policy;
    const { row } = this.#before;
    const version = parseReported(row?.version);
    if (drain !== undefined && row && version) {
      // The process that is to be stopped listens where the cluster sees it; the declared port may be another.
      const { httpPort } = row;
      await allowDrain(host, { address: spec.address, httpPort, version }, drain, { limit: limits.http });
    }
  };

  /** Leadership is no business of a BE. */
  readonly handOver = async (): Promise<Outcome> => notMet("a BE leads nothing");

  readonly led = async (): Promise<boolean> => false;

  readonly mayStop = async (report: (seen: string) => void, asked: StopAsked = {}): Promise<Outcome> =>
    tabletsAllow(this.#context, report, asked);

  /** Its tablets must serve again before the next BE may go: writes that it missed are fetched from the others. */
  readonly heal = async (report: (seen: string) => void): Promise<Outcome> =>
    // One that was not restarted has nothing new to report.
    tabletsHealed(
      this.#context,
      this.started ? this.#before.row?.tabletReport : undefined,
      () => this.#assertWell(),
      report,
    );

  /** Watches the BE: the same process, Alive with its version, nothing in its log that means its end, and its tablets serving at the end. */
  readonly soak = async (report: (seen: string) => void): Promise<Outcome> => {
    const { frontends, limits, run, spec } = this.#context;
    const milliseconds = (run.placeOf(spec, 0).manner.canary?.soak ?? 0) * 1000;
    const ends = performance.now() + milliseconds;
    const heard = new Set(await this.#watch?.lines());
    await until<void>(
      async () => {
        await this.#assertWell(heard);
        const rows = await frontends.rows();
        const row = rows && backendRow(spec, rows.backends);
        if (row && this.#before.row && !row.alive) {
          throw new UserError(
            `SHOW BACKENDS does not say Alive of ${labelOf(spec)} any more${row.errMsg ? ` (${row.errMsg})` : ""}.`,
          );
        }
        if (row && this.#before.row && !runsVersion(row.version, spec.release.version)) {
          throw new UserError(
            `SHOW BACKENDS says ${row.version ?? "no version"} of ${labelOf(spec)}, which was proven with ${spec.release.version}.`,
          );
        }
        const left = Math.ceil((ends - performance.now()) / 1000);
        if (left > 0) {
          return { done: false, seen: `${left} s left` };
        }
        return row || !this.#before.row ? { done: true, value: undefined } : { done: false, seen: "no FE answers" };
      },
      {
        what: `${labelOf(spec)} to be seen Alive at the end of its watch`,
        limit: milliseconds + limits.alive,
        every: Math.min(1000, milliseconds / 4),
        onProgress: report,
        advice: "Look at the FE group: nobody could tell how the BE is.",
      },
    );
    await this.heal(report);
    return { mark: "done", detail: `well for ${Math.round(milliseconds / 1000)} s` };
  };

  /** The process that was proven is still the same; beyond the lines that were heard, its log announces no end. */
  async #assertWell(heard?: ReadonlySet<string>): Promise<void> {
    const watch = this.#watch;
    if (!watch) {
      return;
    }
    const watched = await watch.look();
    await this.#assertGoing(watched);
    if (!watched.same) {
      throw await watch.replaced();
    }
    if (heard) {
      assertNoEnd(
        this.#context,
        watched.lines.filter((line) => !heard.has(line)),
      );
    }
  }

  readonly prove = async (report: (seen: string) => void): Promise<Outcome> => {
    const proof = this.#prove(report);
    return this.#watch?.whileWaiting(proof) ?? proof;
  };

  async #prove(report: (seen: string) => void): Promise<Outcome> {
    const { limits, spec, host } = this.#context;
    await until(() => this.#serves(), {
      what: `${labelOf(spec)} on ${host.name} to serve http://${spec.address}:${spec.ports.http}/api/health`,
      limit: limits.start,
      onProgress: report,
      advice: "Its process runs; look at be.INFO. Raise `limits.start` if it is loading tablets.",
    });
    const detail = await this.#seenByCluster(report);
    if (this.started && this.#before.row) {
      await this.#watch?.hasServed();
      await this.#assertWell();
    }
    this.#proven = true;
    await noteProven(this.#context);
    return { mark: "done", detail };
  }

  async #serves(): Promise<Look<void>> {
    const { host, limits, spec } = this.#context;
    const health = await beHealth(host, spec.address, spec.ports.http, { limit: limits.http });
    if (health.ok && (await this.#watch?.alive()) !== false) {
      this.#watch?.serves();
      return { done: true, value: undefined };
    }
    await this.#assertGoing(await (health.ok ? this.#watch?.look() : this.#watch?.lookAgain()));
    return { done: false, seen: health.ok ? "it answers, but its process was not found" : health.seen };
  }

  async #assertAlive(): Promise<void> {
    await this.#assertGoing(await this.#watch?.look());
  }

  /** Fails at once where waiting is in vain: the process is gone, or its log says that it gives up. */
  async #assertGoing(watched: Watched | undefined): Promise<void> {
    const watch = this.#watch;
    if (!watch || !watched) {
      return;
    }
    if (!watched.alive) {
      throw await this.#failure(watch);
    }
    const verdict = beVerdict(watched.lines, versionOf(this.#context.spec.release.version));
    if (verdict.state === "failed" && !(await watch.alive())) {
      throw await this.#failure(watch);
    }
  }

  async #failure(watch: Watch): Promise<BeDied> {
    return this.#diedOf(watch, (await watch.died()).message);
  }

  async #diedOf(watch: Watch, message: string): Promise<BeDied> {
    const verdict = beVerdict(await watch.lines(), versionOf(this.#context.spec.release.version));
    return new BeDied(`${message}${meaningOf(verdict)}`, verdict);
  }

  readonly same = async (): Promise<boolean> => (await this.#watch?.same()) ?? true;

  readonly ended = async (): Promise<Ended> => {
    const watch = this.#watch;
    if (!watch) {
      return endedUnwatched;
    }
    const error = await this.#diedOf(watch, await watch.ended());
    return { error, ofItself: error.verdict.state === "failed" };
  };

  /** Several equal readings of the new process in SHOW BACKENDS; a cluster that knows it not, or does not run, cannot tell. */
  async #seenByCluster(report: (seen: string) => void): Promise<string> {
    const { frontends, limits, spec } = this.#context;
    const { answered, row: before } = this.#before;
    if (!answered) {
      return "proven by process and HTTP; the cluster does not answer yet";
    }
    if (!before) {
      return "proven by process and HTTP; the cluster does not know it yet";
    }
    const steady = new Steady();
    await until(
      async () => {
        const rows = await frontends.rows();
        const row = rows && backendRow(spec, rows.backends);
        if (!row) {
          return { done: false, seen: "no FE answers" };
        }
        const missing = this.#missing(before, row, speaks(rows, spec));
        if (missing !== undefined) {
          steady.reset();
          // A process that died since would never be seen.
          await this.#assertAlive();
          return { done: false, seen: missing };
        }
        return isSteady(steady, `${row.version} ${row.lastStartTime}`);
      },
      {
        what: `${labelOf(spec)} to be Alive with ${spec.release.version} in SHOW BACKENDS`,
        limit: limits.alive,
        onProgress: report,
        advice:
          "The BE runs and answers HTTP; look at ErrMsg in SHOW BACKENDS, and whether the FEs reach its heartbeat port.",
      },
    );
    return `Alive with ${spec.release.version}`;
  }

  /** What of the proof is still missing, for people; undefined when nothing is. */
  #missing(before: Backend, row: Backend, leader: Version): string | undefined {
    const { spec } = this.#context;
    if (row.errMsg !== "" && !row.alive) {
      return `SHOW BACKENDS says: ${row.errMsg}`;
    }
    if (!row.alive) {
      return "not Alive";
    }
    if (!runsVersion(row.version, spec.release.version)) {
      return `SHOW BACKENDS still says ${row.version ?? "no version"}`;
    }
    if (!this.started) {
      return undefined;
    }
    // The BE must tell when it started, and the FE must listen: during a change they are of two versions.
    const versions = [leader, versionOf(spec.release.version)];
    const restarted = versions.every((one) => features(one).beLastStartTimeMovesOnQuickRestart)
      ? isNewer(before.lastStartTime, row.lastStartTime)
      : isNewer(before.lastHeartbeat, row.lastHeartbeat);
    return restarted ? undefined : "the heartbeat of the new process is awaited";
  }
}
