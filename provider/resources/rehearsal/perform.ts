import { onEnd } from "../../engine/end.js";
import { progressOf, tell, warn } from "../../engine/log.js";
import { messageOf, UserError } from "../../error.js";
import { hostFor } from "../../host/pool.js";
import {
  needlessBecause,
  nowRehearsed,
  type Rehearsed,
  rehearsalItem,
  rehearsedAlready,
} from "../../plan/rehearsal.js";
import { verbs } from "../../plan/steps.js";
import { Execution, notMet, type Outcome } from "../../rollout/execute.js";
import { Frontends } from "../../rollout/frontends.js";
import { guard } from "../../rollout/guard.js";
import { type Run, runOf } from "../../rollout/run.js";
import { removeEarlier } from "../../starrocks/rehearsal/folder.js";
import { isFe } from "../node/context.js";
import { topologyIn } from "../preflight/gate.js";
import { repairDown } from "../preflight/repair.js";
import { within } from "../reach.js";
import { lookAtGroup, needing } from "./group.js";
import type { Inputs } from "./inputs.js";
import type { Spared } from "./production.js";
import { RehearsalWork } from "./work.js";

/** The item of these inputs, as preview shows and the run executes it. */
export const itemOf = (from: Rehearsed | undefined, { to, host, memory, position, when }: Inputs) =>
  rehearsalItem(when, { from, to }, { host, memory, position });

/**
 * Rehearses what is declared, where that is needed; gives what is to be recorded. A failure closes the whole operation:
 * nothing was touched yet.
 */
export const rehearse = async (inputs: Inputs, recorded: Rehearsed | undefined): Promise<Rehearsed> => {
  const run = runOf(inputs.cluster);
  const frontends = frontendsOf(inputs);
  const from = run.isNew ? await fromNew(frontends, inputs) : recorded;
  const item = itemOf(from, inputs);
  if (item.steps.length === 0) {
    await tellSpared(inputs, from, undefined);
    return nowRehearsed({ from, to: inputs.to }, undefined);
  }
  await run.assertGoing("the rehearsal");
  const report = (seen: string): void => execution.report(seen);
  let started = "No node of the cluster was touched.";
  const claim = (): Promise<void> => {
    const { __urn: urn, limits } = inputs;
    return guard({ run, frontends, limits, node: "The rehearsal", urn, report });
  };
  const startDown = async (): Promise<void> => {
    const outcome = await startFrontends(run, execution);
    if (outcome.mark === "done") {
      started = `Of FEs that were down it ${outcome.detail}; no other node of the cluster was touched.`;
    }
  };
  const rehearsal = new RehearsalWork(inputs, frontends, { from, startDown, claim, report });
  const execution: Execution = new Execution(item, rehearsal.works, run.journal, progressOf(inputs.__urn));
  const ended = onEnd(() => rehearsal.cut());
  try {
    await execution.run();
  } catch (error) {
    if (!(error instanceof UserError)) {
      await rehearsal.giveUp();
      throw error;
    }
    const failure = describe(inputs, execution, error, `${started} ${await rehearsal.giveUp()}`);
    await run.fail("the rehearsal", failure.message);
    throw failure;
  } finally {
    ended();
  }
  const { leader, result } = rehearsal;
  if (typeof result === "string") {
    await tell(inputs.__urn, `rehearsal of StarRocks ${inputs.to.version} on ${inputs.host} passed: ${result}.`);
  } else {
    await tellSpared(inputs, from, result);
  }
  return nowRehearsed({ from, to: inputs.to }, leader);
};

const frontendsOf = ({ cluster, connection, frontends, limits, sql }: Inputs): Frontends =>
  new Frontends({
    cluster,
    contacts: frontends,
    connection: within(limits, connection),
    sql,
    limits,
  });

/**
 * What counts as recorded where nothing is, as the whole cluster is created. Its hosts may know better: then what runs is
 * asked, and what lies there is not started on a version that was never tried on it.
 */
const fromNew = async (frontends: Frontends, { to, when }: Inputs): Promise<Rehearsed | undefined> => {
  const group = await lookAtGroup(frontends);
  const known = needing(group, (version) => needlessBecause(when, { from: undefined, to }, version));
  if (known.length === 0) {
    return rehearsedAlready(to);
  }
  if (group.frontends.some(({ running }) => running)) {
    return undefined;
  }
  const cold = known.find(({ versions }) => versions.length > 0);
  if (!cold) {
    // Metadata of a cluster that was made elsewhere says nothing of its version.
    return rehearsedAlready(to);
  }
  throw new UserError(
    `FE ${cold.contact.name} (${cold.contact.address}) holds metadata of StarRocks ${cold.versions.join(" or ")}, and none of its group runs: ${to.version} cannot be rehearsed on it. ` +
      `Nothing was touched. Declare ${cold.versions[0]} first, run \`pulumi up\`, and declare ${to.version} then; \`rehearsal: false\` goes on without one.`,
  );
};

/** Starts declared FEs that are down, as the gate does it before the first stop. */
const startFrontends = async (run: Run, execution: Execution): Promise<Outcome> => {
  const topology = topologyIn(run);
  const nodes = topology?.nodes.filter(isFe) ?? [];
  const [node] = nodes;
  if (!topology || !node) {
    return notMet("this operation does not include the whole cluster");
  }
  await guard({ ...node, node: "The rehearsal", report: execution.report });
  return repairDown(run, topology, execution, { nodes, unreachable: "left" });
};

/** Who asks for a rehearsal alone must hear it when there was none. */
const tellSpared = async (inputs: Inputs, from: Rehearsed | undefined, spared: Spared | undefined): Promise<void> => {
  const { __urn, cluster, to, when } = inputs;
  if (topologyIn(runOf(cluster)) || from?.to.id === to.id) {
    return;
  }
  const why = spared?.why ?? (from && needlessBecause(when, { from, to }, from.to.version));
  const text = `StarRocks ${to.version} was not rehearsed: ${why}.`;
  if (spared?.empty) {
    throw new UserError(text);
  }
  await warn(__urn, text);
};

const describe = ({ to, host }: Inputs, { step }: Execution, error: UserError, left: string): UserError =>
  new UserError(
    `The rehearsal of StarRocks ${to.version} on ${host} failed (${step ? verbs[step.verb] : "begin"}).\n${messageOf(error)}\n` +
      `${left}\n` +
      "Mend the cause, or declare a repaired release or the version that runs, and run `pulumi up` again. `rehearsal: false` goes on without one.",
    { cause: error },
  );

/**
 * Removes what rehearsals left on the host. A host that is gone has nothing to be removed. What was recorded names no FE
 * hosts, so the lease is had only where another part of this operation has it.
 */
export const forget = async ({ __urn, cluster, connection, deployDir, host, limits }: Inputs): Promise<void> => {
  try {
    const place = hostFor(within(limits, connection));
    const { lease } = runOf(cluster);
    const running = lease && !lease.isLost ? "stopped" : "left";
    const left = await removeEarlier(place, deployDir, { cluster, running, stopSeconds: limits.stop / 1000 });
    if (left.length > 0) {
      await warn(
        __urn,
        `A rehearsal runs on ${host} and was left as it is, as it may be another operator's: ${left.join(", ")}. ` +
          "If nobody is at it, end the process and remove the folder.",
      );
    }
  } catch (error) {
    await warn(__urn, `What rehearsals left on ${host} below ${deployDir} could not be removed: ${messageOf(error)}`);
  }
};
