import { majorityOf } from "../plan/quorum.js";
import type { Contact } from "./inputs.js";

/** What makes a contact the same one: where its FE is asked. */
const keyOf = ({ address, ports, connection }: Contact): string => {
  const { host, port } = connection as { readonly host?: unknown; readonly port?: unknown };
  return JSON.stringify([address, ports.query, host, port]);
};

/**
 * Whether recorded contacts are too old to be kept: a majority of them is declared no longer, or the group, since it grew, works
 * without any of them. Delete and refresh have nothing else to ask, and hold the lease on a majority of them. One FE more or less
 * touches no other node.
 */
export const haveMoved = (recorded: readonly Contact[], declared: readonly Contact[]): boolean => {
  const known = new Set(recorded.map(keyOf));
  const now = new Set(declared.map(keyOf));
  const kept = recorded.filter((contact) => now.has(keyOf(contact))).length;
  const voters = declared.filter(({ role }) => role !== "observer");
  const unknown = voters.filter((contact) => !known.has(keyOf(contact))).length;
  return declared.length > 0 && (kept < majorityOf(recorded.length) || unknown >= majorityOf(voters.length));
};
