import { setTimeout as sleep } from "node:timers/promises";
import { type Lab, rootPassword } from "../../lab/lab.js";
import { Session } from "../../simulator/client/session.js";
import type { Contender } from "./contender.js";

/** This package: the declared release changes, `pulumi up` does the rest. */
export const ours = (lab: Lab): Contender => ({
  name: "pulumi-starrocks",
  note: "soak and observe of 1 s each, taken out of the ratio",
  prepare: async (release) => lab.declare(lab.args(release)),
  upgrade: async () => {
    const { exitCode, stdout } = await lab.stack.start("up", ["--skip-preview"]).ended;
    return { exitCode: exitCode ?? 1, output: stdout };
  },
});

/** When the cluster first said of a node, by its address, that it is Alive with a version; milliseconds of the clock. */
export type Shown = ReadonlyMap<string, number>;

const lookEvery = 50;

/** Watches SHOW FRONTENDS and SHOW BACKENDS for a version until the function that it gives is called. */
export const watchVersion = (lab: Lab, version: string): (() => Promise<Shown>) => {
  const seen = new Map<string, number>();
  const frontends = lab.fleet.hosts
    .filter(({ name }) => name.startsWith("fe"))
    .map(({ address }) => ({ host: address }));
  const session = new Session({ frontends, password: rootPassword });
  const stop = new AbortController();
  const watch = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      for (const statement of ["SHOW FRONTENDS", "SHOW BACKENDS"]) {
        // The FE that is asked is stopped, too: the next look asks another one.
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
