import { type Login, Session } from "../../simulator/client/session.js";

/** What an FE answers. */
export const ask = async (login: Login, statement: string): Promise<readonly Record<string, unknown>[]> => {
  const session = new Session(login);
  try {
    return await session.query(statement);
  } finally {
    session.close();
  }
};

/** The same from whichever FE answers; undefined when none does. */
export const askAny = async (
  login: Login,
  statement: string,
): Promise<readonly Record<string, unknown>[] | undefined> => {
  const session = new Session(login);
  try {
    for (const _ of login.frontends) {
      const rows = await session.query(statement).catch(() => undefined);
      if (rows) {
        return rows;
      }
    }
    return undefined;
  } finally {
    session.close();
  }
};
