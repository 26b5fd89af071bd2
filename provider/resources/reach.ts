import { type Connection, secretsOf } from "../host/connection.js";
import type { Limits } from "../plan/limits.js";

/** A connection whose commands end at the operation's limit, where it has none of its own. */
export const within = <C extends Partial<Connection>>(limits: Pick<Limits, "command">, connection: C) => ({
  commandLimit: limits.command / 1000,
  ...connection,
});

export interface Access {
  readonly connection: Connection;
  readonly sql: { readonly password?: string | undefined };
}

/** What nobody may see of how a node is reached, so that its log can be cleaned of it. */
export const accessSecrets = ({ connection, sql }: Access): readonly string[] => [
  ...secretsOf(connection),
  ...(sql.password === undefined ? [] : [sql.password]),
];
