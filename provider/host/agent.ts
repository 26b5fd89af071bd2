import { existsSync } from "node:fs";
import type { LinkSettings } from "./connection.js";

/**
 * The socket of the ssh-agent to ask. A recorded one lives no longer than the login session in which it was recorded: then
 * that of the environment is meant. Where no socket was given the environment's is asked only when nothing else was
 * given either: a surprise key may lock a user out.
 */
export const agentSocketOf = ({ agentSocketPath, privateKey, password }: LinkSettings): string | undefined => {
  const own = process.env.SSH_AUTH_SOCK;
  if (agentSocketPath !== undefined) {
    return own !== undefined && !existsSync(agentSocketPath) ? own : agentSocketPath;
  }
  return privateKey === undefined && password === undefined ? own : undefined;
};

/** A connection, its proxies too, as it is in every login session: where the agent's socket lies is of one session only. */
export const inEverySession = (connection: unknown): unknown => {
  if (typeof connection !== "object" || connection === null) {
    return connection;
  }
  const { agentSocketPath, proxy, ...rest } = connection as Partial<LinkSettings>;
  const asksAgent = agentSocketPath !== undefined || (rest.privateKey === undefined && rest.password === undefined);
  return { ...rest, asksAgent, ...(proxy !== undefined && { proxy: inEverySession(proxy) }) };
};
