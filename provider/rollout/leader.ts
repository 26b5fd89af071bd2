import { TransientError } from "../error.js";
import { isRowOf } from "../starrocks/rows.js";
import type { Sql } from "../starrocks/sql.js";
import type { Frontend } from "../starrocks/statements.js";
import type { Contact, Frontends } from "./frontends.js";

type Group = Pick<Frontends, "contacts" | "rows" | "through" | "forget">;

/** The declared FE that leads now, whatever role it was declared with. */
export interface Leader {
  readonly contact: Contact;
  readonly row: Frontend;
}

/** Undefined while nobody answers, none leads, or an FE leads that is not declared. */
export const leaderOf = async (frontends: Group, without?: string): Promise<Leader | undefined> => {
  const row = (await frontends.rows(without))?.frontends.find(({ role }) => role === "leader");
  const contact = row && frontends.contacts.find((one) => isRowOf(one, row));
  return row && contact ? { row, contact } : undefined;
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
