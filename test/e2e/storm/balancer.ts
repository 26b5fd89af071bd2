import { NodeProcesses, restarted } from "../../lab/node-processes.js";
import { ask, askAny } from "./ask.js";
import { leaderOf } from "./faults.js";
import { ownBalancer, type Site } from "./site.js";
import { soon } from "./soon.js";

/** Settings of the balancer by name, without the prefix that the names have since 3.0. */
export type Balancing = Readonly<Record<string, string>>;

interface Truth {
  /** As its owner has it. */
  readonly own: Balancing;
  /** As an FE has it after a start. */
  readonly fromConf: Balancing;
  /** The FEs that had `own`. */
  readonly processes: Readonly<Record<string, string>>;
}

/** What an operation changes of the balancer while BEs are stopped, and whether its owner's values are there afterwards. */
export class Balancer {
  readonly #site: Site;
  readonly #frontends: number;
  readonly #processes: NodeProcesses;
  #truth: Truth | undefined;

  constructor(site: Site, frontends: number) {
    this.#site = site;
    this.#frontends = frontends;
    this.#processes = new NodeProcesses(site.lab.fleet);
  }

  /** It is well as it is now, or, where that `isSet`, as its owner sets it now. */
  async begin({ isSet }: { readonly isSet: boolean }): Promise<void> {
    const fromConf = await this.soon();
    for (const [name, value] of Object.entries(isSet ? ownBalancer : {})) {
      await ask(this.#site.login(this.#frontends), `ADMIN SET FRONTEND CONFIG ("${name}" = "${value}")`);
    }
    const own = await this.soon();
    this.#truth = own && fromConf && { own, fromConf, processes: this.#running() };
  }

  get own(): Balancing | undefined {
    return this.#truth?.own;
  }

  /**
   * Whether these are its owner's values. Those of ADMIN SET are forgotten by an FE that restarts, and what is forgotten
   * before an operation reads it nobody can restore: after any restart of an FE those of fe.conf are right as well.
   */
  isOwn(seen: Balancing | undefined): boolean {
    if (seen === undefined || this.#truth === undefined) {
      return seen === this.#truth;
    }
    const { fromConf, own, processes } = this.#truth;
    const isForgotten = restarted(processes, this.#running()).length > 0;
    return Object.keys({ ...own, ...seen }).every(
      (name) => seen[name] === own[name] || (isForgotten && seen[name] === fromConf[name]),
    );
  }

  /** As the leader has it: its values are those that count. */
  async look(): Promise<Balancing | undefined> {
    const login = this.#site.login(this.#frontends);
    const leader = await leaderOf({ login, site: this.#site });
    const frontends = leader && [{ host: this.#site.lab.fleet.host(leader).address }];
    const rows = frontends && (await askAny({ ...login, frontends }, "ADMIN SHOW FRONTEND CONFIG"));
    const settings = rows?.map(({ Value, Key }) => [String(Key).replace(/^tablet_sched_/, ""), String(Value)] as const);
    return settings && Object.fromEntries(settings.filter(([name]) => pausedSetting.test(name)));
  }

  /** The same when a leader has just been elected, or is slow to answer. */
  soon(): Promise<Balancing | undefined> {
    return soon(
      () => this.look(),
      (seen) => seen !== undefined,
    );
  }

  #running(): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(this.#processes.byHost()).filter(([host]) => host.startsWith("fe")));
  }
}

/** What is switched off while BEs are stopped, before 3.1 the limits as well. */
const pausedSetting = /^(disable_(colocate_)?balance|max_(balancing|scheduling)_tablets)$/;

export const describeBalancing = (balancing: Balancing | undefined): string =>
  Object.entries(balancing ?? {})
    .map(([name, value]) => `${name} = ${value}`)
    .sort()
    .join(", ") || "nothing that anybody could tell";
