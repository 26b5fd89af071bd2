import { messageOf, UserError } from "../error.js";
import type { Frontends, SqlAccess } from "../rollout/frontends.js";
import type { Run } from "../rollout/run.js";
import { AccessDenied } from "../starrocks/sql.js";

interface Login {
  readonly sql: SqlAccess;
  /** The FEs, asked with it. */
  readonly frontends: Frontends;
  readonly run: Run;
}

/**
 * Proves a changed login before it is recorded, as what is deleted or looked at later is asked with what is recorded. A
 * cluster that does not answer proves nothing, and hinders nothing. `node`, for people: `BE be-1`.
 */
export const assertLogin = async (node: string, { frontends, run, sql }: Login): Promise<void> => {
  const answer = await run.logins.get(JSON.stringify(sql), () => tryLogin(frontends));
  if (answer instanceof AccessDenied) {
    throw new UserError(
      run.first("login") ? `${node}: ${messageOf(answer)} ${advice}` : `${node}: the declared login is refused.`,
    );
  }
};

const advice =
  "The earlier `sql` stays recorded. The password of an existing cluster is not changed from here: SET PASSWORD in the cluster first, then declare it.";

/** Undefined where no FE answers. */
const tryLogin = async (frontends: Frontends): Promise<"accepted" | AccessDenied | undefined> => {
  try {
    return (await frontends.rows()) && "accepted";
  } catch (error) {
    if (error instanceof AccessDenied) {
      return error;
    }
    throw error;
  }
};
