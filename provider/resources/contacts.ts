import type { Contact } from "./inputs.js";

/** What makes a contact the same one: where its FE is asked. */
const keyOf = ({ address, ports, connection }: Contact): string => {
  const { host, port } = connection as { readonly host?: unknown; readonly port?: unknown };
  return JSON.stringify([address, ports.query, host, port]);
};

/**
 * Whether recorded contacts are too old to be kept: a majority of them is declared no longer. Delete and refresh have nothing
 * else to ask, and hold the lease on a majority of them. One FE more or less touches no other node.
 */
export const haveMoved = (recorded: readonly Contact[], declared: readonly Contact[]): boolean => {
  const now = new Set(declared.map(keyOf));
  const kept = recorded.filter((contact) => now.has(keyOf(contact))).length;
  return declared.length > 0 && kept < Math.floor(recorded.length / 2) + 1;
};
