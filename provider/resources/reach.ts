import type { Connection } from "../host/connection.js";
import type { Limits } from "../plan/limits.js";

/** A connection whose commands end at the operation's limit, where it has none of its own. */
export const within = <C extends Partial<Connection>>(limits: Pick<Limits, "command">, connection: C) => ({
  commandLimit: limits.command / 1000,
  ...connection,
});
