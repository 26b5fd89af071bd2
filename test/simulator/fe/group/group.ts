import type net from "node:net";
import type { Member, Operation } from "../catalog/operations.js";
import type { Image } from "../meta/image.js";
import type { Entry, Journal } from "../meta/journal.js";
import { sourceAddress } from "../settings/address.js";
import type { Faults } from "../settings/faults.js";
import type { Options } from "../settings/options.js";
import { Callers } from "./callers.js";
import { Election } from "./election.js";
import { HandOver } from "./handover.js";
import { joinGroup } from "./join.js";
import { objectionTo, reachedByMajority } from "./judge.js";
import { Membership } from "./membership.js";
import { groupName, type Message, send } from "./messages.js";
import { Peer } from "./peer.js";
import { NotLeader, Waiters } from "./waiters.js";

/** As StarRocks' FrontendNodeType, plus DETACHED: no longer a member. */
export type GroupState = "INIT" | "UNKNOWN" | "FOLLOWER" | "OBSERVER" | "LEADER" | "DETACHED";

export interface GroupEvents {
  readonly apply: (entry: Entry) => void;
  /** The log of the others starts later than ours ends: take this image instead. */
  readonly restore: (image: Image) => void;
  readonly image: () => Image;
  readonly changed: (from: GroupState, to: GroupState) => void;
  /** The leadership is lost for good; a real process exits. */
  readonly deposed: (reason: string) => void;
  readonly refused: (text: string) => void;
  readonly conflict: (member: Member, from: string) => void;
}

export interface GroupSettings {
  readonly self: Member;
  readonly listen: string;
  readonly version: string;
  readonly options: Options;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly events: GroupEvents;
  /** The members as of the journal's base. */
  readonly members: readonly Member[];
}

const tickMs = 100;
const batch = 200;
const resendMs = 2000;

/**
 * A replicated journal with one leader, as BDB JE gives it to StarRocks: terms, votes and majority commit as in Raft.
 * Observers get the journal and do not count.
 */
export class Group {
  state: GroupState = "INIT";
  leader: Member | undefined;
  committed: number;
  applied: number;
  readonly #settings: GroupSettings;
  readonly #membership: Membership;
  readonly #election: Election;
  readonly #callers: Callers;
  readonly #peers = new Map<string, Peer>();
  readonly #waiters = new Waiters();
  #ticker: NodeJS.Timeout | undefined;
  #leaderSeenAt = Number.NEGATIVE_INFINITY;
  #leaderSocket: net.Socket | undefined;
  #quorumAt = 0;
  #handOver: HandOver | undefined;
  #stepDownQuietly = false;
  #detachedBy = false;
  #joining = false;
  #termStart = 0;
  /** What the leader last said to be committed: the journal comes in batches, and more of them may be on their way. */
  #leaderCommitted = 0;

  constructor(settings: GroupSettings) {
    this.#settings = settings;
    const { journal, members, options, self } = settings;
    this.committed = journal.baseIndex;
    this.applied = journal.baseIndex;
    this.#membership = new Membership(self, journal, members);
    this.#election = new Election({
      self,
      journal,
      electionMs: options.electionMs,
      mayRun: () => self.role === "FOLLOWER" && this.state !== "DETACHED" && this.#membership.hasSelf,
      majority: () => this.#membership.majority,
      peers: () => this.#peers.values(),
      isLeader: () => this.isLeader(),
      hasLeader: () => this.leader !== undefined,
      isLed: () => (this.isLeader() ? this.hasQuorum() : this.leader !== undefined),
      forgetLeader: () => {
        this.leader = undefined;
      },
      lead: () => this.#lead(),
      stepDown: (term) => this.#stepDown(term),
    });
    this.#callers = new Callers({
      isolated: this.#isolated,
      onCall: (socket, message) => this.#onCall(socket, message),
      onGone: (socket) => {
        if (socket === this.#leaderSocket) {
          this.#leaderGone();
        }
      },
    });
  }

  get self(): Member {
    return this.#settings.self;
  }

  get journal(): Journal {
    return this.#settings.journal;
  }

  get members(): readonly Member[] {
    return this.#membership.members;
  }

  /** Opens the port and starts looking for the others. Rejects with EADDRINUSE. */
  async open(): Promise<void> {
    await this.#callers.open(this.self.port, this.#settings.listen);
    this.#dialMembers();
    const alone = this.#membership.voters.length === 1 && this.#membership.hasSelf;
    this.#election.schedule(alone ? 0 : this.#settings.options.electionMs);
    this.#ticker = setInterval(() => this.#tick(), tickMs);
  }

  close(): void {
    clearInterval(this.#ticker);
    for (const peer of this.#peers.values()) {
      peer.close();
    }
    this.#callers.close();
  }

  /** Asks to be taken in; returns when we are a member. */
  async join(helper: { readonly host: string; readonly port: number }): Promise<void> {
    const { refused } = this.#settings.events;
    this.#joining = true;
    await joinGroup({ self: this.self, helper, hello: () => this.#hello(), refused });
    this.#joining = false;
  }

  isLeader(): boolean {
    return this.state === "LEADER";
  }

  /** A leader's majority answered just now. */
  hasQuorum(): boolean {
    return performance.now() - this.#quorumAt < this.#settings.options.hangWithoutQuorumMs;
  }

  /** Writes to the journal; resolves when a majority has it and it was applied here. */
  propose(operation: Operation): Promise<number> {
    if (!this.isLeader()) {
      return Promise.reject(new NotLeader("not the leader"));
    }
    // JE holds commits back while a master transfer is under way, so that its target misses none.
    if (this.#handOver?.asked) {
      return this.#handOver.ended.then(() => this.propose(operation));
    }
    const { journal, version } = this.#settings;
    const index = journal.lastIndex + 1;
    const done = this.#waiters.write(index);
    journal.append([{ index, term: journal.term, version, operation }]);
    if (operation.type === "members") {
      this.#setMembers(operation.members);
    }
    this.#replicate();
    this.#advance();
    return done;
  }

  whenApplied(index: number): Promise<void> {
    return this.applied >= index ? Promise.resolve() : this.#waiters.read(index);
  }

  /** Gives the leadership away; the others elect `name` as soon as it has everything. */
  handOver(name: string, timeoutMs: number): Promise<void> {
    const peer = this.#peers.get(name);
    if (!this.isLeader()) {
      return Promise.reject(new Error("This node is not the master"));
    }
    if (peer?.member.role !== "FOLLOWER") {
      return Promise.reject(new Error(`Node: ${name} is not an active replica`));
    }
    const handOver = new HandOver(name, timeoutMs);
    this.#handOver = handOver;
    this.#tryHandOver();
    return handOver.outcome;
  }

  /** A graceful exit keeps serving after it gave the leadership away. */
  stepDownQuietly(): void {
    this.#stepDownQuietly = true;
  }

  liveFollowers(): readonly string[] {
    const since = performance.now() - 2000;
    return [...this.#peers.values()]
      .filter((peer) => peer.member.role === "FOLLOWER" && peer.connected && peer.answeredAt > since)
      .sort((a, b) => b.match - a.match)
      .map((peer) => peer.member.name);
  }

  compact(index: number): void {
    const term = this.journal.termAt(index);
    if (term === undefined || index <= this.journal.baseIndex || index > this.applied) {
      return;
    }
    this.#membership.rebase(this.membersAt(index));
    this.journal.compact(index, term);
  }

  membersAt(index: number): readonly Member[] {
    return this.#membership.at(index);
  }

  readonly #isolated = (): boolean => this.#settings.faults.find("isolate") !== undefined;

  #setMembers(members: readonly Member[]): void {
    const removed = this.members.filter(({ name }) => !members.some((member) => member.name === name));
    this.#membership.members = members;
    for (const { name } of removed) {
      this.#dismiss(name);
    }
    this.#dialMembers();
  }

  #dismiss(name: string): void {
    const peer = this.#peers.get(name);
    this.#peers.delete(name);
    if (this.isLeader()) {
      peer?.send({ m: "removed" });
    }
    peer?.close();
  }

  #dialMembers(): void {
    if (this.#ticker === undefined && !this.#callers.listening) {
      return;
    }
    for (const member of this.members) {
      const known = this.#peers.get(member.name);
      if (member.name === this.self.name || (known?.member.host === member.host && known.member.port === member.port)) {
        continue;
      }
      known?.close();
      this.#peers.set(member.name, this.#dial(member));
    }
  }

  #dial(member: Member): Peer {
    const peer = new Peer({
      member,
      localAddress: sourceAddress(this.self.host),
      isolated: this.#isolated,
      hello: () => this.#hello(),
      onMessage: (from, message) => this.#onAnswer(from, message),
      onLost: (from) => {
        if (from.member.name === this.leader?.name) {
          this.#leaderGone();
        }
      },
    });
    peer.next = this.journal.lastIndex + 1;
    return peer;
  }

  #clock(): number {
    return Date.now() + this.#settings.options.clockSkewMs + (this.#settings.faults.find("clockSkew")?.ms ?? 0);
  }

  #hello(): Message {
    return { m: "hello", group: groupName, member: this.self, clock: this.#clock() };
  }

  #change(to: GroupState): void {
    const from = this.state;
    if (from === to) {
      return;
    }
    this.state = to;
    this.#settings.events.changed(from, to);
  }

  #leaderGone(): void {
    if (this.isLeader() || this.state === "DETACHED") {
      return;
    }
    this.leader = undefined;
    this.#leaderSocket = undefined;
    this.#leaderSeenAt = Number.NEGATIVE_INFINITY;
    if (this.state !== "INIT") {
      this.#change("UNKNOWN");
    }
    this.#election.schedule(this.#settings.options.electionMs);
  }

  #tick(): void {
    const now = performance.now();
    const { options } = this.#settings;
    if (this.isLeader()) {
      this.#replicate();
      this.#measureQuorum(now);
      this.#tryHandOver();
      if (now - this.#quorumAt > options.exitWithoutQuorumMs) {
        this.#settings.events.deposed("quorum");
      }
    } else if (this.leader !== undefined && now - this.#leaderSeenAt > options.bdbHeartbeatTimeoutMs) {
      this.#leaderGone();
      this.#election.schedule(options.silentElectionMs);
    } else if (this.leader === undefined && this.#election.isDue(now)) {
      this.#election.run(true);
    }
  }

  #measureQuorum(now: number): void {
    const answers = this.#membership.voters.map(({ name }) =>
      name === this.self.name ? now : (this.#peers.get(name)?.answeredAt ?? Number.NEGATIVE_INFINITY),
    );
    this.#quorumAt = Math.max(this.#quorumAt, reachedByMajority(answers) ?? now);
  }

  #lead(): void {
    const now = performance.now();
    this.leader = this.self;
    this.#quorumAt = now;
    for (const peer of this.#peers.values()) {
      peer.next = this.journal.lastIndex + 1;
      peer.match = 0;
      peer.waiting = false;
      peer.answeredAt = now;
    }
    this.#change("LEADER");
    this.#termStart = this.journal.lastIndex + 1;
    this.propose({ type: "leader", name: this.self.name, epoch: this.journal.term }).catch(() => undefined);
  }

  /** Everything that was committed is applied here: known once the leader committed an entry of its own term. */
  caughtUp(): boolean {
    const { journal } = this.#settings;
    const current = this.leader !== undefined && journal.termAt(this.committed) === journal.term;
    return (
      current && this.applied >= Math.max(this.committed, this.isLeader() ? this.#termStart : this.#leaderCommitted)
    );
  }

  #stepDown(term: number): void {
    const { journal } = this.#settings;
    if (term > journal.term) {
      journal.setTerm(term, undefined);
    }
    if (!this.isLeader()) {
      return;
    }
    this.#waiters.leadershipLost();
    this.leader = undefined;
    this.#endHandOver();
    this.#change("UNKNOWN");
    if (this.#stepDownQuietly) {
      this.#election.schedule(this.#settings.options.electionMs * 3);
    } else {
      this.#settings.events.deposed("term");
    }
  }

  #replicate(): void {
    const { journal } = this.#settings;
    for (const peer of this.#peers.values()) {
      const stuck = performance.now() - peer.sentAt > resendMs;
      if ((peer.waiting && !stuck) || !peer.connected) {
        continue;
      }
      const previousTerm = journal.termAt(peer.next - 1);
      const sent =
        previousTerm === undefined
          ? peer.send({ m: "restore", term: journal.term, leader: this.self, image: this.#settings.events.image() })
          : peer.send({
              m: "append",
              term: journal.term,
              leader: this.self,
              previous: peer.next - 1,
              previousTerm,
              entries: journal.from(peer.next, batch),
              commit: this.committed,
            });
      peer.waiting = sent;
      peer.sentAt = performance.now();
    }
  }

  #onAnswer(peer: Peer, message: Message): void {
    if (message.m === "welcome") {
      this.#onWelcome(message);
    } else if (message.m === "refused") {
      this.#settings.events.refused(message.text);
    } else if (message.m === "voted") {
      this.#election.onVoted(peer, message);
    } else if (message.m === "appended") {
      this.#onAppended(peer, message);
    }
  }

  /** A leader that does not know us has dropped us, or has not taken us in yet. */
  #onWelcome(message: Extract<Message, { m: "welcome" }>): void {
    if (message.known || !message.isLeader || this.isLeader() || this.#joining) {
      return;
    }
    this.#detachedBy = true;
    this.#detach();
  }

  get detached(): boolean {
    return this.#detachedBy;
  }

  #detach(): void {
    this.leader = undefined;
    this.#detachedBy = true;
    this.#change("DETACHED");
  }

  #onAppended(peer: Peer, message: Extract<Message, { m: "appended" }>): void {
    peer.waiting = false;
    if (!this.isLeader()) {
      return;
    }
    if (message.term > this.journal.term) {
      this.#stepDown(message.term);
      return;
    }
    peer.answeredAt = performance.now();
    if (message.ok) {
      peer.match = message.last;
      peer.next = message.last + 1;
      this.#advance();
      this.#tryHandOver();
      if (peer.match < this.journal.lastIndex) {
        this.#replicate();
      }
    } else {
      peer.next = Math.max(1, Math.min(peer.next - 1, message.last + 1));
      this.#replicate();
    }
  }

  #advance(): void {
    const matches = this.#membership.voters.map(({ name }) =>
      name === this.self.name ? this.journal.lastIndex : (this.#peers.get(name)?.match ?? 0),
    );
    const index = reachedByMajority(matches) ?? 0;
    if (index > this.committed && this.journal.termAt(index) === this.journal.term) {
      this.committed = index;
      this.#apply();
      // Followers should see what a client was told is done.
      this.#replicate();
    }
  }

  #apply(): void {
    while (this.applied < this.committed) {
      const entry = this.journal.at(this.applied + 1);
      if (entry === undefined) {
        return;
      }
      this.#settings.events.apply(entry);
      this.applied = entry.index;
      this.#waiters.applied(entry.index);
    }
  }

  #tryHandOver(): void {
    const handOver = this.#handOver;
    if (handOver === undefined) {
      return;
    }
    const peer = this.#peers.get(handOver.target);
    if (handOver.isLate) {
      this.#endHandOver("Transfer failed: timed out");
    } else if (!handOver.asked && peer?.match === this.journal.lastIndex) {
      handOver.asked = peer.send({ m: "takeOver" });
    }
  }

  #endHandOver(error?: string): void {
    const handOver = this.#handOver;
    // First, as writes that were held back for it begin when it ends.
    this.#handOver = undefined;
    handOver?.end(error);
  }

  #onCall(socket: net.Socket, message: Message): void {
    const from = this.#callers.memberOf(socket);
    if (message.m === "hello") {
      this.#onHello(socket, message);
      return;
    }
    if (message.m === "join") {
      return void this.#onJoin(socket, message.member);
    }
    if (message.m === "transferMaster") {
      return void this.#onTransfer(socket, message);
    }
    if (from === undefined || this.state === "DETACHED") {
      return;
    }
    const mayVote = this.#membership.voters.some(({ name }) => name === from.name);
    if (message.m === "vote") {
      if (mayVote) {
        send(socket, this.#election.vote(from, message));
      }
    } else if (message.m === "append" || message.m === "restore") {
      this.#onAppend(socket, message);
    } else if (message.m === "removed") {
      this.#detach();
    } else if (message.m === "takeOver") {
      this.#election.takeOver();
    }
  }

  #onHello(socket: net.Socket, message: Extract<Message, { m: "hello" }>): void {
    const { events, options } = this.#settings;
    const { members } = this;
    const { member } = message;
    const { maxClockDeltaMs } = options;
    const objection = objectionTo(message, { members, clock: this.#clock(), maxClockDeltaMs });
    if (objection !== undefined) {
      if (objection.reason === "clock") {
        events.refused(objection.text);
      }
      if (objection.reason === "conflict" && member !== undefined) {
        events.conflict(member, socket.remoteAddress ?? "");
      }
      send(socket, objection);
      return;
    }
    const known = members.some(({ name }) => name === member?.name);
    this.#callers.greeted(socket, member);
    const leader = this.leader === undefined ? {} : { leader: this.leader };
    send(socket, { m: "welcome", ...leader, isLeader: this.isLeader(), known });
  }

  async #onJoin(socket: net.Socket, member: Member): Promise<void> {
    const leader = this.leader === undefined ? {} : { leader: this.leader };
    const greeted = this.#callers.memberOf(socket) !== undefined;
    if (!this.isLeader() || !greeted) {
      return send(socket, { m: "joined", ok: false, ...leader });
    }
    try {
      const others = this.members.filter(({ name }) => name !== member.name);
      if (others.length === this.members.length) {
        await this.propose({ type: "members", members: [...others, member] });
      }
      send(socket, { m: "joined", ok: true });
    } catch {
      send(socket, { m: "joined", ok: false });
    }
  }

  async #onTransfer(socket: net.Socket, message: Extract<Message, { m: "transferMaster" }>): Promise<void> {
    const outcome = await this.handOver(message.name, message.timeoutMs).then(
      () => ({ name: message.name }),
      (error: Error) => ({ error: error.message }),
    );
    send(socket, { m: "transferred", ...outcome });
  }

  #onAppend(socket: net.Socket, message: Extract<Message, { m: "append" | "restore" }>): void {
    const { journal, events } = this.#settings;
    const refuse = () => send(socket, { m: "appended", term: journal.term, ok: false, last: journal.lastIndex });
    if (message.term < journal.term) {
      refuse();
      return;
    }
    if (this.isLeader()) {
      if (message.term > journal.term) {
        this.#stepDown(message.term);
      }
      return;
    }
    if (message.term > journal.term) {
      journal.setTerm(message.term, undefined);
    }
    this.leader = message.leader;
    this.#leaderSocket = socket;
    this.#leaderSeenAt = performance.now();
    if (message.m === "restore") {
      events.restore(message.image);
      journal.truncateAfter(journal.baseIndex);
      journal.compact(message.image.index, message.image.term);
      this.#membership.rebase(message.image.members);
      this.committed = message.image.index;
      this.applied = message.image.index;
      this.#setMembers(message.image.members);
    } else {
      if (journal.termAt(message.previous) !== message.previousTerm) {
        send(socket, {
          m: "appended",
          term: journal.term,
          ok: false,
          last: Math.min(journal.lastIndex, message.previous - 1),
        });
        return;
      }
      this.#leaderCommitted = message.commit;
      this.#take(message.entries);
      this.committed = Math.max(this.committed, Math.min(message.commit, message.previous + message.entries.length));
      this.#apply();
    }
    this.#change(this.self.role);
    send(socket, {
      m: "appended",
      term: journal.term,
      ok: true,
      last: message.m === "append" ? message.previous + message.entries.length : journal.lastIndex,
    });
  }

  #take(entries: readonly Entry[]): void {
    const { journal } = this.#settings;
    const fresh = entries.filter(({ index, term }) => journal.termAt(index) !== term);
    const [first] = fresh;
    if (first === undefined) {
      return;
    }
    if (first.index <= journal.lastIndex) {
      journal.truncateAfter(first.index - 1);
    }
    journal.append(fresh);
    const last = fresh.findLast(({ operation }) => operation.type === "members")?.operation;
    if (last?.type === "members") {
      this.#setMembers(last.members);
    } else {
      this.#membership.read();
    }
  }
}
