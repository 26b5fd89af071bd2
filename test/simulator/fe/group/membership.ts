import type { Member } from "../catalog/operations.js";
import type { Journal } from "../meta/journal.js";

/** Who belongs to the group: what the journal says last counts at once, committed or not. */
export class Membership {
  members: readonly Member[];
  readonly #self: Member;
  readonly #journal: Journal;
  /** The members as of the journal's base. */
  #base: readonly Member[];

  constructor(self: Member, journal: Journal, base: readonly Member[]) {
    this.#self = self;
    this.#journal = journal;
    this.#base = base;
    this.members = this.at(journal.lastIndex);
  }

  at(index: number): readonly Member[] {
    const isSet = ({ index: own, operation }: Journal["entries"][number]) =>
      own <= index && operation.type === "members";
    const last = this.#journal.entries.findLast(isSet)?.operation;
    return last?.type === "members" ? last.members : this.#base;
  }

  /** Reads the journal again, whose end has changed. */
  read(): void {
    this.members = this.at(this.#journal.lastIndex);
  }

  /** To be called when the journal begins later than it did. */
  rebase(members: readonly Member[]): void {
    this.#base = members;
  }

  get voters(): readonly Member[] {
    return this.members.filter(({ role }) => role === "FOLLOWER");
  }

  get majority(): number {
    return Math.floor(this.voters.length / 2) + 1;
  }

  get hasSelf(): boolean {
    const { name, host, port } = this.#self;
    return this.members.some((member) => member.name === name && member.host === host && member.port === port);
  }
}
