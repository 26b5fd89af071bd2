import { isIP } from "node:net";
import { messageOf, TransientError, UserError } from "../../error.js";
import { canElect, describeQuorum, quorumProblem } from "../../plan/quorum.js";
import type { FeSpec } from "../../plan/spec.js";
import { done, notMet, type Outcome, skipped } from "../../rollout/execute.js";
import type { Contact } from "../../rollout/frontends.js";
import { isSteady, Steady } from "../../rollout/steady.js";
import { holdsMetadata, inspectData } from "../../starrocks/folders.js";
import { feBootstrap } from "../../starrocks/http.js";
import { feVerdict, meaningOf } from "../../starrocks/logs.js";
import { type HomeMarker, writeHomeMarker } from "../../starrocks/marker.js";
import { frontendRow, isRowOf } from "../../starrocks/rows.js";
import {
  addFrontend,
  dropFrontend,
  endpoint,
  type Frontend,
  isNewer,
  showFrontends,
  versionComment,
} from "../../starrocks/statements.js";
import { features, runsVersion, versionOf } from "../../starrocks/versions.js";
import { type Look, until } from "../../wait.js";
import { labelOf, type NodeContext } from "./context.js";
import { type Attempt, handOverLeadership, stopLeader } from "./leadership.js";
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

export class FeWork {
  readonly #context: NodeContext<FeSpec>;
  readonly #self: Contact;
  /** What the work that failed has noted of the group: it holds where nobody answers. */
  readonly #known: Before | undefined;
  #before: Before = { row: undefined, answered: false };
  #watch: Watch | undefined;
  #proven = false;
  /** It leads, and others can elect another one. */
  #succeeded = false;
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

  get #others(): readonly Contact[] {
    return this.#context.frontends.contacts.filter(({ name }) => name !== this.#self.name);
  }

  get started(): boolean {
    return this.#watch?.started.did === "ran";
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

  async note(): Promise<void> {
    const { frontends, limits, run, spec } = this.#context;
    const known = this.#known;
    // Where the gate saw a cluster, its silence is an election, not an answer; but that may need this very FE.
    const rows = run.answers && !known ? await frontends.rowsSoon(limits.leader) : await frontends.rows();
    const row = rows && frontendRow(spec, rows.frontends);
    this.#before = known && !rows ? known : { answered: rows !== undefined, row };
    this.#succeeded = rows !== undefined && row?.role === "leader" && canElect(rows.frontends, row);
  }

  readonly stop = (stop: () => Promise<Outcome>, report: (seen: string) => void): Promise<Outcome> =>
    this.#succeeded ? stopLeader(this.#context, stop, report) : stop();

  readonly start = async (mayStart = async (): Promise<void> => undefined): Promise<Outcome> => {
    const { run, spec } = this.#context;
    const home = await look(this.#context);
    const [data] = home.data;
    if (home.process || holdsMetadata(data)) {
      return this.#startWith({});
    }
    // One by one, so that what is wrong with one FE is found before the next is touched.
    return run.frontendStarts.run(async () => {
      await mayStart();
      return this.#startWith(await this.#firstStart(spec, home.marker));
    });
  };

  async #startWith(wish: StartWish): Promise<Outcome> {
    this.#proven = false;
    const watch = await startNode(this.#context, wish);
    this.#watch = watch;
    if (watch.started.did !== "ran") {
      return skipped("it runs as declared");
    }
    return wish.helper ? { mark: "done", detail: `joins through ${wish.helper}` } : done;
  }

  /** With empty metadata: join the group that is there, or found one where there can be none. */
  async #firstStart(spec: FeSpec, marker: HomeMarker | undefined): Promise<StartWish> {
    const hostType: StartWish =
      isIP(spec.address) === 0 && features(versionOf(spec.release.version)).fqdn ? { hostType: "FQDN" } : {};
    const living = await this.#livingHelper();
    if (living) {
      return { ...hostType, helper: living };
    }
    const helper = spec.role === "leader" ? await this.#holderOfMetadata() : this.#declaredLeader();
    if (helper) {
      return { ...hostType, helper: endpoint(helper.address, helper.ports.editLog) };
    }
    if (spec.role !== "leader") {
      throw new UserError(
        `${labelOf(spec)} has no metadata and no FE to join: declare the FE group in \`frontends\`, or start its leader first.`,
      );
    }
    this.#assertMayFound(spec, marker);
    await writeHomeMarker(this.#context.host, spec.home, {
      schema: 1,
      cluster: spec.cluster,
      node: spec.name,
      kind: "fe",
      releases: marker?.releases ?? [],
      founded: true,
    });
    return hostType;
  }

  /** An FE that was proven once had metadata. A founding that was cut short before its proof goes on. */
  #assertMayFound({ adopt, metaDir }: FeSpec, marker: HomeMarker | undefined): void {
    const { host, spec } = this.#context;
    if (adopt || !marker || marker.releases.length === 0) {
      return;
    }
    throw new UserError(
      `${labelOf(spec)} has run before, but ${metaDir} on ${host.name} holds no metadata, nor does any other declared FE: is its disk not mounted? ` +
        "Mount it and run `pulumi up` again. If the metadata is lost, copy `image` and `bdb` of the newest `meta-backup-…` folder (beside `metaDir` of the FE that led then, or in `meta-backups` of its home) into it; " +
        "or, to found a new and empty cluster in place of the lost one, set `adopt: true` on this node.",
    );
  }

  /** An FE of a group that works; where that group still has a row of this FE's lost metadata, the row is dropped. */
  async #livingHelper(): Promise<string | undefined> {
    const { frontends, limits, run, spec } = this.#context;
    const rows = await frontends.ask((sql) => showFrontends(sql, limits.sql), spec.name);
    const helper =
      rows?.find(({ role, alive }) => role === "leader" && alive) ?? rows?.find(({ alive, join }) => alive && join);
    if (!rows || !helper) {
      return undefined;
    }
    const own = frontendRow(spec, rows);
    if (own?.join) {
      await run.membership.run(() =>
        frontends.tell(
          (sql) =>
            dropFrontend(
              sql,
              own.role === "observer" ? "observer" : "follower",
              own.address,
              own.editLogPort,
              limits.sql,
            ),
          spec.name,
        ),
      );
      this.#rejoins = true;
    }
    return endpoint(helper.address, helper.editLogPort);
  }

  #declaredLeader(): Contact | undefined {
    return this.#others.find(({ role }) => role === "leader") ?? this.#others[0];
  }

  /** A declared FE whose disk holds metadata: the cluster exists, even if nothing of it runs. All hosts must be seen to hold none. */
  async #holderOfMetadata(): Promise<Contact | undefined> {
    const { frontends, spec } = this.#context;
    const looks = await Promise.allSettled(
      this.#others.map(async (contact) => {
        const [folder] = await inspectData(frontends.hostOf(contact), [contact.metaDir]);
        return holdsMetadata(folder);
      }),
    );
    const holder = looks.findIndex((look) => look.status === "fulfilled" && look.value);
    const unseen = looks.findIndex(({ status }) => status === "rejected");
    const reason = looks[unseen];
    if (holder < 0 && reason?.status === "rejected") {
      throw new UserError(
        `${labelOf(spec)} has no metadata, and whether ${this.#others[unseen]?.name} has some could not be seen (${messageOf(reason.reason)}). ` +
          "A second cluster must not be founded beside one that exists. Bring that host back, or take it out of the program.",
      );
    }
    return this.#others[holder];
  }

  /** The turnstile counts FEs; what only their votes tell is asked here. */
  readonly mayStop = async (): Promise<Outcome> => notMet("an FE holds no tablets");

  readonly heal = async (): Promise<Outcome> => notMet("an FE holds no tablets");

  readonly soak = async (): Promise<Outcome> => notMet("an FE is no canary");

  /** An FE drains for 15 s by itself when it is stopped gracefully (3.4.2). */
  readonly drain = async (): Promise<void> => undefined;

  /** Leadership goes to the declared leader, which is changed last: no FE that is still old shall follow a new one. */
  readonly handOver = async (report: (seen: string) => void, attempt: Attempt): Promise<Outcome> =>
    handOverLeadership(this.#context, report, attempt);

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
    const detail = await until<string>(() => this.#look(steady, mayWait), {
      what: `${labelOf(spec)} on ${host.name} to be ready with ${spec.release.version}`,
      limit: limits.start,
      onProgress: report,
      advice: "Its process runs; look at fe.log. Raise `limits.start` if it is loading a large image.",
    });
    if (detail !== waitsForMajority) {
      await this.#assertLasts();
      await noteProven(this.#context);
      this.#proven = true;
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

  async #look(steady: Steady, mayWait: boolean): Promise<Look<string>> {
    const { host, limits, spec } = this.#context;
    const bootstrap = await feBootstrap(host, spec.address, spec.ports.http, { limit: limits.http });
    if (bootstrap.ok) {
      this.#watch?.serves();
      return this.#lookInside(steady);
    }
    return this.#lookAtLog(bootstrap.seen, steady, mayWait);
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
    const { frontends, limits, run, spec } = this.#context;
    if (!this.#rejoins) {
      const known = this.#before.row !== undefined;
      return known
        ? { done: false, seen: "it joins its group" }
        : { done: true, value: "it waits to be added to the group" };
    }
    this.#rejoins = false;
    const role = spec.role === "observer" ? "observer" : "follower";
    await run.membership.run(() =>
      frontends.tell((sql) => addFrontend(sql, role, spec.address, spec.ports.editLog, limits.sql), spec.name),
    );
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

  /** One that is alone has founded its group, under the name that its host has for itself: `fe1.example.com` where `fe1` is declared. */
  #assertName(rows: readonly Frontend[]): void {
    const { host, spec } = this.#context;
    const [only, ...others] = rows;
    if (only && others.length === 0 && !isRowOf(spec, only)) {
      throw new UserError(
        `${labelOf(spec)} has founded a cluster in which it is ${endpoint(only.address, only.editLogPort)}, declared is ${endpoint(spec.address, spec.ports.editLog)}: ` +
          `StarRocks took the name or the address that ${host.name} has for itself. Declare that one as \`address\`; ` +
          `or let StarRocks choose the other one (\`priority_networks\` in \`config\`, the host's name in its DNS or /etc/hosts) and move the new, empty ${spec.metaDir} away.`,
      );
    }
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
