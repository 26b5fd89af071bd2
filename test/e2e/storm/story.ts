import { until } from "../../../provider/wait.js";
import { journalsIn, readJournal } from "../../lab/journal.js";
import { type Report, startWorkload } from "../../simulator/client/workload.js";
import type { Driver, Ended } from "./driver.js";
import { askAny, leaderOf, type Scene, type Struck, strike } from "./faults.js";
import { type Change, describeFault, type NodeName, type Plan } from "./plan.js";
import type { Site, Wanted, Way } from "./site.js";
import { comesTo } from "./trigger.js";
import { Watch } from "./watch.js";

/** What is counted of a plan, or of several; docs/storm.md says how. */
export interface Counts {
  readonly faults: number;
  readonly writesAcknowledged: number;
  readonly writesLost: number;
  readonly extraNodesDown: number;
  readonly untrueExits: number;
  readonly unfinished: number;
}

/** What was seen of a plan. */
export interface Verdict extends Counts {
  readonly seed: number;
  /** What was done, line by line. */
  readonly log: readonly string[];
}

/** Milliseconds for an operation; none may hang, and all limits that the plan declares are shorter. */
const operationLimit = 240_000;

/** Milliseconds in which the FEs see what has become of a node. */
const seenLimit = 6000;

export const isWell = (verdict: Verdict): boolean =>
  verdict.writesLost + verdict.extraNodesDown + verdict.untrueExits + verdict.unfinished === 0;

/** Plays a plan on a site. Throws for nothing that a cluster can do; what is wrong with the equipment is thrown. */
export const play = async (
  plan: Plan,
  site: Site,
  way: Way,
  as = (driver: Driver): Driver => driver,
): Promise<Verdict> => {
  // What is there need not be brought again, unless that is what shall fail.
  const staging = plan.changes.some(({ faults }) => faults.some(({ kind }) => kind === "disk full"));
  await site.clear({ staged: staging ? "go" : "stay" });
  const driver = as(await site.driver(way));
  const story = new Story(plan, site, driver);
  try {
    return await story.run();
  } finally {
    await story.close();
    await driver.close();
  }
};

/** An operation and what struck it. */
interface Operated extends Ended {
  readonly struck: readonly Struck[];
}

class Story {
  readonly #plan: Plan;
  readonly #site: Site;
  readonly #driver: Driver;
  readonly #log: string[] = [];
  readonly #started = performance.now();
  #wanted: Wanted | undefined;
  #watch: Watch | undefined;
  #faults = 0;
  #untrue = 0;
  #unfinished = 0;
  #lost = 0;
  #acknowledged = 0;
  #balancer: string | undefined;
  #workload: Awaited<ReturnType<typeof startWorkload>> | undefined;

  constructor(plan: Plan, site: Site, driver: Driver) {
    this.#plan = plan;
    this.#site = site;
    this.#driver = driver;
  }

  async run(): Promise<Verdict> {
    const { backends, canary, changes, frontends, maxUnavailable, racks, replicas, version } = this.#plan;
    const release = await this.#site.release(version);
    this.#wanted = {
      ...{ frontends, backends, replicas, maxUnavailable, canary, racks, release },
      settings: { fe: undefined, be: undefined },
    };
    this.#watch = await Watch.of(this.#site, {
      ...{ frontends, maxUnavailable },
      tell: (text) => this.#note(text),
    });
    if (!(await this.#create())) {
      return this.#verdict();
    }
    this.#watch.expect(this.#nodes());
    const login = this.#site.login(frontends);
    this.#balancer = await this.#balancing();
    this.#workload = await startWorkload({ ...login, replicationNum: replicas, pauseMs: 200, verifyMs: 30_000 });
    for (const change of changes) {
      if (this.#unfinished === 0) {
        await this.#change(change);
      }
    }
    await this.#settle(this.#workload.stop());
    await this.#watch.end();
    return this.#verdict();
  }

  async close(): Promise<void> {
    this.#workload?.abort();
    await this.#watch?.end();
  }

  /** Whether there is a cluster: a busy machine may be too slow for short limits once, which a plain `up` makes up for. */
  async #create(): Promise<boolean> {
    const first = await this.#up([]);
    if (first.exitCode === 0) {
      return true;
    }
    this.#note(`creation: exit code ${first.exitCode}; ${first.told}`);
    const { exitCode, told } = await this.#up([]);
    if (exitCode !== 0) {
      this.#fail("unfinished", `the cluster was not created: ${told}`);
    }
    return exitCode === 0;
  }

  async #change(change: Change): Promise<void> {
    const before = this.#now;
    const after = await this.#declared(change);
    this.#wanted = after;
    const nodes = this.#nodes(before).filter((node) => this.#nodes(after).includes(node));
    this.#watch?.expect(nodes);
    const { exitCode, struck, told } = await this.#up(change.faults);
    this.#note(`${change.type}: exit code ${exitCode}${exitCode === 0 ? "" : `; ${told}`}`);
    if (change.type === "bad build" && exitCode === 0) {
      this.#fail("untrue", "a bad build was rolled out, and the exit code says that all is well");
    }
    const killed = struck.some((one) => one.killed);
    for (const { heal } of struck) {
      await heal();
    }
    if (!killed) {
      await this.#judgeState();
    }
    if (exitCode === 0) {
      await this.#judgeSuccess();
    } else {
      if (!killed && exitCode !== undefined) {
        await this.#judgeFailure(exitCode, told);
      }
      if (struck.length === 0 && change.type !== "bad build") {
        await this.#judgeComplaint(told);
      }
      await this.#finish(change, before);
    }
    this.#watch?.expect(this.#nodes());
    this.#watch?.settle();
  }

  /** A plain `up` finishes what was aborted, once what was wrong is not any more. */
  async #finish(change: Change, before: Wanted): Promise<void> {
    if (change.type === "bad build") {
      this.#wanted =
        change.then === "return"
          ? before
          : { ...this.#now, release: await this.#site.release(change.version, {}, "0123abc") };
    }
    const { exitCode, told } = await this.#up([]);
    this.#note(`up again: exit code ${exitCode}${exitCode === 0 ? "" : `; ${told}`}`);
    if (exitCode === 0) {
      await this.#judgeSuccess();
    } else {
      this.#fail("unfinished", `a plain up did not finish: ${told}`);
    }
  }

  async #declared(change: Change): Promise<Wanted> {
    const now = this.#now;
    switch (change.type) {
      case "upgrade":
        return { ...now, release: await this.#site.release(change.version) };
      case "bad build":
        return { ...now, release: await this.#site.release(change.version, change.build) };
      case "setting":
        return { ...now, settings: { ...now.settings, [change.of]: change.value } };
      case "one more BE":
        return { ...now, backends: now.backends + 1 };
      case "one BE less":
        return { ...now, backends: now.backends - 1 };
    }
  }

  async #up(faults: Change["faults"]): Promise<Operated> {
    const excuse: Scene["excuse"] = (node) => this.#watch?.excuse(node) ?? (() => undefined);
    const args = this.#site.args(this.#now);
    const login = this.#site.login(this.#plan.frontends);
    const struck: Struck[] = [];
    const hit = async (fault: Change["faults"][number], up: Scene["up"]): Promise<void> => {
      const done = await strike(fault, { site: this.#site, login, up, excuse });
      struck.push(done);
      this.#faults += 1;
      this.#note(`struck: ${describeFault(fault)}`);
    };
    for (const fault of faults.filter(({ when }) => when === undefined)) {
      await hit(fault, undefined);
    }
    const waiting = faults.flatMap((fault) =>
      fault.when ? [{ fault, comes: comesTo(this.#driver, fault.when, this.#site.lab) }] : [],
    );
    const up = await this.#driver.up(args);
    const strikes = waiting.map(async ({ comes, fault }) => {
      if (await comes(up.ended)) {
        await hit(fault, up);
      }
    });
    const ended = await limited(up.ended, operationLimit);
    if (ended === undefined) {
      await up.kill();
      await up.ended;
      this.#fail("unfinished", `an operation did not end within ${operationLimit / 1000} s`);
    }
    await Promise.all(strikes);
    return { ...(ended ?? { exitCode: undefined, told: "it did not end" }), struck };
  }

  /** Exit code 0 says: every declared node runs what is declared, is Alive, and is recorded so. */
  async #judgeSuccess(): Promise<void> {
    const wanted = this.#wantedVersions;
    const recorded = await this.#recorded();
    if (!same(wanted, recorded)) {
      this.#fail("untrue", `exit code 0, but recorded is ${JSON.stringify(recorded)}`);
    }
    const seen = await this.#seen((rows) => same(wanted, rows));
    if (!same(wanted, seen)) {
      this.#fail("untrue", `exit code 0, but the cluster says ${JSON.stringify(seen)}`);
    }
    const balancer = await this.#balancing();
    if (balancer !== this.#balancer) {
      this.#fail("untrue", `exit code 0, but the balancer is left with ${balancer}, was ${this.#balancer}`);
    }
  }

  /** A failed operation leaves the balancer as it was, unless it says why it could not. Without a leader nobody can tell. */
  async #judgeFailure(exitCode: number, told: string): Promise<void> {
    const balancer = await this.#balancing();
    const [journal] = journalsIn(this.#driver.folder).slice(-1);
    const notes = journal === undefined ? [] : readJournal(journal).map(({ note = "" }) => note);
    const excused = [told, ...notes].some((text) => leftPaused.test(text));
    if (balancer !== undefined && balancer !== this.#balancer && !excused) {
      this.#fail("untrue", `exit code ${exitCode}, and the balancer is left with ${balancer}, was ${this.#balancer}`);
    }
  }

  /** An operation in whose way nothing was, and that did everything, must not say that it failed; a limit it may reach. */
  async #judgeComplaint(told: string): Promise<void> {
    const wanted = this.#wantedVersions;
    const isDone = same(wanted, await this.#recorded()) && same(wanted, await this.#versions());
    if (isDone && !reachedLimit.test(told)) {
      this.#fail("untrue", `it failed, but everything is done, and nothing was in its way: ${told}`);
    }
  }

  get #wantedVersions(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#nodes().map((node) => [node, this.#now.release.version]));
  }

  async #recorded(): Promise<Readonly<Record<string, string>>> {
    const nodes = await this.#driver.nodes();
    return Object.fromEntries(
      nodes.map(({ name, status, version }) => [name, status === "running" ? version : status]),
    );
  }

  /** What an operation changes of the balancer while BEs are stopped, as the leader has it: its values are those that count. */
  async #balancing(): Promise<string | undefined> {
    const login = this.#site.login(this.#plan.frontends);
    const leader = await leaderOf({ login, site: this.#site });
    const rows =
      leader &&
      (await askAny(
        { ...login, frontends: [{ host: this.#site.lab.fleet.host(leader).address }] },
        "ADMIN SHOW FRONTEND CONFIG LIKE 'tablet_sched_disable_%balance'",
      ));
    return rows?.map(({ Key, Value }) => `${Key} = ${Value}`).join(", ");
  }

  /** A version that is recorded of a running node is the one that runs. */
  async #judgeState(): Promise<void> {
    const nodes = (await this.#driver.nodes()).filter(({ status }) => status === "running");
    const untrue = (rows: Readonly<Record<string, string>>) =>
      nodes.filter(({ name, version }) => {
        const runs = rows[name];
        return runs !== undefined && runs !== "not Alive" && runs !== version;
      });
    const seen = await this.#seen((rows) => untrue(rows).length === 0);
    for (const { name, version } of untrue(seen)) {
      this.#fail("untrue", `recorded is ${version} of ${name}, which runs ${seen[name]}`);
    }
  }

  /** Versions of all nodes that the cluster sees Alive, when they are as wished or the limit is reached. */
  async #seen(wished: (rows: Readonly<Record<string, string>>) => boolean): Promise<Readonly<Record<string, string>>> {
    let last: Readonly<Record<string, string>> = {};
    await until<void>(
      async () => {
        last = await this.#versions();
        return wished(last) ? { done: true, value: undefined } : { done: false, seen: "others" };
      },
      { what: "the cluster to see its nodes", limit: seenLimit },
    ).catch(() => undefined);
    return last;
  }

  async #versions(): Promise<Readonly<Record<string, string>>> {
    const login = this.#site.login(this.#plan.frontends);
    const rows = await Promise.all(["SHOW FRONTENDS", "SHOW BACKENDS"].map((statement) => askAny(login, statement)));
    const names = new Map(this.#site.lab.fleet.hosts.map(({ address, name }) => [address, name]));
    return Object.fromEntries(
      rows.flatMap((list = []) =>
        list.map(({ Alive, Host, IP, Version }) => [
          names.get(String(IP ?? Host)) ?? String(IP ?? Host),
          Alive === "true" ? String(Version).replace(/-[0-9a-f]{7}$/, "") : "not Alive",
        ]),
      ),
    );
  }

  async #settle(stopping: Promise<Report>): Promise<void> {
    try {
      const { lostKeys, readsFailed, writesAcknowledged, writesFailed, writesLost } = await stopping;
      this.#acknowledged = writesAcknowledged;
      this.#lost = writesLost;
      this.#note(`${writesAcknowledged} writes acknowledged, ${writesFailed} failed; ${readsFailed} reads failed`);
      if (writesLost > 0) {
        this.#note(`LOST: ${writesLost} writes, of keys ${lostKeys.slice(0, 5).join()}`);
      }
    } catch (error) {
      if (this.#unfinished === 0) {
        this.#fail("unfinished", `the table cannot be read in the end: ${String(error)}`);
      }
    }
  }

  get #now(): Wanted {
    if (!this.#wanted) {
      throw new Error("A story begins with what is wanted");
    }
    return this.#wanted;
  }

  #nodes({ backends, frontends } = this.#now): readonly NodeName[] {
    const names = (kind: "fe" | "be", count: number) =>
      Array.from({ length: count }, (_, index): NodeName => `${kind}${index + 1}`);
    return [...names("fe", frontends), ...names("be", backends)];
  }

  #note(text: string): void {
    this.#log.push(`${((performance.now() - this.#started) / 1000).toFixed(1)} s ${text}`);
  }

  #fail(how: "untrue" | "unfinished", text: string): void {
    if (how === "untrue") {
      this.#untrue += 1;
    } else {
      this.#unfinished += 1;
    }
    this.#note(`${how.toUpperCase()}: ${text}`);
  }

  #verdict(): Verdict {
    return {
      ...{ seed: this.#plan.seed, faults: this.#faults, writesAcknowledged: this.#acknowledged },
      ...{
        writesLost: this.#lost,
        extraNodesDown: this.#watch?.extra ?? 0,
        untrueExits: this.#untrue,
        unfinished: this.#unfinished,
      },
      log: this.#log,
    };
  }
}

/** What is said where the balancer's own values are left to the next operation, or to the operator who has the lease now. */
const leftPaused = /Balancing is still paused|The right to change this cluster was lost/;

/** How errors say that a wait, or a command on a host, reached its limit. */
const reachedLimit = /Waited [\d.]+ s for|was ended after/;

const same = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  const sorted = (one: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(one).sort());
  return sorted(a) === sorted(b);
};

/** Undefined when it takes longer. */
const limited = async <T>(work: Promise<T>, limit: number): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limit);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
