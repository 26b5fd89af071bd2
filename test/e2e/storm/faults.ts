import { setTimeout as sleep } from "node:timers/promises";
import { nodeCommand } from "../../lab/node-processes.js";
import type { Login } from "../../simulator/client/session.js";
import { ask, askAny } from "./ask.js";
import type { Excuse } from "./downs.js";
import type { Up } from "./driver.js";
import type { Fault, NodeName } from "./plan.js";
import type { Site } from "./site.js";

export interface Scene {
  readonly site: Site;
  readonly login: Login;
  /** The operation that is under way, where one is. */
  readonly up: Up | undefined;
  /** To be told before a node is taken down: from then on it is no fault of the operation. */
  readonly excuse: (node: NodeName) => Excuse | undefined;
}

/** What a fault has done. */
export interface Struck {
  /** Whether it ended the operator. */
  readonly killed?: boolean;
  /** Makes good what does not heal by itself. */
  readonly heal: () => Promise<void>;
}

const nothing = async (): Promise<void> => undefined;

/** Writes what the simulated node reads, and gives what takes it back. */
const simulate = async (
  { site }: Scene,
  node: NodeName,
  fault: Readonly<Record<string, unknown>>,
): Promise<() => Promise<void>> => {
  const host = site.lab.fleet.host(node);
  const file = `${site.faultsOf(node)}/storm.json`;
  await host.writeFile(file, JSON.stringify(fault), { mode: 0o644 });
  return async () => {
    await host.exec(`rm -f '${host.path(file)}'`);
  };
};

export const leaderOf = async ({ login, site }: Pick<Scene, "login" | "site">): Promise<NodeName | undefined> => {
  const rows = (await askAny(login, "SHOW FRONTENDS")) ?? [];
  const leader = rows.find((row) => row.Role === "LEADER" || row.IsMaster === "true");
  const host = site.lab.fleet.hosts.find(({ address }) => address === (leader?.IP ?? leader?.Host));
  return host?.name as NodeName | undefined;
};

/** A disk that is full, as programs tell of it: hosts of a loopback fleet share this machine's disk. */
const full = (program: string): string =>
  `#!/bin/bash\necho "${program}: write error: No space left on device" >&2\nexit 1\n`;

const strikers: Readonly<Record<Fault["kind"], (fault: Fault, scene: Scene) => Promise<Struck>>> = {
  "ssh cut": async ({ node }, { site }) => {
    const host = site.lab.fleet.host(node);
    await host.cutNetwork();
    return { heal: () => host.restoreNetwork() };
  },
  "host reboot": async ({ node }, { excuse, site }) => {
    const excused = excuse(node);
    await site.lab.fleet.host(node).reboot();
    excused?.struck();
    return { heal: nothing };
  },
  "process killed": async ({ node }, { excuse, site }) => {
    const excused = excuse(node);
    const killed = await site.lab.fleet.host(node).kill(nodeCommand);
    if (killed === 0) {
      excused?.takeBack();
    } else {
      excused?.struck();
    }
    return { heal: nothing };
  },
  "disk full": async ({ node }, { site }) => {
    const host = site.lab.fleet.host(node);
    const added = await Promise.all(["tar", "cp"].map((program) => host.addProgram(program, full(program))));
    return {
      heal: async () => {
        await Promise.all(added.map((remove) => remove()));
      },
    };
  },
  "slow start": async ({ node }, scene) => ({ heal: await simulate(scene, node, { fault: "slowStart", ms: 3000 }) }),
  "hang at start": async ({ node }, scene) => ({ heal: await simulate(scene, node, { fault: "hangAtStart" }) }),
  "crash loop": async ({ node }, scene) => {
    const excused = scene.excuse(node);
    const remove = await simulate(scene, node, { fault: "crashLoop", afterMs: 1500 });
    return {
      heal: async () => {
        await remove();
        excused?.healed();
      },
    };
  },
  "stale Alive": async ({ node }, scene) =>
    node.startsWith("be")
      ? { heal: await simulate(scene, node, { fault: "staleHeartbeat" }) }
      : { heal: await simulate(scene, (await leaderOf(scene)) ?? node, { fault: "staleAlive" }) },
  "leader change": async (fault, scene) => {
    const leader = await leaderOf(scene);
    return leader ? strikers["process killed"]({ ...fault, node: leader }, scene) : { heal: nothing };
  },
  "client kill": async (_, { up }) => {
    await up?.kill();
    return { killed: true, heal: nothing };
  },
  "concurrent decommission": async ({ node }, { login, site }) => {
    const backend = `"${site.lab.fleet.host(node).address}:9050"`;
    await ask(login, `ALTER SYSTEM DECOMMISSION BACKEND ${backend}`).catch(() => undefined);
    return {
      heal: async () => {
        // It may be over, or never have begun.
        await ask(login, `CANCEL DECOMMISSION BACKEND ${backend}`).catch(() => undefined);
      },
    };
  },
};

/** Strikes, and heals after the fault's time. */
export const strike = async (fault: Fault, scene: Scene): Promise<Struck> => {
  const struck = await strikers[fault.kind](fault, scene);
  if (fault.lasts !== undefined) {
    const over = new AbortController();
    const healed = sleep(fault.lasts, undefined, { signal: over.signal, ref: false }).then(
      struck.heal,
      () => undefined,
    );
    return {
      ...struck,
      heal: async () => {
        over.abort();
        await healed;
        await struck.heal();
      },
    };
  }
  return struck;
};
