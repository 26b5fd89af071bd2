import type { CheckFailure } from "../../engine/failure.js";
import { echo, type Plain, plain } from "../../engine/outputs.js";
import { hasUnknown } from "../../engine/unknown.js";
import { inEverySession } from "../../host/agent.js";
import { hostFolderProblems } from "../../plan/host-folders.js";
import { type Rehearsed, rehearsedAlready } from "../../plan/rehearsal.js";
import { numbered } from "../../plan/steps.js";
import { runOf } from "../../rollout/run.js";
import type { Handlers } from "../handlers.js";
import { failuresOf } from "../inputs.js";
import { againstIn, type Inputs, inputsOf, rehearsalInputs } from "./inputs.js";
import { forget, itemOf, rehearse } from "./perform.js";

/** Where the arguments stand in a `Cluster` that the resource is part of. */
const inCluster = (failure: CheckFailure, { __clusterUrn }: Plain): CheckFailure =>
  __clusterUrn !== undefined && /^(memory|keep|isolated|limit)$/.test(failure.property)
    ? { ...failure, property: `rehearsal.${failure.property}` }
    : failure;

/** What the outputs keep: how to come back to the host, for which release it was done, and on what. */
const outputsOf = (inputs: Plain, { against }: Rehearsed): Record<string, unknown> => ({
  ...echo(inputs, ["plan", "sql", "frontends", "config", "ownConfig"]),
  ...(against && { against: plain(against) }),
});

/**
 * Whose metadata is copied, and what its fe.conf says, counts when it is copied: outputs do not have it, and one more FE or
 * another setting is no other rehearsal.
 */
const withoutFrontends = ({ against: _, config: __, ownConfig: ___, ...inputs }: Plain): Plain => ({
  ...inputs,
  frontends: nobody,
});

const nobody = [{ name: "none", address: "none", role: "leader", home: "/none" }];

/** From the outputs: what was rehearsed, or needed no rehearsal, last. */
const recordedOf = (olds: Plain): Rehearsed => ({ to: inputsOf(withoutFrontends(olds)).to, against: againstIn(olds) });

/** From the inputs, which do not say what the leader ran: `diff` knows, and has the last word on the plan. */
const declaredLast = (olds: Plain): Rehearsed | undefined =>
  Object.keys(olds).length === 0 ? undefined : rehearsedAlready(inputsOf(withoutFrontends(olds)).to);

/** Where and how it is reached and done; a change of it alone is recorded, as `delete` gets only what was recorded. */
const reached = ({
  host,
  connection,
  deployDir,
  javaHome,
  memory,
  keep,
  isolated,
  when,
  limit,
  limits,
}: Inputs): string =>
  JSON.stringify([host, inEverySession(connection), deployDir, javaHome, memory, keep, isolated, when, limit, limits]);

/** Where copies lie. */
const placeOf = ({ connection, deployDir }: Inputs): string =>
  JSON.stringify([connection.host, connection.port, deployDir]);

export const rehearsal: Handlers = {
  check: async (olds, news) => {
    const failures = failuresOf(rehearsalInputs, news).map((failure) => inCluster(failure, news));
    if (failures.length > 0 || hasUnknown(withoutFrontends(news))) {
      return { inputs: news, failures };
    }
    const next = inputsOf(withoutFrontends(news));
    failures.push(...hostFolderProblems(next));
    if (failures.length > 0) {
      return { inputs: news, failures };
    }
    const run = runOf(next.cluster);
    const item = itemOf(run.isNew ? rehearsedAlready(next.to) : declaredLast(olds), next);
    run.componentUrn = next.__clusterUrn;
    run.items.set(item.id, item);
    return { inputs: item.steps.length > 0 ? { ...news, plan: numbered(item.steps) } : news };
  },

  diff: async (_id, olds, news) => {
    if (hasUnknown(withoutFrontends(news))) {
      return { changes: true, deleteBeforeReplace: true };
    }
    const next = inputsOf(withoutFrontends(news));
    const recorded = inputsOf(withoutFrontends(olds));
    const item = itemOf(recordedOf(olds), next);
    const run = runOf(next.cluster);
    if (run.items.has(item.id)) {
      run.items.set(item.id, item);
    }
    return { changes: recorded.to.id !== next.to.id || reached(recorded) !== reached(next), deleteBeforeReplace: true };
  },

  create: async (inputs) => {
    const next = inputsOf(inputs);
    const rehearsed = await rehearse(next, undefined);
    return { id: `${next.cluster}:rehearsal`, outs: outputsOf(inputs, rehearsed) };
  },

  update: async (_id, olds, news) => {
    const next = inputsOf(news);
    const recorded = inputsOf(withoutFrontends(olds));
    if (placeOf(recorded) !== placeOf(next)) {
      // As the next rehearsal there would: there is none any more.
      await forget(recorded);
    }
    return { outs: outputsOf(news, await rehearse(next, recordedOf(olds))) };
  },

  read: async (id, props) => ({ id, props: plain(props) }),

  delete: async (_id, props) => forget(inputsOf(withoutFrontends(props))),
};
