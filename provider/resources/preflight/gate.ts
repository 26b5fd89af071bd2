import { progressOf } from "../../engine/log.js";
import { messageOf, UserError } from "../../error.js";
import { gateItem, preflightItem } from "../../plan/preflight.js";
import { done, Execution, notMet, type Outcome } from "../../rollout/execute.js";
import { guard } from "../../rollout/guard.js";
import type { Run } from "../../rollout/run.js";
import { PreflightFailed, RefusedTurn } from "../../rollout/turnstile.js";
import { isBe, labelOf, type NodeContext } from "../node/context.js";
import type { Gate } from "../node/converge.js";
import { NodeFailure } from "../node/left.js";
import { assertStaged } from "../node/staged.js";
import { look, runsAsDeclared } from "../node/works.js";
import { changeAgain, idleElsewhere } from "./again.js";
import { ClusterCare } from "./care.js";
import { assertHealthy } from "./health.js";
import { inspectHosts } from "./inspect.js";
import { assertInOrder, leftOut } from "./left-out.js";
import { Metadata } from "./metadata.js";
import { repairDown } from "./repair.js";
import { tabletsAllowAll } from "./tablets.js";
import type { Topology } from "./topology.js";

const topologies = new WeakMap<Run, Topology>();

/** Notes the whole declared cluster: `Preflight` is checked before any node of an operation. */
export const declare = (run: Run, topology: Topology): void => {
  topologies.set(run, topology);
  run.care ??= new ClusterCare(run, topology);
};

/** The whole declared cluster; undefined where this operation does not include its `Preflight`. */
export const topologyIn = (run: Run): Topology | undefined => topologies.get(run);

/** What a node calls before the first stop; does its work once in a process, and tells once in full what it found. */
export const gateOf =
  (context: NodeContext): Gate =>
  async (node, report) => {
    const { preflight, run } = context;
    const topology = topologies.get(run);
    if (!topology) {
      if (preflight !== undefined) {
        throw new RefusedTurn(node, leftOut(preflight));
      }
      await assertStaged(context);
      run.answers = true;
      return;
    }
    report("the pre-flight of the cluster");
    await assertInOrder(run, topology, context);
    try {
      await run.once("gate", () => passGate(run, topology));
    } catch (error) {
      if (!(error instanceof UserError)) {
        throw error;
      }
      throw new PreflightFailed(node, run.first("gate") ? messageOf(error) : undefined);
    }
    try {
      await run.changingAgain.run(() => changeAgain(run, topology));
    } catch (error) {
      throw error instanceof NodeFailure ? new RefusedTurn(node, error.message) : error;
    }
  };

/**
 * Changes nodes with nothing to do here that run another release than declared, behind the gate: a change of theirs was cut
 * short, and what it was to bring is declared no longer. Gives them.
 */
export const changeIdle = async (run: Run, topology: Topology): Promise<readonly string[]> => {
  const idle = await idleElsewhere(run, topology);
  if (idle.length > 0) {
    try {
      await run.once("gate", () => passGate(run, topology));
      await run.changingAgain.run(() => changeAgain(run, topology));
    } finally {
      await run.care?.end();
    }
  }
  return idle.map(({ spec }) => labelOf(spec));
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
      gate: () => assertHealthy(run, topology, execution.report),
      tablets: () => tabletsAllowAll(run, topology, execution.report),
      image: () => metadata.writeImage(execution.report, repair),
      backup: () => metadata.backUp(execution.report),
    },
    run.journal,
    progressOf(topology.urn),
  );
  await execution.run();
};
