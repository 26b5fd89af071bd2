import type { Member } from "../catalog/operations.js";
import type { Journal } from "../meta/journal.js";
import { isUpToDate } from "./judge.js";
import type { Message } from "./messages.js";
import type { Peer } from "./peer.js";

type Vote = Extract<Message, { m: "vote" }>;
type Voted = Extract<Message, { m: "voted" }>;

/** What a group tells its elections, and lets them do. */
export interface Electorate {
  readonly self: Member;
  readonly journal: Journal;
  readonly electionMs: number;
  readonly mayRun: () => boolean;
  readonly majority: () => number;
  readonly peers: () => Iterable<Peer>;
  readonly isLeader: () => boolean;
  readonly hasLeader: () => boolean;
  /** Whether the leader serves, as far as we know: then nobody else is elected. */
  readonly isLed: () => boolean;
  readonly forgetLeader: () => void;
  readonly lead: () => void;
  /** Somebody is in a later term than we. */
  readonly stepDown: (term: number) => void;
}

/** Elections as in Raft. A trial comes first, so that one who cannot win leaves the terms of the others alone. */
export class Election {
  readonly #group: Electorate;
  #at = Number.POSITIVE_INFINITY;
  #votes = new Set<string>();
  #trialVotes = new Set<string>();
  #trialTerm = -1;
  /** The leader wants us to take over: the others vote for us although they have one. */
  #handedOver = false;

  constructor(group: Electorate) {
    this.#group = group;
  }

  schedule(delayMs: number): void {
    this.#at = performance.now() + delayMs * (0.4 + 0.4 * Math.random());
  }

  isDue(now: number): boolean {
    return now > this.#at;
  }

  takeOver(): void {
    this.#handedOver = true;
    this.#group.forgetLeader();
    this.run(false);
  }

  run(trial: boolean): void {
    const { electionMs, journal, mayRun, peers, self } = this.#group;
    this.schedule(electionMs);
    if (!mayRun()) {
      return;
    }
    if (trial) {
      this.#trialVotes = new Set([self.name]);
      this.#trialTerm = journal.term;
    } else {
      journal.setTerm(journal.term + 1, self.name);
      this.#votes = new Set([self.name]);
    }
    for (const peer of peers()) {
      if (peer.member.role !== "FOLLOWER") {
        continue;
      }
      peer.send({
        m: "vote",
        trial,
        term: trial ? journal.term + 1 : journal.term,
        lastIndex: journal.lastIndex,
        lastTerm: journal.lastTerm,
        handedOver: this.#handedOver,
      });
    }
    this.#count(trial);
  }

  #count(trial: boolean): void {
    const { isLeader, lead, majority } = this.#group;
    if ((trial ? this.#trialVotes : this.#votes).size < majority()) {
      return;
    }
    if (trial) {
      this.#trialVotes = new Set();
      this.run(false);
    } else if (!isLeader()) {
      this.#handedOver = false;
      lead();
    }
  }

  onVoted(peer: Peer, message: Voted): void {
    const { hasLeader, isLeader, journal, stepDown } = this.#group;
    if (message.trial && message.term > journal.term && !isLeader()) {
      journal.setTerm(message.term, undefined);
      return;
    }
    // A trial is over when somebody else's election began: counting late answers would topple the leader just elected.
    if (message.trial && this.#trialTerm !== journal.term) {
      return;
    }
    if (message.term > journal.term) {
      stepDown(message.term);
      return;
    }
    if (!message.granted || hasLeader()) {
      return;
    }
    if (message.trial) {
      this.#trialVotes.add(peer.member.name);
    } else if (message.term === journal.term) {
      this.#votes.add(peer.member.name);
    }
    this.#count(message.trial);
  }

  /** Our answer to a candidate. */
  vote(from: Member, message: Vote): Voted {
    const { electionMs, forgetLeader, isLeader, isLed, journal, stepDown } = this.#group;
    if (isLed() && !message.handedOver) {
      return { m: "voted", trial: message.trial, term: journal.term, granted: false };
    }
    const upToDate = isUpToDate(message, journal);
    if (message.trial) {
      return { m: "voted", trial: true, term: journal.term, granted: upToDate };
    }
    if (message.term > journal.term) {
      stepDown(message.term);
    }
    const free = journal.vote === undefined || journal.vote === from.name;
    const granted = message.term === journal.term && free && upToDate && !isLeader();
    if (granted) {
      if (journal.vote === undefined) {
        journal.setTerm(message.term, from.name);
      }
      if (message.handedOver) {
        forgetLeader();
      }
      this.schedule(electionMs * 2);
    }
    return { m: "voted", trial: false, term: journal.term, granted };
  }
}
