import { progressOf } from "../../engine/log.js";
import { messageOf, UserError } from "../../error.js";
import { gateItem, preflightItem } from "../../plan/preflight.js";
import { done, Execution, notMet, type Outcome } from "../../rollout/execute.js";
import type { ClusterRows } from "../../rollout/frontends.js";
import { guard } from "../../rollout/guard.js";
import { healthOf } from "../../rollout/health.js";
import type { Run } from "../../rollout/run.js";
import { decommissioning } from "../../rollout/tablets.js";
import { PreflightFailed } from "../../rollout/turnstile.js";
import { holdsMetadata } from "../../starrocks/folders.js";
import { backendName } from "../../starrocks/rows.js";
import { until } from "../../wait.js";
import { isBe, isFe, labelOf, type NodeContext } from "../node/context.js";
import type { Gate } from "../node/converge.js";
import { look, runsAsDeclared } from "../node/works.js";
import { ClusterCare } from "./care.js";
import { inspectHosts } from "./inspect.js";
import { Metadata } from "./metadata.js";
import { repairDown } from "./repair.js";
import { tabletsAllowAll } from "./tablets.js";
import { anyNode, type Topology } from "./topology.js";
import { assertWay } from "./way.js";

const topologies = new WeakMap<Run, Topology>();

/** Notes the whole declared cluster: `Preflight` is checked before any node of an operation. */
export const declare = (run: Run, topology: Topology): void => {
  topologies.set(run, topology);
  run.care ??= new ClusterCare(run, topology);
};

/** What a node calls before the first stop; does its work once in a process, and tells once in full what it found. */
export const gateOf =
  (run: Run): Gate =>
  async (node, report) => {
    const topology = topologies.get(run);
    if (!topology) {
      run.answers = true;
      return;
    }
    report("the pre-flight of the cluster");
    try {
      await run.once("gate", () => passGate(run, topology));
    } catch (error) {
      if (!(error instanceof UserError)) {
        throw error;
      }
      throw new PreflightFailed(node, run.first("gate") ? messageOf(error) : undefined);
    }
  };

/** The work of the `Preflight` resource itself. */
export const inspect = async (run: Run, topology: Topology): Promise<void> => {
  const item = preflightItem(true, topology.position);
  const work = async (): Promise<Outcome> => {
    const outcome = await inspectOnce(run, topology, execution.report);
    const [node] = topology.nodes;
    if (node) {
      await guard({ ...node, node: "The cluster", report: execution.report });
    }
    return outcome;
  };
  const execution: Execution = new Execution(item, { inspect: work }, run.journal, progressOf(topology.urn));
  await execution.run();
};

const inspectOnce = async (run: Run, topology: Topology, report: (seen: string) => void): Promise<Outcome> => {
  await run.once("inspect", () => inspectHosts(topology, report));
  return done;
};

const passGate = async (run: Run, topology: Topology): Promise<void> => {
  const gate = new Passage(run, topology);
  const metadata = new Metadata(run, topology);
  const homes = await Promise.all(topology.nodes.map(async (node) => ({ node, home: await look(node) })));
  const stops = {
    versions: homes.some(({ node, home: { current } }) => current !== undefined && current !== node.spec.release.id),
    backends: homes.some(({ node, home }) => isBe(node) && !runsAsDeclared(node, home)),
  };
  const repair = (): Promise<Outcome> => repairDown(run, topology, execution);
  const execution: Execution = new Execution(
    gateItem(stops),
    {
      inspect: async () =>
        run.began("inspect") ? notMet("done already") : inspectOnce(run, topology, execution.report),
      repair,
      gate: () => gate.assertHealthy(execution.report),
      tablets: () => tabletsAllowAll(run, topology, execution.report),
      image: () => metadata.writeImage(execution.report, repair),
      backup: () => metadata.backUp(execution.report),
    },
    run.journal,
    progressOf(topology.urn),
  );
  await execution.run();
};

class Passage {
  readonly #run: Run;
  readonly #topology: Topology;

  constructor(run: Run, topology: Topology) {
    this.#run = run;
    this.#topology = topology;
  }

  /** Everything Alive, as far as there is a cluster that can be asked; then each further stop is asked for too. */
  async assertHealthy(report: (seen: string) => void): Promise<Outcome> {
    const { frontends, limits } = anyNode(this.#topology);
    const known = await this.#clusterExists();
    if (!known) {
      return notMet("there is no cluster yet");
    }
    const rows = await until<ClusterRows>(
      async () => {
        const seen = await frontends.rows();
        if (!seen) {
          return { done: false, seen: "no FE answers" };
        }
        const down = downNames(seen);
        return down.length === 0 ? { done: true, value: seen } : { done: false, seen: `${down.join(", ")} not Alive` };
      },
      {
        what: "every FE and BE of the cluster to be Alive before the first one is stopped",
        limit: Math.max(limits.alive, limits.leader),
        onProgress: report,
        advice: "Nothing was stopped. Bring the nodes named here back, or drop them from the cluster.",
      },
    );
    this.#run.answers = true;
    this.#run.journal.health("before", healthOf(rows));
    assertSettled(rows);
    await assertClocks(this.#topology);
    await assertWay(this.#run, this.#topology, rows);
    return done;
  }

  /** Whether an FE of this cluster has ever run: then not answering is a fault, not the beginning. */
  async #clusterExists(): Promise<boolean> {
    const homes = await Promise.all(this.#topology.nodes.filter(isFe).map(look));
    return homes.some(({ data }) => data.some(holdsMetadata));
  }
}

/** A BE that gives its tablets away needs all the others. */
const assertSettled = ({ backends }: ClusterRows): void => {
  const leaving = decommissioning(backends);
  if (leaving.length > 0) {
    throw new UserError(
      `${leaving.join(", ")} is being decommissioned: its tablets move to the other BEs, which must not be stopped meanwhile. ` +
        "Wait until it has left SHOW BACKENDS, or end it with CANCEL DECOMMISSION BACKEND.",
    );
  }
};

/** FEs refuse each other when their clocks are more than 5 s apart (`max_bdbje_clock_delta_ms`). */
const clockDelta = 5;

const assertClocks = async ({ nodes }: Topology): Promise<void> => {
  const readings = await Promise.all(nodes.filter(isFe).map(readClock));
  const [first, ...others] = readings;
  const wrong = first && others.find(({ offset }) => Math.abs(offset - first.offset) > clockDelta);
  if (first && wrong) {
    const seconds = Math.abs(wrong.offset - first.offset).toFixed(0);
    throw new UserError(
      `The clocks of ${first.label} and ${wrong.label} are ${seconds} s apart, and FEs refuse each other at more than ${clockDelta} s. ` +
        "Set the clocks (NTP) first: a restarted FE would not come back into its group.",
    );
  }
};

/** Seconds by which a host's clock is ahead of ours, known to half of the time that the question took. */
const readClock = async ({ host, spec }: NodeContext): Promise<{ label: string; offset: number }> => {
  const asked = Date.now();
  const { stdout } = await host.run(["date", "+%s.%N"]);
  const answered = Date.now();
  return { label: labelOf(spec), offset: Number(stdout) - (asked + answered) / 2000 };
};

const downNames = ({ frontends, backends }: ClusterRows): readonly string[] => [
  ...frontends.filter(({ alive }) => !alive).map(({ address }) => `FE ${address}`),
  ...backends.filter(({ alive }) => !alive).map(backendName),
];
