import { TransientError } from "../error.js";
import { isRowOf } from "../starrocks/rows.js";
import type { Sql } from "../starrocks/sql.js";
import type { Frontend } from "../starrocks/statements.js";
import type { Contact, Frontends } from "./frontends.js";

type Group = Pick<Frontends, "contacts" | "rows" | "through" | "forget">;

/** The FE that leads now. One that is not declared (it is going to be taken out, or somebody added it) leads as any other. */
export interface Leader {
  readonly contact: Contact;
  readonly row: Frontend;
}

/** Undefined while nobody answers, or none leads. */
export const leaderOf = async (frontends: Group, without?: string): Promise<Leader | undefined> => {
  const rows = (await frontends.rows(without))?.frontends ?? [];
  const row = rows.find(({ role }) => role === "leader");
  const contact = row && (declared(frontends, row) ?? reachedBy(frontends, rows, row));
  return contact && { row, contact };
};

const declared = ({ contacts }: Pick<Group, "contacts">, row: Frontend): Contact | undefined =>
  contacts.find((contact) => isRowOf(contact, row));

/** An FE that is not declared, as one reaches it from the host of a declared one that is Alive. */
const reachedBy = (group: Pick<Group, "contacts">, rows: readonly Frontend[], row: Frontend): Contact | undefined => {
  const way = rows.flatMap((one) => (one.alive ? (declared(group, one) ?? []) : []))[0];
  return way && { ...way, name: row.name, address: row.address, ports: { ...way.ports, query: row.queryPort } };
};

/**
 * Asks the leader itself: SHOW PROC and ADMIN SHOW run on the FE that is asked, and a follower knows late. Undefined when
 * there is none, or it went away meanwhile.
 */
export const askLeader = async <T>(
  frontends: Group,
  question: (sql: Sql, leader: Leader) => Promise<T>,
  without?: string,
): Promise<T | undefined> => {
  const leader = await leaderOf(frontends, without);
  if (!leader || leader.contact.name === without) {
    return undefined;
  }
  try {
    return await question(await frontends.through(leader.contact), leader);
  } catch (error) {
    if (error instanceof TransientError) {
      frontends.forget(leader.contact);
      return undefined;
    }
    throw error;
  }
};
