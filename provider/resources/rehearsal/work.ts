import { posix } from "node:path";
import { messageOf, UserError } from "../../error.js";
import { hostFor } from "../../host/pool.js";
import type { Host } from "../../host/types.js";
import { done, notMet, type Outcome, type Work } from "../../rollout/execute.js";
import type { Contact, Frontends } from "../../rollout/frontends.js";
import { parseConf } from "../../starrocks/conf.js";
import { homePaths } from "../../starrocks/layout.js";
import { describeListener, listening } from "../../starrocks/listening.js";
import type { FePorts } from "../../starrocks/ports.js";
import { type MovedPorts, portsOfRehearsal, rehearsalConf, shiftedPorts } from "../../starrocks/rehearsal/conf.js";
import { copyMetadata } from "../../starrocks/rehearsal/copy.js";
import {
  type CopyIdentity,
  changeIdentity,
  hostTypeOf,
  makeFolder,
  rehearsalFolder,
  removeEarlier,
  removeFolder,
  stopRehearsal,
} from "../../starrocks/rehearsal/folder.js";
import { findIsolation, type Isolation } from "../../starrocks/rehearsal/isolation.js";
import { catalogProblems, tablesIn } from "../../starrocks/rehearsal/judgement.js";
import { livingFor } from "../../starrocks/rehearsal/life.js";
import { secretSettings } from "../../starrocks/secret-settings.js";
import { startProcess } from "../../starrocks/start.js";
import { features, versionOf } from "../../starrocks/versions.js";
import { seconds } from "../../wait.js";
import { accessSecrets, within } from "../reach.js";
import { javaHomeFor } from "../staging.js";
import type { Inputs } from "./inputs.js";
import { leaderConf } from "./leader-conf.js";
import { catalogNow, observeProduction, type Production, type ProductionOptions, type Spared } from "./production.js";
import { makeHome, stage } from "./stage.js";
import { Trial, TrialFailure } from "./trial.js";

interface Copied {
  readonly identity: CopyIdentity;
  readonly ports: FePorts;
  /** Settings of its fe.conf that nobody may see. */
  readonly secrets: readonly string[];
}

/** How far the ports are moved, tried in this order. */
const shifts = [10_000, 11_000, 12_000, 13_000, 14_000];

/** Milliseconds for a copied FE to end by itself where our own process has but a few seconds: it has nothing to save. */
const cutLimit = 1000;

export interface WorkOptions extends ProductionOptions {
  /** Takes the right to change the cluster, or proves that it is still held. */
  readonly claim: () => Promise<unknown>;
}

/** One rehearsal, from the question whether it is needed to the removal of what it left. */
export class RehearsalWork {
  readonly #inputs: Inputs;
  readonly #options: WorkOptions;
  readonly #host: Host;
  readonly #frontends: Frontends;
  readonly #report: (seen: string) => void;
  readonly #folder: string;
  readonly #began = performance.now();
  /** Why nothing is to be done, once that is known. */
  #spared: Spared | undefined;
  #production: Production | undefined;
  #isolation: Isolation | undefined;
  #copied: Copied | undefined;
  #made = false;
  #started = false;
  #starting: Promise<unknown> = Promise.resolve();
  #isCut = false;
  #trial: Trial | undefined;
  readonly #told: string[] = [];

  constructor(inputs: Inputs, frontends: Frontends, options: WorkOptions) {
    this.#inputs = inputs;
    this.#options = options;
    this.#report = options.report;
    this.#host = hostFor(within(inputs.limits, inputs.connection));
    this.#folder = rehearsalFolder(inputs.deployDir, inputs.to.version, new Date());
    this.#frontends = frontends;
  }

  get folder(): string {
    return this.#folder;
  }

  get #metaDir(): string {
    return posix.join(this.#folder, "meta");
  }

  /** What was found out, in words; or why nothing was rehearsed. */
  get result(): string | Spared {
    return this.#spared ?? this.#told.join(", ");
  }

  /** The version of the leader, once it is known. */
  get leader(): string | undefined {
    return (this.#production ?? this.#spared)?.version;
  }

  /** A step that has nothing to do where nothing is to be rehearsed. */
  #unless(work: () => Promise<Outcome>): Work {
    return async () => (this.#spared ? notMet(this.#spared.why) : work());
  }

  readonly works = {
    isolate: async (): Promise<Outcome> => {
      const production = await observeProduction(this.#frontends, this.#inputs, this.#options);
      if ("why" in production) {
        this.#spared = production;
        return notMet(production.why);
      }
      this.#production = production;
      return this.#isolate(production);
    },
    copy: this.#unless(() => this.#copy()),
    rehearse: this.#unless(() => this.#start()),
    verdict: this.#unless(() => this.#judge()),
    clean: this.#unless(() => this.#clean()),
  };

  async #isolate(production: Production): Promise<Outcome> {
    const { connection, isolated } = this.#inputs;
    const { become } = connection;
    this.#isolation = await findIsolation(this.#host, {
      privileged: hostFor({ ...connection, become: { ...become, user: "root" } }),
      ...(isolated && { noRouteTo: production.forbidden }),
    });
    const staged = await stage(this.#host, this.#inputs, this.#report);
    const { way } = this.#isolation;
    return { mark: "done", detail: staged === "staged" ? `${way}; release staged` : way };
  }

  async #copy(): Promise<Outcome> {
    const { deployDir, cluster, limits } = this.#inputs;
    // What is there may be another operator's, under way: none is, as long as the lease is ours.
    await this.#options.claim();
    await removeEarlier(this.#host, deployDir, { cluster, stopSeconds: limits.stop / 1000, running: "stopped" });
    await makeFolder(this.#host, this.#folder, cluster);
    this.#made = true;
    await makeHome(this.#host, this.#folder, this.#inputs);
    const detail = await this.#copyNow();
    return { mark: "done", detail };
  }

  async #copyNow(): Promise<string> {
    this.#assertGoing();
    const { limits, to } = this.#inputs;
    const { production } = this.#known();
    const { contact } = production;
    const source = this.#frontends.hostOf(contact);
    const began = performance.now();
    const size = await copyMetadata(
      { host: source, folder: contact.metaDir },
      { host: this.#host, folder: this.#metaDir },
      {
        local: source.name === this.#host.name,
        below: this.#folder,
        reserve: features(versionOf(to.version)).metaFreeBytes,
        limit: limits.transfer,
        report: this.#report,
      },
    );
    const identity = await changeIdentity(this.#host, this.#metaDir);
    this.#copied = { identity, ...(await this.#configure(source, contact, identity)) };
    return `${(size / 1e6).toFixed(1)} MB of ${contact.name} in ${seconds(performance.now() - began)}`;
  }

  /** Writes fe.conf from what that of the leader is going to be on the new version; gives the ports and secrets that it has. */
  async #configure(source: Host, contact: Contact, identity: CopyIdentity): Promise<Omit<Copied, "identity">> {
    const { memory } = this.#inputs;
    const found = await source.readFile(homePaths(contact.home, "fe").conf);
    if (found === undefined) {
      throw new UserError(
        `The leader has no ${homePaths(contact.home, "fe").conf} on ${source.name}: is \`home\` right?`,
      );
    }
    const production = leaderConf(found, contact, this.#inputs);
    const moved = await this.#freePorts(production, contact.ports);
    const conf = rehearsalConf(production, {
      ...moved,
      metaDir: this.#metaDir,
      clusterId: identity.clusterId,
      ...(identity.runMode !== undefined && { runMode: identity.runMode }),
      memory,
    });
    await this.#host.writeFile(homePaths(this.#folder, "fe").conf, conf, { mode: 0o600 });
    return { ports: moved.ports, secrets: secretSettings(parseConf(conf)) };
  }

  /** The first of the shifts by which none of the ports that production's file names meets one that is taken. */
  async #freePorts(production: string, ports: FePorts): Promise<MovedPorts> {
    const version = versionOf(this.#inputs.to.version);
    const candidates = shifts.map((shift) => {
      const moved = { version, shift, ports: shiftedPorts(ports, shift) };
      return { moved, all: portsOfRehearsal(production, moved) };
    });
    const asked = candidates.flatMap(({ all }) => all);
    const listeners = await listening(this.#host, asked);
    const taken = new Set(listeners.map(({ port }) => port));
    const free = candidates.find(({ all }) => all.every((port) => !taken.has(port)));
    if (!free) {
      throw new UserError(
        `On ${this.#host.name} the rehearsal needs the ports of its FE free, moved by one of ${shifts.join(", ")}, and each time one is taken: ` +
          `${listeners.map(describeListener).join("; ")}. Free them, or name another host with \`rehearsal.host\`.`,
      );
    }
    return free.moved;
  }

  /**
   * Milliseconds after which the FE ends by itself: all that it may take from its start to its stop, so that it does so only
   * where nobody is left to stop it.
   */
  get #life(): number {
    const { limit, limits } = this.#inputs;
    return limits.start + limit + limits.leader + 2 * limits.sql + limits.stop + limits.command;
  }

  async #start(): Promise<Outcome> {
    const { production, isolation } = this.#known();
    const { limit, limits, sql, to } = this.#inputs;
    const copied = this.#copied;
    if (!copied) {
      throw new Error("A rehearsal starts on a copy");
    }
    const version = versionOf(to.version);
    const javaHome = await javaHomeFor(this.#host, this.#inputs);
    this.#assertGoing();
    this.#started = true;
    const starting = startProcess(isolation.host, "fe", this.#folder, {
      javaHome,
      wrapper: [...isolation.wrapper, ...livingFor(this.#life)],
      limit: this.#inputs.limits.start,
      ...hostTypeOf(copied.identity, version),
    });
    this.#starting = starting.catch(() => undefined);
    const started = await starting;
    this.#trial = new Trial({
      isolation,
      home: this.#folder,
      metaDir: this.#metaDir,
      version,
      ports: copied.ports,
      clusterId: copied.identity.clusterId,
      journalId: production.leader.replayedJournalId,
      sql,
      secrets: [...accessSecrets(this.#inputs), ...copied.secrets],
      started,
      limit,
      sqlLimit: limits.sql,
      report: this.#report,
    });
    return done;
  }

  async #judge(): Promise<Outcome> {
    const began = performance.now();
    const trial = await this.#ready();
    const ready = performance.now();
    this.#told.push(`ready after ${seconds(ready - began)}`);
    const { catalog, replayed } = await trial.proven();
    const { production } = this.#known();
    const problems = catalogProblems(production.catalog, await catalogNow(this.#frontends, this.#inputs), catalog);
    if (problems.length > 0) {
      throw new UserError(`The FE has not the databases of production: ${problems.join("; ")}.`);
    }
    this.#told.push(
      ...(replayed === undefined ? [] : [`journal replayed to ${replayed}`]),
      `${catalog.size} databases with ${tablesIn(catalog)} tables`,
    );
    const image = await trial.imageWritten();
    this.#told.push(...(image === undefined ? [] : [`image.${image} written`]));
    return { mark: "done", detail: this.#told.join(", ") };
  }

  /** A log that was copied while it was written may be torn in spite of all care: then one fresh copy is tried. */
  async #ready(): Promise<Trial> {
    try {
      await this.#needTrial().ready();
    } catch (error) {
      if (!(error instanceof TrialFailure && error.torn)) {
        throw error;
      }
      this.#report("the copy may be torn: copying once more");
      this.#told.push("on a second copy, as the first was torn");
      await stopRehearsal(this.#host, this.#folder, this.#inputs.limits.stop / 1000);
      await this.#copyNow();
      await this.#start();
      await this.#needTrial().ready();
    }
    return this.#needTrial();
  }

  async #clean(): Promise<Outcome> {
    await this.#stop();
    if (this.#inputs.keep) {
      return { mark: "done", detail: `kept in ${this.#folder}` };
    }
    await removeFolder(this.#host, this.#folder);
    this.#told.push(`${seconds(performance.now() - this.#began)} in all`);
    return done;
  }

  async #stop(limit = this.#inputs.limits.stop): Promise<void> {
    await stopRehearsal(this.#host, this.#folder, limit / 1000);
  }

  /**
   * This process is going to end, so nobody will hear the verdict: the FE must not outlive it, and a copy that nothing was
   * found out about is not kept.
   */
  async cut(): Promise<void> {
    this.#isCut = true;
    await this.#starting;
    if (this.#made) {
      await this.#stop(cutLimit);
      await removeFolder(this.#host, this.#folder);
    }
  }

  #assertGoing(): void {
    if (this.#isCut) {
      throw new UserError(
        "The operation ends before its rehearsal does; no running node was touched. Run `pulumi up` again.",
      );
    }
  }

  /** After a failure: nothing goes on running; what there is to look at stays. In words. */
  async giveUp(): Promise<string> {
    if (!this.#made) {
      return "Nothing was started or copied.";
    }
    try {
      await this.#stop();
      if (!this.#started) {
        await removeFolder(this.#host, this.#folder);
        return "Nothing was started; the unfinished copy was removed.";
      }
    } catch (error) {
      return `What it left could not be stopped: ${messageOf(error)} Look at ${this.#host.name}:${this.#folder}.`;
    }
    return `Its process was stopped. Copy and logs are kept in ${this.#host.name}:${this.#folder} until the next rehearsal there; never start that copy where it can reach the cluster.`;
  }

  #known(): { readonly production: Production; readonly isolation: Isolation } {
    if (!this.#production) {
      throw new Error("A rehearsal begins with a look at the cluster");
    }
    return { production: this.#production, isolation: this.#isolation as Isolation };
  }

  #needTrial(): Trial {
    if (!this.#trial) {
      throw new Error("A rehearsal is judged after its start");
    }
    return this.#trial;
  }
}
