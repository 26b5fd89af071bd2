import { posix } from "node:path";
import { Mutex } from "../../../provider/rollout/mutex.js";
import { Lab, type PlainArgs, rootPassword } from "../../lab/lab.js";
import type { BuiltRelease } from "../../simulator/release.js";
import { askAny } from "./ask.js";
import type { Driver } from "./driver.js";

import { handlersDriver } from "./handlers-driver.js";
import type { BadBuild, Extra, NodeName } from "./plan.js";
import { stackDriver } from "./stack-driver.js";

export type Way = "handlers" | "engine";

/** Limits in seconds: a fault that lets something wait shall not be waited for long, on a machine that is busy. */
const short = {
  ...{ command: 30, transfer: 60, unpack: 60, start: 20, stop: 8, alive: 20, turn: 60, lease: 30, leader: 20 },
  ...{ tablets: 30, image: 20, decommission: 60, sql: 10, http: 5 },
};

/** What a plan declares at a time. */
export interface Wanted {
  readonly frontends: number;
  readonly backends: number;
  readonly replicas: number;
  readonly maxUnavailable: number;
  readonly canary: boolean;
  readonly racks: boolean;
  readonly extras: readonly Extra[];
  /** `ownBalancer` is in every fe.conf. */
  readonly ownBalancer: boolean;
  /** Default: an upgrade. */
  readonly direction?: "downgrade";
  readonly release: BuiltRelease;
  readonly settings: Readonly<Record<"fe" | "be", number | undefined>>;
}

/** The nodes that are declared. */
export const nodesOf = ({ backends, frontends }: Wanted): readonly NodeName[] => {
  const names = (kind: "fe" | "be", count: number) =>
    Array.from({ length: count }, (_, index): NodeName => `${kind}${index + 1}`);
  return [...names("fe", frontends), ...names("be", backends)];
};

/** Hosts on which one plan after the other is played, each on folders of its own. */
export class Site {
  readonly lab: Lab;
  readonly #releases = new Map<string, Promise<BuiltRelease>>();
  static readonly #building = new Mutex();
  #number = 0;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  static async create(kind: "loopback" | "namespaces" = "loopback"): Promise<Site> {
    return new Site(await Lab.create({ kind, frontends: 3, backends: 4 }));
  }

  /** Nothing of the plan before is left: no process, no connection, no file but staged releases, where those may stay. */
  async clear({ staged }: { readonly staged: "stay" | "go" }): Promise<void> {
    this.#number += 1;
    await Promise.all(
      this.lab.fleet.hosts.map(async (host) => {
        await host.restoreNetwork();
        await host.reboot();
        const folders = [
          ...(staged === "stay" ? ["fe", "be"] : ["*"]).map((name) => `'${host.path("/opt/starrocks")}'/${name}`),
          ...["/disk1", "/disk2"].map((disk) => `'${host.path(disk)}'/*`),
        ].join(" ");
        await host.exec(`chmod -R u+w ${folders} 2>/dev/null; rm -rf ${folders}`);
      }),
    );
  }

  /** A build, made once. */
  release(version: string, habits: BadBuild = {}, commit?: string): Promise<BuiltRelease> {
    const key = JSON.stringify([version, habits, commit]);
    const known = this.#releases.get(key);
    const building =
      known ??
      Site.#building.run(() =>
        this.lab.release(version, {
          fe: { ...habits.fe, options: { jvmStartMs: 20, httpDelayMs: 10 } },
          be: { ...habits.be, options: { startDelayMs: 50, stopDelayMs: 50 } },
          ...(commit !== undefined && { commit }),
        }),
      );
    this.#releases.set(key, building);
    return building;
  }

  async driver(way: Way): Promise<Driver> {
    if (way === "handlers") {
      return handlersDriver();
    }
    return stackDriver(await this.lab.secondStack(this.lab.args(await this.release("3.5.7"))));
  }

  args(wanted: Wanted): PlainArgs {
    return this.lab.args(wanted.release, (args) => {
      const { frontends, backends } = args;
      const key = `storm-${this.#number}`;
      args.key = key;
      args.limits = short;
      args.rehearsal = wanted.extras.includes("rehearsal");
      if (wanted.direction) {
        args.direction = wanted.direction;
      }
      args.acceptHazards = [];
      args.connection = { ...args.connection, keepaliveInterval: 2 };
      args.frontends = {
        ...frontends,
        followers: (frontends.followers ?? []).slice(0, wanted.frontends - 1),
        config: {
          default_replication_num: String(wanted.replicas),
          ...setting(settingNames.fe, wanted.settings.fe),
          ...(wanted.ownBalancer && ownBalancer),
        },
      };
      args.backends = {
        nodes: backends.nodes
          .slice(0, wanted.backends)
          .map((node, index) => ({ ...node, ...(wanted.racks && { rack: `rack${index % 2}` }) })),
        config: { ...backends.config, ...setting(settingNames.be, wanted.settings.be) },
        rollout: {
          ...{ soak: 0.5, maxUnavailable: wanted.maxUnavailable },
          ...(!wanted.canary && { canary: false }),
          // A canary that spoils its data dies while it is watched.
          ...(wanted.extras.includes("rebuild") && { soak: 15, onUnrecoverable: "rebuild" }),
        },
      };
      // Longer than a node lives that crashes again and again.
      args.rollout = { observe: 2, ...(wanted.extras.includes("verify") && { verify: queries }) };
    });
  }

  login(frontends: number): { readonly frontends: { readonly host: string }[]; readonly password: string } {
    return {
      frontends: Array.from({ length: frontends }, (_, index) => ({
        host: this.lab.fleet.host(`fe${index + 1}`).address,
      })),
      password: rootPassword,
    };
  }

  /** The declared value of what plans set on nodes of this kind; undefined where none is. */
  settingOf(node: NodeName, { settings }: Wanted): string | undefined {
    const value = settings[kindOf(node)];
    return value === undefined ? undefined : String(value);
  }

  /** The same in the node's conf file, and as its process has it. */
  async settingOn(node: NodeName): Promise<{ readonly conf?: string; readonly process?: string }> {
    const kind = kindOf(node);
    const key = settingNames[kind];
    const host = this.lab.fleet.host(node);
    const conf = valueIn(await host.readFile(`/opt/starrocks/${kind}/conf/${kind}.conf`), key);
    const process = kind === "fe" ? await this.#askFrontend(host.address, key) : await askBackend(host.address, key);
    return { ...(conf !== undefined && { conf }), ...(process !== undefined && { process }) };
  }

  async #askFrontend(address: string, key: string): Promise<string | undefined> {
    const rows = await askAny(
      { ...this.login(1), frontends: [{ host: address }] },
      `ADMIN SHOW FRONTEND CONFIG LIKE '${key}'`,
    );
    const value = rows?.find(({ Key }) => Key === key)?.Value;
    return value === undefined ? undefined : String(value);
  }

  /** Folders of a BE's data that were moved aside. */
  asideOn(node: NodeName): Promise<readonly string[]> {
    return this.#list(
      node,
      ["/disk1", "/disk2"].map((disk) => `${disk}/*.trash-*`),
    );
  }

  /** What is in them. */
  dataAsideOn(node: NodeName): Promise<readonly string[]> {
    return this.#list(node, ["/disk[12]/*.trash-*/data/*"]);
  }

  /** Nodes in whose folders there is no data. */
  async withoutData(nodes: readonly NodeName[]): Promise<readonly NodeName[]> {
    const found = await Promise.all(
      nodes.map((node) =>
        this.#list(node, node.startsWith("fe") ? ["/opt/starrocks/fe/meta/bdb/*"] : ["/disk[12]/starrocks/data/*"]),
      ),
    );
    return nodes.filter((_, index) => found[index]?.length === 0);
  }

  /** What there is of rehearsals, on all hosts. */
  async rehearsed(): Promise<{ readonly copies: readonly string[]; readonly processes: readonly string[] }> {
    const { hosts } = this.lab.fleet;
    // One after the other: who lists the copies has their folder in its command.
    const processes = (await Promise.all(hosts.map((host) => host.processes()))).flat();
    const copies = await Promise.all(hosts.map(({ name }) => this.#list(name, ["/opt/starrocks/rehearsal-*"])));
    const commands = processes.map(({ command }) => command).filter((command) => /\/rehearsal-/.test(command));
    return { copies: copies.flat(), processes: commands };
  }

  async #list(node: string, patterns: readonly string[]): Promise<readonly string[]> {
    const host = this.lab.fleet.host(node);
    const { stdout } = await host.exec(`ls -d ${patterns.map((one) => host.path(one)).join(" ")} 2>/dev/null; true`);
    return stdout.trim().split("\n").filter(Boolean);
  }

  /** The folder of a node's faults, as its host has it. */
  faultsOf(node: NodeName): string {
    return posix.join("/opt/starrocks", node.slice(0, 2), "sim");
  }

  close(): Promise<void> {
    return this.lab.close();
  }
}

/** What plans set on the nodes of a kind. */
const settingNames = { fe: "qe_max_connection", be: "sys_log_roll_num" } as const;

/** Other values than an FE starts with, and than those of the pause. */
export const ownBalancer: Readonly<Record<string, string>> = {
  disable_colocate_balance: "true",
  max_balancing_tablets: "77",
  max_scheduling_tablets: "7777",
};

const kindOf = (node: NodeName): "fe" | "be" => (node.startsWith("fe") ? "fe" : "be");

/** The value in a conf file, or a page, of lines `key = value`. */
const valueIn = (text: string | undefined, key: string): string | undefined =>
  new RegExp(`(?:^|>)${key} *= *(.*?) *$`, "m").exec(text ?? "")?.[1];

const askBackend = async (address: string, key: string): Promise<string | undefined> => {
  const page = await fetch(`http://${address}:8040/varz`, { signal: AbortSignal.timeout(3000) }).then(
    (answer) => answer.text(),
    () => undefined,
  );
  return valueIn(page, key);
};

const queries = [{ sql: "SELECT 1 + 1", expect: [[2]] }];

const setting = (key: string, value: number | undefined): Record<string, string> =>
  value === undefined ? {} : { [key]: String(value) };
