import { z } from "zod";

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
});
export type Owner = z.output<typeof ownerSchema>;

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
  | { readonly type: "held"; readonly by: string };

/**
 * Whether a host's claim keeps this contender out. `isDead` says of an owner that it is a process of this very machine
 * that has ended: nobody has to wait for that one.
 */
export const standingOf = (claim: Claim, me: string, isDead: (owner: Owner) => boolean): Standing => {
  const { expires, now } = claim;
  if (claim.generation === 0 || (expires !== undefined && expires <= now)) {
    return { type: "free" };
  }
  const owner = ownerOf(claim);
  if (owner?.id === me) {
    return { type: "mine" };
  }
  return owner && isDead(owner) ? { type: "free" } : { type: "held", by: describeOwner(owner) };
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

/** `anna@laptop (process 4711, stack dev) since 2026-11-22T20:54:32Z`. */
export const describeOwner = (owner: Owner | undefined): string =>
  owner === undefined
    ? "an operator that this version of pulumi-starrocks cannot name"
    : `${owner.user}@${owner.host} (process ${owner.pid}, ${owner.what}) since ${owner.since}`;
