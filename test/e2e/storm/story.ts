import type { PlainArgs } from "../../lab/lab.js";
import { type Report, startWorkload } from "../../simulator/client/workload.js";
import type { Driver, Ended } from "./driver.js";
import { type Scene, type Struck, strike } from "./faults.js";
import { Judge } from "./judge.js";
import { type Alteration, type Change, type Destroy, describeFault, type Plan } from "./plan.js";
import { nodesOf, type Site, type Wanted, type Way } from "./site.js";
import { comesTo } from "./trigger.js";
import type { Verdict } from "./verdict.js";
import { Watch } from "./watch.js";

/** Milliseconds for an operation; none may hang, and all limits that the plan declares are shorter. */
const operationLimit = 240_000;

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
  readonly #judge: Judge;
  readonly #log: string[] = [];
  readonly #started = performance.now();
  #wanted: Wanted | undefined;
  #watch: Watch | undefined;
  #faults = 0;
  #untrue = 0;
  #unfinished = 0;
  #lost = 0;
  #acknowledged = 0;
  #workload: Awaited<ReturnType<typeof startWorkload>> | undefined;

  constructor(plan: Plan, site: Site, driver: Driver) {
    this.#plan = plan;
    this.#site = site;
    this.#driver = driver;
    this.#judge = new Judge(site, driver, {
      frontends: plan.frontends,
      untrue: (text) => this.#fail("untrue", text),
    });
  }

  async run(): Promise<Verdict> {
    const { balancer, changes, seed: _, version, ...shape } = this.#plan;
    const { frontends, maxUnavailable, replicas } = shape;
    const release = await this.#site.release(version);
    this.#wanted = {
      ...{ extras: [], ...shape, release },
      settings: { fe: undefined, be: undefined },
      ownBalancer: balancer === "in fe.conf",
    };
    this.#watch = new Watch(this.#site, {
      ...{ frontends, maxUnavailable },
      tell: (text) => this.#note(text),
    });
    if (!(await this.#create())) {
      return this.#verdict();
    }
    this.#watch.expect(nodesOf(this.#now));
    const login = this.#site.login(frontends);
    await this.#judge.begin(this.#now, { setsBalancer: balancer === "by ADMIN SET" });
    this.#workload = await startWorkload({ ...login, replicationNum: replicas, pauseMs: 200, verifyMs: 30_000 });
    for (const change of changes) {
      if (this.#unfinished === 0) {
        await (change.type === "destroy" ? this.#destroy(change) : this.#change(change));
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
    this.#judge.complaint(first.told);
    const { exitCode, told } = await this.#up([]);
    if (exitCode !== 0) {
      this.#fail("unfinished", `the cluster was not created: ${told}`);
    }
    return exitCode === 0;
  }

  async #change(change: Alteration): Promise<void> {
    const before = this.#now;
    const after = await this.#declared(change);
    this.#wanted = after;
    this.#watch?.expect(nodesOf(before).filter((node) => nodesOf(after).includes(node)));
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
      await this.#judge.state();
    }
    if (exitCode === 0) {
      await this.#judge.success(this.#now);
    } else {
      if (!killed && exitCode !== undefined) {
        await this.#judge.failure({ exitCode, told });
      }
      if (struck.length === 0 && change.type !== "bad build" && exitCode !== undefined) {
        this.#judge.complaint(told);
      }
      await this.#finish(change, before);
    }
    this.#watch?.expect(nodesOf(this.#now));
    this.#watch?.settle();
  }

  /** A destroy that was aborted is finished by a plain one. What all is then declared again finds its data. */
  async #destroy({ faults }: Destroy): Promise<void> {
    this.#watch?.expect([]);
    for (const strikes of [faults, []]) {
      const { exitCode, struck, told } = await this.#operate(strikes, undefined);
      this.#note(`destroy: exit code ${exitCode}${exitCode === 0 ? "" : `; ${told}`}`);
      if (exitCode === 0) {
        await this.#judge.destroyed(this.#now, this.#watch?.running() ?? []);
        await this.#again();
        this.#watch?.expect(nodesOf(this.#now));
        return;
      }
      if (struck.length === 0 && exitCode !== undefined) {
        this.#judge.complaint(told);
      }
    }
    this.#fail("unfinished", "a plain destroy did not finish");
  }

  /** A plain `up` finishes what was aborted, once what was wrong is not any more. */
  async #finish(change: Alteration, before: Wanted): Promise<void> {
    if (change.type === "bad build") {
      this.#wanted =
        change.afterwards === "return"
          ? before
          : { ...this.#now, release: await this.#site.release(change.version, change.repaired, "0123abc") };
    }
    if (change.abandoned) {
      this.#wanted = before;
    }
    await this.#again();
  }

  async #again(): Promise<void> {
    const { exitCode, told } = await this.#up([]);
    this.#note(`up again: exit code ${exitCode}${exitCode === 0 ? "" : `; ${told}`}`);
    if (exitCode === 0) {
      await this.#judge.success(this.#now);
    } else {
      this.#fail("unfinished", `a plain up did not finish: ${told}`);
    }
  }

  async #declared(change: Alteration): Promise<Wanted> {
    const now = this.#now;
    switch (change.type) {
      case "upgrade":
        return { ...now, release: await this.#site.release(change.version) };
      case "downgrade":
        return { ...now, release: await this.#site.release(change.version), direction: "downgrade" };
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

  #up(faults: Change["faults"]): Promise<Operated> {
    return this.#operate(faults, this.#site.args(this.#now));
  }

  async #operate(faults: Change["faults"], args: PlainArgs | undefined): Promise<Operated> {
    const excuse: Scene["excuse"] = (node) => this.#watch?.excuse(node);
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
      fault.when ? [{ fault, comes: comesTo(this.#driver, fault.when, this.#site) }] : [],
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

  async #settle(stopping: Promise<Report>): Promise<void> {
    try {
      const { lostKeys, readsFailed, writesAcknowledged, writesFailed, writesLost } = await stopping;
      this.#acknowledged = writesAcknowledged;
      this.#lost = writesLost;
      this.#note(`${writesAcknowledged} writes acknowledged, ${writesFailed} failed; ${readsFailed} reads failed`);
      if (writesAcknowledged === 0) {
        this.#note("NOTHING WRITTEN: the client could not write a row, so that none could be lost");
      }
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
