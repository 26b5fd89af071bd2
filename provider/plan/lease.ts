import { z } from "zod";
import { seconds } from "../wait.js";

/** Who works on a cluster, as others are told. */
const ownerSchema = z.object({
  /** Of one lease: a program that runs twice in one process has two. */
  id: z.string(),
  /** The operator's machine. */
  host: z.string(),
  /** Where `pid` means this process: a boot of a machine, and its process namespace. Absent where that cannot be told. */
  place: z.string().optional(),
  user: z.string(),
  pid: z.number(),
  /** When the process started, in the words of its machine: pids are used again. */
  started: z.string().optional(),
  /** What it does: the stack, the cluster. */
  what: z.string(),
  since: z.string(),
  /** Milliseconds that its claims last when they are made; it renews each before. Absent of older versions: as by default. */
  lifetime: z.number().optional(),
});
export type Owner = z.output<typeof ownerSchema>;

/** Milliseconds that a lease outlives its last renewal. */
export const leaseLifetime = 60_000;

/** What a host shows of the lease. */
export interface Claim {
  /** Counts the claims on this host. 0: there was none. */
  readonly generation: number;
  /** By the host's own clock, in milliseconds. */
  readonly now: number;
  /** The same clock; undefined when there was no claim, or one that cannot be read. */
  readonly expires: number | undefined;
  readonly text: string;
}

export type Standing =
  | { readonly type: "free" }
  | { readonly type: "mine" }
  | { readonly type: "held"; readonly by: string }
  /** It lasts longer than a lease can, so its end says nothing: free once it has stood for too long without being renewed. */
  | { readonly type: "doubtful"; readonly by: string };

/**
 * Milliseconds for which a claim must have stood before its owner certainly does not count it any more: owners go by their
 * own clocks, of which a tenth is more than any two differ in their rate.
 */
export const patienceWith = ({ lifetime = leaseLifetime }: Pick<Owner, "lifetime">): number => 1.1 * lifetime;

/**
 * The owner of a claim whose end is further away than an owner ever sets it: the host's clock has been set back since. That
 * its owner is gone does not follow; it may be about to renew it.
 */
export const ownerBeyond = (claim: Claim): Owner | undefined => {
  const owner = ownerOf(claim);
  return owner && claim.expires !== undefined && claim.expires - claim.now > patienceWith(owner) ? owner : undefined;
};

/**
 * Whether a host's claim keeps this contender out. `isDead` says of an owner that it is a process of this very machine
 * that has ended: nobody has to wait for that one. `unchanged`: for how many milliseconds, by its own clock, the contender
 * has seen this very claim there.
 */
export const standingOf = (claim: Claim, me: string, isDead: (owner: Owner) => boolean, unchanged = 0): Standing => {
  const { expires, now } = claim;
  if (claim.generation === 0 || (expires !== undefined && expires <= now)) {
    return { type: "free" };
  }
  const owner = ownerOf(claim);
  if (owner?.id === me) {
    return { type: "mine" };
  }
  if (owner && isDead(owner)) {
    return { type: "free" };
  }
  const by = describeOwner(owner);
  const beyond = ownerBeyond(claim);
  if (!beyond) {
    return { type: "held", by };
  }
  return unchanged > patienceWith(beyond) ? { type: "free" } : { type: "doubtful", by };
};

/** Who made a claim; undefined where it cannot be read. */
export const ownerOf = ({ text }: Claim): Owner | undefined => {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    // Another version of this package may write other things; the claim counts all the same, until it expires.
    return undefined;
  }
};

/** Where a claim is. */
interface Place {
  /** The host, for people. */
  readonly name: string;
  readonly folder: string;
}

/** For an operator who is kept out: by which claim, for how long, and what ends it. */
export const describeClaim = (claim: Claim, { folder, name }: Place): string => {
  const { expires, generation } = claim;
  const owner = ownerBeyond(claim);
  const end =
    expires === undefined
      ? "which does not say when it ends"
      : `which ends by itself at ${new Date(expires).toISOString().slice(0, 19)}Z by that host's clock unless its operator renews it`;
  const doubt =
    owner &&
    "That is longer than a lease can last: the clock was set back. It counts as ended once one operation has seen it " +
      `unchanged for ${seconds(patienceWith(owner))}, if \`limits.lease\` is longer.`;
  return [
    `It is kept out by ${folder}/claim.${generation} on ${name}, ${end}.`,
    ...(doubt === undefined ? [] : [doubt]),
    `If its operator is certainly gone, remove ${folder}/claim.* there.`,
  ].join(" ");
};

/** `anna@laptop (process 4711, stack dev) since 2026-11-22T20:54:32Z`. */
export const describeOwner = (owner: Owner | undefined): string =>
  owner === undefined
    ? "an operator that this version of pulumi-starrocks cannot name"
    : `${owner.user}@${owner.host} (process ${owner.pid}, ${owner.what}) since ${owner.since}`;
