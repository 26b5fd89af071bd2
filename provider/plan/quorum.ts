/** An FE of the group, as its row and what is known of its process say. */
export interface Voter {
  /** As people know it. */
  readonly name: string;
  readonly role: "leader" | "follower" | "observer" | "unknown";
  readonly join: boolean;
  readonly alive: boolean;
}

/** Voting FEs that must run for the group to have a leader and to write; FE hosts that must grant a lease. */
export const majorityOf = (count: number): number => Math.floor(count / 2) + 1;

/** Groups of one and two voting FEs have no majority without one of them, whatever is done. */
export const pausesWithOneOut = (voters: number): boolean => voters > 0 && majorityOf(voters) > voters - 1;

/** For preview and report; undefined where the group goes on without one of its FEs. */
export const pauseText = (voters: number): string | undefined =>
  pausesWithOneOut(voters)
    ? `The cluster pauses while an FE restarts: a group of ${voters === 1 ? "one voting FE" : "two voting FEs"} has no ` +
      "majority without it. Three or more go on."
    : undefined;

/** Why FEs may not be stopped now. */
export interface QuorumProblem {
  readonly needed: number;
  /** Alive and joined voting FEs that would remain. */
  readonly left: readonly string[];
  /** Voting FEs that count for nothing now, and are not among those to stop. */
  readonly missing: readonly string[];
}

/**
 * May these FEs stop? Not if the rest would have no majority of voting FEs that are alive and have joined, although the size of
 * the group allows one; undefined when they may. An FE that is down already may always be stopped.
 */
export const quorumProblem = (frontends: readonly Voter[], leaving: ReadonlySet<string>): QuorumProblem | undefined => {
  const voters = frontends.filter(({ role }) => role !== "observer");
  const counts = ({ join, alive }: Voter): boolean => join && alive;
  const needed = majorityOf(voters.length);
  const left = voters.filter((voter) => counts(voter) && !leaving.has(voter.name));
  const harmless = voters.every((voter) => !leaving.has(voter.name) || !counts(voter));
  if (harmless || left.length >= needed || pausesWithOneOut(voters.length)) {
    return undefined;
  }
  const missing = voters.filter((voter) => !counts(voter) && !leaving.has(voter.name));
  return { needed, left: left.map(({ name }) => name), missing: missing.map(({ name }) => name) };
};

/** Whether the other voting FEs are enough to elect another leader when this one stops. */
export const canElect = (frontends: readonly Voter[], leader: Voter): boolean => {
  const voters = frontends.filter(({ role }) => role !== "observer");
  const others = voters.filter((voter) => voter !== leader && voter.alive && voter.join);
  return others.length >= majorityOf(voters.length);
};

/** `only 1 of the 2 voting FEs needed would remain (fe-1); fe-3 is not alive or has not joined` */
export const describeQuorum = ({ needed, left, missing }: QuorumProblem): string => {
  const rest = left.length === 0 ? "none" : `only ${left.length}`;
  const names = left.length === 0 ? "" : ` (${left.join(", ")})`;
  const absent =
    missing.length === 0
      ? ""
      : `; ${missing.join(", ")} ${missing.length === 1 ? "is not alive or has" : "are not alive or have"} not joined`;
  return `${rest} of the ${needed} voting FEs needed would remain${names}${absent}`;
};
