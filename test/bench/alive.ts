import { setTimeout as sleep } from "node:timers/promises";
import { type Lab, rootPassword } from "../lab/lab.js";
import { Session } from "../simulator/client/session.js";

/** When the cluster first said of each node, by its address, that it is Alive; milliseconds of the clock. */
export type AliveSince = ReadonlyMap<string, number>;

const lookEvery = 50;

/**
 * Watches SHOW FRONTENDS and SHOW BACKENDS of these FEs until the function that it gives is called. `version`: what a node
 * must run to count, as the start of its text; default any.
 */
export const watchAlive = (lab: Lab, frontends: readonly string[], version = ""): (() => Promise<AliveSince>) => {
  const seen = new Map<string, number>();
  const contacts = frontends.map((name) => ({ host: lab.fleet.host(name).address }));
  const session = new Session({ frontends: contacts, password: rootPassword });
  const stop = new AbortController();
  const watch = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      for (const statement of ["SHOW FRONTENDS", "SHOW BACKENDS"]) {
        // An FE that is not up yet, or is stopped, does not answer: the next look asks again, of the next FE.
        for (const { Alive, IP, Version } of await session.query(statement).catch(() => [])) {
          if (String(Alive) === "true" && String(Version).startsWith(version) && !seen.has(String(IP))) {
            seen.set(String(IP), Date.now());
          }
        }
      }
      await sleep(lookEvery);
    }
  };
  const watching = watch();
  return async () => {
    stop.abort();
    await watching;
    session.close();
    return seen;
  };
};
