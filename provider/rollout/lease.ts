import { UserError } from "../error.js";
import { type FoundClaim, makeClaim, readClaim } from "../host/claims.js";
import {
  describeClaim,
  describeOwner,
  leaseLifetime,
  type Owner,
  ownerBeyond,
  ownerOf,
  patienceWith,
  type Standing,
  standingOf,
} from "../plan/lease.js";
import { majorityOf } from "../plan/quorum.js";
import { type Look, seconds, until } from "../wait.js";
import { answersOfMajority, askAll, type Keeper } from "./majority.js";
import { isDeadHere } from "./owner.js";

export interface LeaseOptions {
  /** The FE hosts. */
  readonly hosts: readonly Keeper[];
  readonly owner: Owner;
  /** How long it outlives its last renewal: a killed operator keeps others out for that long. Default 60. */
  readonly ttlSeconds?: number;
  /** Milliseconds to wait for another operator. */
  readonly limit: number;
  readonly report?: (seen: string) => void;
  /** Told what the journal is to say. */
  readonly note?: (text: string) => void;
}

/** Milliseconds in which a host that is there answers, a first login over a slow line included. */
const askLimit = 30_000;

/** The same where a stopped node waits for the answer. */
const holderLimit = 10_000;

/** Milliseconds for giving it back at the end; a claim that stays expires by itself. */
const releaseLimit = 3000;

/** A moment by both clocks of this machine: one stands still while it sleeps, the other may be set. */
interface Moment {
  readonly wall: number;
  readonly steady: number;
}

const moment = (): Moment => ({ wall: Date.now(), steady: performance.now() });

const since = ({ wall, steady }: Moment): number => Math.max(Date.now() - wall, performance.now() - steady);

/** A claim of ours on one host; `at` is before it was asked for, so that we take it for expired first. */
interface Held {
  readonly generation: number;
  readonly at: Moment;
}

/**
 * The right to change a cluster, held on a majority of its FE hosts: waits for another operator, up to the limit, and
 * then fails with who it is. Renewed by itself until it is released.
 */
export const acquireLease = async (options: LeaseOptions): Promise<Lease> => {
  const attempt = new Lease(options);
  await until(() => attempt.acquire(), {
    what: "the right to change this cluster, which one operator has at a time",
    limit: options.limit,
    // Another one each time: contenders that met once do not meet again.
    get every() {
      return 200 + Math.random() * 600;
    },
    ...(options.report && { onProgress: options.report }),
    get advice() {
      const way = "Nothing was touched. Let that operation end, or stop it, then run `pulumi up` again.";
      return attempt.hindrance === undefined ? way : `${way} ${attempt.hindrance}`;
    },
  });
  return attempt;
};

/** What was seen of a host's claim first: from then on it has stood there, as far as it has not changed since. */
interface Sight {
  readonly generation: number;
  readonly text: string;
  /** By `performance.now`, which stands still while this machine sleeps: then the claim has stood for longer. */
  readonly since: number;
}

/** This process has the cluster no more, so that what it has begun is no business of it either. */
export class LeaseLost extends UserError {}

export class Lease {
  readonly #options: LeaseOptions;
  readonly #ttl: number;
  readonly #text: string;
  readonly #held = new Map<Keeper, Held>();
  readonly #sights = new Map<Keeper, Sight>();
  #hindrance: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<void> | undefined;
  #lost: string | undefined;
  /** Who was seen on a host that was ours, or should have been. */
  #taker: string | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#ttl = options.ttlSeconds === undefined ? leaseLifetime : options.ttlSeconds * 1000;
    this.#text = JSON.stringify({ ...options.owner, lifetime: this.#ttl } satisfies Owner);
  }

  /** Which claim kept this contender out at its last try, and what can be done about it. */
  get hindrance(): string | undefined {
    return this.#hindrance;
  }

  /** One try. A majority and nobody else's claim on any host that answers, else everything is given back. */
  async acquire(): Promise<Look<void>> {
    const { hosts } = this.#options;
    const seen = answersOfMajority(
      await askAll(hosts, ({ host, folder }) => readClaim(host, folder), askLimit),
      "tell who is changing this cluster",
    );
    const kept = this.#keptOut(seen);
    if (kept !== undefined) {
      return { done: false, seen: kept };
    }
    // In one order for all contenders, and the first alone: who loses there has taken nothing from the winner.
    const inOrder = [...seen].sort((a, b) => (placeOf(a.keeper) < placeOf(b.keeper) ? -1 : 1));
    const [first, ...rest] = inOrder;
    if (!first || !(await this.#claim(first.keeper, first.value))) {
      return { done: false, seen: "another operator was quicker" };
    }
    const claims = await askAll(
      rest.map(({ keeper }) => keeper),
      async (keeper) => {
        const found = rest.find((one) => one.keeper === keeper);
        return found !== undefined && (await this.#claim(keeper, found.value));
      },
      askLimit,
    );
    if (claims.some((claim) => "value" in claim && !claim.value)) {
      await this.#giveBack();
      return { done: false, seen: "another operator was quicker" };
    }
    if (this.#count() < majorityOf(hosts.length)) {
      await this.#giveBack();
      answersOfMajority([...claims, { keeper: first.keeper, value: true }], "keep the lease of this operation");
      return { done: false, seen: "FE hosts come and go" };
    }
    this.#timer = setInterval(() => this.#renew(), this.#ttl / 3);
    this.#timer.unref();
    return { done: true, value: undefined };
  }

  /** What keeps this contender out, for people; a claim that is certainly in force before one that may not be. */
  #keptOut(seen: readonly { readonly keeper: Keeper; readonly value: FoundClaim }[]): string | undefined {
    const all = seen.map(({ keeper, value }) => ({ keeper, value, standing: this.#standing(keeper, value) }));
    const hindering =
      all.find(({ standing }) => standing.type === "held") ?? all.find(({ standing }) => standing.type === "doubtful");
    this.#hindrance = hindering && describeClaim(hindering.value, hindering.keeper);
    const by = hindering && holderIn(hindering.standing);
    if (!hindering || by === undefined) {
      this.#noteOverruled(all);
      return undefined;
    }
    const owner = hindering.standing.type === "doubtful" ? ownerBeyond(hindering.value) : undefined;
    return owner
      ? `the claim of ${by} on ${hindering.keeper.name} lasts longer than a lease can: it counts as ended unless it is renewed within ${seconds(patienceWith(owner))}`
      : `${by} is changing this cluster`;
  }

  #noteOverruled(all: readonly { readonly keeper: Keeper; readonly value: FoundClaim; readonly standing: Standing }[]) {
    for (const { keeper, standing, value } of all) {
      const owner = standing.type === "free" ? ownerBeyond(value) : undefined;
      if (owner && !isDeadHere(owner)) {
        this.#options.note?.(
          `The claim of ${describeOwner(owner)} on ${keeper.name} was taken for expired: it would last longer than a lease can, as that host's clock was set back, and nobody has renewed it.`,
        );
      }
    }
  }

  /** Throws when the lease was lost: then another operator may be at work, and nothing may be begun. */
  assertHeld(): void {
    this.#judge();
    if (this.#lost !== undefined) {
      throw new LeaseLost(
        `The right to change this cluster was lost: ${this.#lost}. Nothing more is begun. ` +
          "See that the FE hosts can be reached and that nobody else is at work, then run `pulumi up` again: it goes on from here.",
      );
    }
  }

  /** Whether it was lost, or given back. */
  get isLost(): boolean {
    this.#judge();
    return this.#lost !== undefined;
  }

  /** Who has the cluster now, as far as the hosts that answer tell; undefined when that is nobody else. */
  async holder(): Promise<string | undefined> {
    const seen = await askAll(this.#options.hosts, ({ host, folder }) => readClaim(host, folder), holderLimit);
    for (const answer of seen) {
      const holder = "value" in answer ? holderIn(this.#standing(answer.keeper, answer.value)) : undefined;
      if (holder !== undefined) {
        return holder;
      }
    }
    return undefined;
  }

  /** Gives the lease back; safe to call again. What cannot be told now expires by itself. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#lost ??= "it was given back";
    await this.#giveBack();
  }

  /** To be asked when the host has answered: a claim has stood there since the answer that showed it first, if not for longer. */
  #standing(keeper: Keeper, claim: FoundClaim): Standing {
    const { generation, text } = claim;
    const before = this.#sights.get(keeper);
    const same = before?.generation === generation && before.text === text;
    const sight = same ? before : { generation, text, since: performance.now() };
    this.#sights.set(keeper, sight);
    return standingOf(claim, this.#options.owner.id, isDeadHere, performance.now() - sight.since);
  }

  /** Claims one host after what was seen there; true when it is ours. */
  async #claim(keeper: Keeper, seen: FoundClaim): Promise<boolean> {
    const at = moment();
    const wanted = { generation: seen.generation, lifetime: this.#ttl, text: this.#text };
    const result = await makeClaim(keeper.host, keeper.folder, wanted);
    if (result.won && this.#lost !== undefined) {
      await this.#unclaim(keeper, result.generation);
      return false;
    }
    if (result.won) {
      this.#held.set(keeper, { generation: result.generation, at });
      return true;
    }
    if (this.#standing(keeper, result).type === "mine") {
      // Our last claim came through, though its answer did not.
      return this.#claim(keeper, result);
    }
    this.#held.delete(keeper);
    this.#taker = describeOwner(ownerOf(result));
    return false;
  }

  async #unclaim(keeper: Keeper, generation: number): Promise<void> {
    const { won, ...result } = await makeClaim(keeper.host, keeper.folder, {
      generation,
      lifetime: 0,
      text: this.#text,
    });
    if (!won && this.#standing(keeper, result).type === "mine") {
      await this.#unclaim(keeper, result.generation);
    }
  }

  #renew(): void {
    this.#renewal ??= this.#renewAll().finally(() => {
      this.#renewal = undefined;
    });
  }

  async #renewAll(): Promise<void> {
    await askAll(
      this.#options.hosts,
      async (keeper) => {
        const claim = await readClaim(keeper.host, keeper.folder);
        const standing = this.#standing(keeper, claim);
        const ours = standing.type === "mine" || claim.generation === this.#held.get(keeper)?.generation;
        if (!ours && this.#held.delete(keeper)) {
          // Taken, even if it is free again: it counts as lost before it is claimed once more.
          this.#taker = describeOwner(ownerOf(claim));
        } else if (this.#lost === undefined && holderIn(standing) === undefined) {
          await this.#claim(keeper, claim);
        }
      },
      this.#ttl / 3,
    );
    this.#judge();
  }

  /** Hosts where the claim cannot have expired yet. */
  #count(): number {
    return [...this.#held.values()].filter(({ at }) => since(at) < this.#ttl).length;
  }

  /** Once lost stays lost: somebody may have come and gone meanwhile. */
  #judge(): void {
    const { hosts } = this.#options;
    if (this.#lost === undefined && this.#count() < majorityOf(hosts.length)) {
      this.#lost = this.#taker
        ? `${this.#taker} has it now`
        : `it could not be renewed on a majority of the FE hosts (${hosts.map(({ name }) => name).join(", ")})`;
      clearInterval(this.#timer);
    }
  }

  async #giveBack(): Promise<void> {
    const held = new Map(this.#held);
    this.#held.clear();
    await askAll([...held.keys()], (keeper) => this.#unclaim(keeper, held.get(keeper)?.generation ?? 0), releaseLimit);
  }
}

/** Who may have the cluster by a claim. */
const holderIn = (standing: Standing): string | undefined => ("by" in standing ? standing.by : undefined);

/** The same for all contenders, whatever their programs call the node. */
const placeOf = ({ host, folder }: Keeper): string => `${host.name} ${folder}`;
