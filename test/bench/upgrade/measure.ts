import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { watchAvailability } from "../../lab/availability.js";
import { type Lab, rootPassword } from "../../lab/lab.js";
import { NodeProcesses } from "../../lab/node-processes.js";
import { Session } from "../../simulator/client/session.js";
import { startWorkload } from "../../simulator/client/workload.js";
import type { BuiltRelease } from "../../simulator/release.js";
import type { Contender } from "./contender.js";
import { archiveOn, commands, nodesOf } from "./nodes.js";

/** What was seen of one upgrade. */
export interface Measured {
  readonly seconds: number;
  readonly mostDown: number;
  /** Nodes without a process when it had ended. */
  readonly downAtEnd: number;
  readonly writesFailed: number;
  readonly exitCode: number;
  readonly handshakes: number;
  readonly output: string;
}

const login = (lab: Lab) => ({
  frontends: lab.fleet.hosts.filter(({ name }) => name.startsWith("fe")).map(({ address }) => ({ host: address })),
  password: rootPassword,
});

/** An upgrade under a client that reads and writes. */
export const measure = async (lab: Lab, contender: Contender, release: BuiltRelease): Promise<Measured> => {
  await contender.prepare?.(release);
  const workload = await startWorkload(login(lab));
  const availability = await watchAvailability(lab, login(lab));
  lab.fleet.resetHandshakes();
  const started = performance.now();
  const { exitCode, output } = await contender.upgrade(release);
  const seconds = (performance.now() - started) / 1000;
  const handshakes = lab.fleet.handshakes();
  const { mostWithoutProcess } = await availability();
  const writesFailed = workload.failures.filter(({ kind }) => kind === "write").length;
  // Its own end verifies every write, which a cluster without BEs cannot answer.
  workload.abort();
  const running = new NodeProcesses(lab.fleet).look().length;
  const downAtEnd = lab.fleet.hosts.length - running;
  return { seconds, mostDown: mostWithoutProcess, downAtEnd, writesFailed, exitCode, handshakes, output };
};

const mendLimit = 300_000;
const settleLimit = 300_000;
const pause = 500;

/**
 * Waits until a new cluster has made the tables that it keeps for itself, and their three replicas: that takes it minutes, once,
 * and is no part of an upgrade.
 */
export const settle = async (lab: Lab): Promise<void> => {
  const end = performance.now() + settleLimit;
  const session = new Session(login(lab));
  try {
    for (;;) {
      const rows = await session.query("SHOW PROC '/statistic'");
      const { ReplicaNum, TabletNum, UnhealthyTabletNum } = rows.find(({ DbName }) => DbName === "_statistics_") ?? {};
      if (Number(TabletNum) > 0 && Number(ReplicaNum) === 3 * Number(TabletNum) && Number(UnhealthyTabletNum) === 0) {
        return;
      }
      if (performance.now() > end) {
        throw new Error(`Expected the cluster's own tables to be whole within ${settleLimit / 1000} s`);
      }
      await sleep(pause);
    }
  } finally {
    session.close();
  }
};

/** Brings all BEs to a good release, beside whoever was measured, and waits until all nodes are Alive. */
export const mend = async (lab: Lab, release: BuiltRelease): Promise<void> => {
  const archive = await readFile(release.archive);
  const backends = nodesOf(lab).filter(({ kind }) => kind === "be");
  for (const node of backends) {
    await node.host.writeFile(archiveOn(node, release), archive);
    const steps = [
      commands.unpack(node, release),
      `{ ${commands.stop(node)} || true; }`,
      commands.swap(node, release),
      commands.start(node, lab.jdk),
    ];
    const { code, stderr } = await node.host.exec(steps.join(" && "), { user: lab.fleet.user });
    if (code !== 0) {
      throw new Error(`${node.host.name} cannot be mended: ${stderr}`);
    }
  }
  const end = performance.now() + mendLimit;
  while (!(await allAlive(lab))) {
    if (performance.now() > end) {
      throw new Error(`Expected all nodes Alive within ${mendLimit / 1000} s after a bad build`);
    }
    await sleep(pause);
  }
};

const allAlive = async (lab: Lab): Promise<boolean> => {
  const session = new Session(login(lab));
  try {
    const rows = [...(await session.query("SHOW FRONTENDS")), ...(await session.query("SHOW BACKENDS"))];
    const running = new NodeProcesses(lab.fleet).look().length;
    return running === lab.fleet.hosts.length && rows.every(({ Alive }) => String(Alive) === "true");
  } catch {
    return false;
  } finally {
    session.close();
  }
};
