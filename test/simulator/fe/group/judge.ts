import type { Member } from "../catalog/operations.js";
import type { Journal } from "../meta/journal.js";
import { groupName, type Message } from "./messages.js";

type Hello = Extract<Message, { m: "hello" }>;
type Refused = Extract<Message, { m: "refused" }>;
type Vote = Extract<Message, { m: "vote" }>;

/** Why a caller is not welcome: another group, a wrong clock, or the name of a member at another address (a copy of it). */
export const objectionTo = (
  hello: Hello,
  own: { readonly members: readonly Member[]; readonly clock: number; readonly maxClockDeltaMs: number },
): Refused | undefined => {
  const { member, group, clock } = hello;
  if (group !== groupName) {
    return { m: "refused", reason: "group", text: "unknown group" };
  }
  if (member === undefined) {
    return undefined;
  }
  const delta = Math.abs(clock - own.clock);
  if (delta > own.maxClockDeltaMs) {
    const text = `Clock delta: ${delta} ms. between Feeder: ${member.name} and this Replica exceeds max permissible delta: ${own.maxClockDeltaMs} ms.`;
    return { m: "refused", reason: "clock", text };
  }
  const known = own.members.find(({ name }) => name === member.name);
  if (known !== undefined && (known.host !== member.host || known.port !== member.port)) {
    const text = `The node ${member.name} at ${member.host}:${member.port}. It conflicts with the socket already used by the member: ${known.host}:${known.port}`;
    return { m: "refused", reason: "conflict", text };
  }
  return undefined;
};

/** A candidate must have everything that we have. */
export const isUpToDate = (vote: Vote, { lastTerm, lastIndex }: Pick<Journal, "lastTerm" | "lastIndex">): boolean =>
  vote.lastTerm > lastTerm || (vote.lastTerm === lastTerm && vote.lastIndex >= lastIndex);

/** What the majority of these has reached: the middle one, counted from the best. */
export const reachedByMajority = (values: readonly number[]): number | undefined =>
  [...values].sort((a, b) => b - a)[Math.floor(values.length / 2)];
