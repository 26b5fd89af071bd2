import { progressOf, tell, warn } from "../../engine/log.js";
import { messageOf, UserError } from "../../error.js";
import { hostFor } from "../../host/pool.js";
import { rehearsalItem } from "../../plan/rehearsal.js";
import { verbs } from "../../plan/steps.js";
import { Execution } from "../../rollout/execute.js";
import { runOf } from "../../rollout/run.js";
import { removeEarlier } from "../../starrocks/rehearsal/folder.js";
import type { Inputs } from "./inputs.js";
import { RehearsalWork } from "./work.js";

/** The item of these inputs, as preview shows and the run executes it. */
export const itemOf = (from: Inputs["to"] | undefined, { to, host, memory, position, when }: Inputs) =>
  rehearsalItem(when, { from, to }, { host, memory, position });

/** Rehearses what is declared, where that is needed. A failure closes the whole operation: nothing was touched yet. */
export const rehearse = async (inputs: Inputs, from: Inputs["to"] | undefined): Promise<void> => {
  const run = runOf(inputs.cluster);
  const item = itemOf(from, inputs);
  if (item.steps.length === 0) {
    return;
  }
  await run.assertGoing("the rehearsal");
  const report = (seen: string): void => execution.report(seen);
  const rehearsal = new RehearsalWork(inputs, from, report);
  const execution: Execution = new Execution(item, rehearsal.works, run.journal, progressOf(inputs.__urn));
  try {
    await execution.run();
  } catch (error) {
    if (!(error instanceof UserError)) {
      await rehearsal.giveUp();
      throw error;
    }
    const failure = describe(inputs, execution, error, await rehearsal.giveUp());
    await run.fail("the rehearsal", failure.message);
    throw failure;
  }
  const { summary } = rehearsal;
  if (summary !== undefined) {
    await tell(inputs.__urn, `rehearsal of StarRocks ${inputs.to.version} on ${inputs.host} passed: ${summary}.`);
  }
};

const describe = ({ to, host }: Inputs, { step }: Execution, error: UserError, left: string): UserError =>
  new UserError(
    `The rehearsal of StarRocks ${to.version} on ${host} failed (${step ? verbs[step.verb] : "begin"}).\n${messageOf(error)}\n` +
      `No node of the cluster was touched. ${left}\n` +
      "Mend the cause, or declare a repaired release or the version that runs, and run `pulumi up` again. `rehearsal: false` goes on without one.",
    { cause: error },
  );

/** Removes what rehearsals left on the host. A host that is gone has nothing to be removed. */
export const forget = async ({ __urn, cluster, connection, deployDir, host, limits }: Inputs): Promise<void> => {
  try {
    const place = hostFor({ commandLimit: limits.command / 1000, ...connection });
    await removeEarlier(place, deployDir, { cluster, stopSeconds: limits.stop / 1000 });
  } catch (error) {
    await warn(__urn, `What rehearsals left on ${host} below ${deployDir} could not be removed: ${messageOf(error)}`);
  }
};
