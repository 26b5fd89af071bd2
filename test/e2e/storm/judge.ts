import { journalsIn, readJournal } from "../../lab/journal.js";
import { NodeProcesses } from "../../lab/node-processes.js";
import { askAny } from "./ask.js";
import { Balancer, type Balancing, describeBalancing } from "./balancer.js";
import type { Driver, Ended } from "./driver.js";
import type { NodeName } from "./plan.js";
import { nodesOf, type Site, type Wanted } from "./site.js";
import { soon } from "./soon.js";

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
  readonly #balancer: Balancer;
  readonly #processes: NodeProcesses;
  /** Nodes that were declared at any time. */
  readonly #known = new Set<NodeName>();

  constructor(site: Site, driver: Driver, { frontends, untrue }: JudgeOptions) {
    this.#site = site;
    this.#driver = driver;
    this.#frontends = frontends;
    this.#untrue = untrue;
    this.#balancer = new Balancer(site, frontends);
    this.#processes = new NodeProcesses(site.lab.fleet);
  }

  /** What is there is well. `setsBalancer`: by ADMIN SET. */
  async begin(now: Wanted, { setsBalancer }: { readonly setsBalancer: boolean }): Promise<void> {
    this.#knows(now);
    await this.#balancer.begin({ isSet: setsBalancer });
  }

  /**
   * Exit code 0 says: every declared node runs the build and the settings that are declared, is Alive, and is recorded so;
   * of what is not declared any more nothing runs; of a rehearsal nothing is left.
   */
  async success(now: Wanted): Promise<void> {
    this.#knows(now);
    const wanted = declaredOf(now, now.release.version);
    const recorded = await this.#recorded();
    if (!same(wanted, recorded)) {
      this.#untrue(`exit code 0, but recorded is ${JSON.stringify(recorded)}`);
    }
    const builds = declaredOf(now, buildOf(now.release));
    const seen = await this.#seen((rows) => same(builds, rows));
    if (!same(builds, seen)) {
      this.#untrue(`exit code 0 for ${buildOf(now.release)}, but the cluster says ${JSON.stringify(seen)}`);
    }
    const balancing = await this.#balancer.soon();
    if (!this.#balancer.isOwn(balancing)) {
      this.#untrue(`exit code 0, but ${this.#left(balancing)}`);
    }
    const settings = await soon(
      () => this.#otherSettings(now),
      (texts) => texts.length === 0,
    );
    for (const text of settings) {
      this.#untrue(`exit code 0, but ${text}`);
    }
    for (const text of await this.#leftOfRemoved(now)) {
      this.#untrue(`exit code 0, but ${text}`);
    }
    const { copies, processes } = await this.#site.rehearsed();
    if (copies.length + processes.length > 0) {
      this.#untrue(`exit code 0, but of a rehearsal is left: ${[...copies, ...processes].join(", ")}`);
    }
  }

  /** A failed operation leaves the balancer as it was, unless it says why it could not. Without a leader nobody can tell. */
  async failure({ exitCode, told }: Ended): Promise<void> {
    const balancing = await this.#balancer.look();
    const [journal] = journalsIn(this.#driver.folder).slice(-1);
    const notes = journal === undefined ? [] : readJournal(journal).map(({ note = "" }) => note);
    const excused = [told, ...notes].some((text) => leftPaused.test(text));
    if (balancing !== undefined && !this.#balancer.isOwn(balancing) && !excused) {
      this.#untrue(`exit code ${exitCode}, and ${this.#left(balancing)}`);
    }
  }

  /** An operation in whose way nothing was must not fail; a limit it may reach, on a machine that is busy. */
  complaint(told: string): void {
    if (!reachedLimit.test(told)) {
      this.#untrue(`it failed, though nothing was in its way and no limit was reached: ${told}`);
    }
  }

  /** A version that is recorded of a running node is the one that runs. */
  async state(): Promise<void> {
    const nodes = (await this.#driver.nodes()).filter(({ status }) => status === "running");
    const untrue = (rows: Readonly<Record<string, string>>) =>
      nodes.filter(({ name, version }) => {
        const runs = rows[name];
        return runs !== undefined && runs !== "not Alive" && runs.replace(/-[0-9a-f]{7}$/, "") !== version;
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

  #knows(now: Wanted): void {
    for (const node of nodesOf(now)) {
      this.#known.add(node);
    }
  }

  /** Nodes that do not run with a declared setting, or would not after their next start. */
  async #otherSettings(now: Wanted): Promise<readonly string[]> {
    const found = await Promise.all(
      nodesOf(now).map(async (node) => {
        const wanted = this.#site.settingOf(node, now);
        const { conf, process } = wanted === undefined ? {} : await this.#site.settingOn(node);
        return conf === wanted && process === wanted
          ? []
          : [`declared is ${wanted} of a setting of ${node}, its conf file has ${conf}, its process ${process}`];
      }),
    );
    return found.flat();
  }

  /** What should not be there any more of nodes that were declared once, or was to be kept and is not there. */
  async #leftOfRemoved(now: Wanted): Promise<readonly string[]> {
    const removed = [...this.#known].filter((node) => !nodesOf(now).includes(node));
    // A lost host is left as it is when the cluster does without it: the operation warns of that.
    const journals = removed.length > 0 ? journalsIn(this.#driver.folder).flatMap(readJournal) : [];
    if (journals.some(({ detail = "" }) => lostHost.test(detail))) {
      return [];
    }
    const running = this.#processes.look().map(({ host }) => host);
    const without = await this.#site.withoutData(removed);
    const aside = await Promise.all(removed.map((node) => this.#site.dataAsideOn(node)));
    return removed.flatMap((node, index) => [
      ...(running.includes(node) ? [`${node} is not declared any more, and has a process`] : []),
      ...(without.includes(node) ? [] : [`${node} is not declared any more, and its data is where it was`]),
      ...(aside[index]?.length === 0 ? [`the data of ${node} is not in a dated folder`] : []),
    ]);
  }

  #left(balancing: Balancing | undefined): string {
    const { own } = this.#balancer;
    return `the balancer is left with ${describeBalancing(balancing)}, was ${describeBalancing(own)}`;
  }

  /** Builds of all nodes that the cluster sees Alive, when they are as wished or it has had its time. */
  #seen(wished: (rows: Readonly<Record<string, string>>) => boolean): Promise<Readonly<Record<string, string>>> {
    return soon(() => this.#builds(), wished);
  }

  async #builds(): Promise<Readonly<Record<string, string>>> {
    const login = this.#site.login(this.#frontends);
    const rows = await Promise.all(["SHOW FRONTENDS", "SHOW BACKENDS"].map((statement) => askAny(login, statement)));
    const names = new Map(this.#site.lab.fleet.hosts.map(({ address, name }) => [address, name]));
    return Object.fromEntries(
      rows.flatMap((list = []) =>
        list.map(({ Alive, Host, IP, Version }) => [
          names.get(String(IP ?? Host)) ?? String(IP ?? Host),
          Alive === "true" ? String(Version) : "not Alive",
        ]),
      ),
    );
  }
}

/** What is said where the balancer's own values are left to the next operation, or to the operator who has the lease now. */
const leftPaused = /Balancing is still paused|The right to change this cluster was lost/;

/** What the journal says of a removed node whose host was lost. */
const lostHost = /host cannot be reached, and the cluster let it go/;

/** How errors say that a wait, a command on a host, a login or an answer reached its limit. */
const reachedLimit = /Waited [\d.]+ s for|was ended after|within [\d.]+ m?s\b/;

/** As the cluster says it: tells builds of one version apart. */
const buildOf = ({ commit, version }: Wanted["release"]): string => `${version}-${commit}`;

const declaredOf = (wanted: Wanted, release: string): Readonly<Record<string, string>> =>
  Object.fromEntries(nodesOf(wanted).map((node) => [node, release]));

const same = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  const sorted = (one: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(one).sort());
  return sorted(a) === sorted(b);
};
