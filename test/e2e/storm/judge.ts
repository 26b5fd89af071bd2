import { until } from "../../../provider/wait.js";
import { journalsIn, readJournal } from "../../lab/journal.js";
import type { Driver, Ended } from "./driver.js";
import { askAny, leaderOf } from "./faults.js";
import { nodesOf, type Site, type Wanted } from "./site.js";

/** Milliseconds in which the FEs see what has become of a node. */
const seenLimit = 6000;

export interface JudgeOptions {
  readonly frontends: number;
  /** Told of each untruth. */
  readonly untrue: (text: string) => void;
}

/** Whether what an operation said is so: holds it against the hosts, the cluster and the state. */
export class Judge {
  readonly #site: Site;
  readonly #driver: Driver;
  readonly #frontends: number;
  readonly #untrue: (text: string) => void;
  #balancer: string | undefined;

  constructor(site: Site, driver: Driver, { frontends, untrue }: JudgeOptions) {
    this.#site = site;
    this.#driver = driver;
    this.#frontends = frontends;
    this.#untrue = untrue;
  }

  /** The balancer is well as it is now. */
  async begin(): Promise<void> {
    this.#balancer = await this.#balancingSoon();
  }

  /** Exit code 0 says: every declared node runs what is declared, is Alive, and is recorded so; of a rehearsal nothing is left. */
  async success(now: Wanted): Promise<void> {
    const wanted = versionsOf(now);
    const recorded = await this.#recorded();
    if (!same(wanted, recorded)) {
      this.#untrue(`exit code 0, but recorded is ${JSON.stringify(recorded)}`);
    }
    const seen = await this.#seen((rows) => same(wanted, rows));
    if (!same(wanted, seen)) {
      this.#untrue(`exit code 0, but the cluster says ${JSON.stringify(seen)}`);
    }
    const balancer = await this.#balancingSoon();
    if (balancer !== this.#balancer) {
      this.#untrue(`exit code 0, but the balancer is left with ${balancer}, was ${this.#balancer}`);
    }
    const { copies, processes } = await this.#site.rehearsed();
    if (copies.length + processes.length > 0) {
      this.#untrue(`exit code 0, but of a rehearsal is left: ${[...copies, ...processes].join(", ")}`);
    }
  }

  /** A failed operation leaves the balancer as it was, unless it says why it could not. Without a leader nobody can tell. */
  async failure({ exitCode, told }: Ended): Promise<void> {
    const balancer = await this.#balancing();
    const [journal] = journalsIn(this.#driver.folder).slice(-1);
    const notes = journal === undefined ? [] : readJournal(journal).map(({ note = "" }) => note);
    const excused = [told, ...notes].some((text) => leftPaused.test(text));
    if (balancer !== undefined && balancer !== this.#balancer && !excused) {
      this.#untrue(`exit code ${exitCode}, and the balancer is left with ${balancer}, was ${this.#balancer}`);
    }
  }

  /** An operation in whose way nothing was, and that did everything, must not say that it failed; a limit it may reach. */
  async complaint(told: string, now: Wanted): Promise<void> {
    const wanted = versionsOf(now);
    const isDone = same(wanted, await this.#recorded()) && same(wanted, await this.#versions());
    if (isDone && !reachedLimit.test(told)) {
      this.#untrue(`it failed, but everything is done, and nothing was in its way: ${told}`);
    }
  }

  /** A version that is recorded of a running node is the one that runs. */
  async state(): Promise<void> {
    const nodes = (await this.#driver.nodes()).filter(({ status }) => status === "running");
    const untrue = (rows: Readonly<Record<string, string>>) =>
      nodes.filter(({ name, version }) => {
        const runs = rows[name];
        return runs !== undefined && runs !== "not Alive" && runs !== version;
      });
    const seen = await this.#seen((rows) => untrue(rows).length === 0);
    for (const { name, version } of untrue(seen)) {
      this.#untrue(`recorded is ${version} of ${name}, which runs ${seen[name]}`);
    }
  }

  /** Exit code 0 of a destroy says: nothing runs, nothing is recorded; and all data is where it was. */
  async destroyed(before: Wanted, running: readonly string[]): Promise<void> {
    if (running.length > 0) {
      this.#untrue(`all is destroyed, but there are processes of ${running.join(", ")}`);
    }
    const recorded = await this.#recorded();
    if (Object.keys(recorded).length > 0) {
      this.#untrue(`all is destroyed, but recorded is ${JSON.stringify(recorded)}`);
    }
    const without = await this.#site.withoutData(nodesOf(before));
    if (without.length > 0) {
      this.#untrue(`a destroy leaves all data, but there is none of ${without.join(", ")}`);
    }
  }

  async #recorded(): Promise<Readonly<Record<string, string>>> {
    const nodes = await this.#driver.nodes();
    return Object.fromEntries(
      nodes.map(({ name, status, version }) => [name, status === "running" ? version : status]),
    );
  }

  /** What an operation changes of the balancer while BEs are stopped, as the leader has it: its values are those that count. */
  async #balancing(): Promise<string | undefined> {
    const login = this.#site.login(this.#frontends);
    const leader = await leaderOf({ login, site: this.#site });
    const rows =
      leader &&
      (await askAny(
        { ...login, frontends: [{ host: this.#site.lab.fleet.host(leader).address }] },
        "ADMIN SHOW FRONTEND CONFIG",
      ));
    return rows
      ?.map(({ Value, Key }) => ({ name: String(Key).replace(/^tablet_sched_/, ""), value: String(Value) }))
      .filter(({ name }) => pausedSetting.test(name))
      .map(({ name, value }) => `${name} = ${value}`)
      .sort()
      .join(", ");
  }

  /** The same when a leader has just been elected, or is slow to answer. */
  #balancingSoon(): Promise<string | undefined> {
    return until<string | undefined>(
      async () => {
        const seen = await this.#balancing();
        return seen === undefined ? { done: false, seen: "no leader answers" } : { done: true, value: seen };
      },
      { what: "the leader to tell of the balancer", limit: seenLimit },
    ).catch(() => undefined);
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
    const login = this.#site.login(this.#frontends);
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
}

/** What is switched off while BEs are stopped, before 3.1 the limits as well; without the prefix that the names have since 3.0. */
const pausedSetting = /^(disable_(colocate_)?balance|max_(balancing|scheduling)_tablets)$/;

/** What is said where the balancer's own values are left to the next operation, or to the operator who has the lease now. */
const leftPaused = /Balancing is still paused|The right to change this cluster was lost/;

/** How errors say that a wait, or a command on a host, reached its limit. */
const reachedLimit = /Waited [\d.]+ s for|was ended after/;

const versionsOf = (wanted: Wanted): Readonly<Record<string, string>> =>
  Object.fromEntries(nodesOf(wanted).map((node) => [node, wanted.release.version]));

const same = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  const sorted = (one: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(one).sort());
  return sorted(a) === sorted(b);
};
