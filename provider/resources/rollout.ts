import { progressOf, tell } from "../engine/log.js";
import { type Plain, plain } from "../engine/outputs.js";
import { hasUnknown } from "../engine/unknown.js";
import { policySchema } from "../plan/policy.js";
import type { Item } from "../plan/steps.js";
import { Execution } from "../rollout/execute.js";
import { runOf } from "../rollout/run.js";
import type { Handlers } from "./handlers.js";
import { failuresOf, topologyInputs } from "./inputs.js";
import { outputsOf } from "./preflight/handlers.js";
import { digestOf, type Topology, topologyOf } from "./preflight/topology.js";
import { survey } from "./survey.js";
import { judgePlan, tellPath } from "./version-path.js";

const itemOf = (changes: boolean): Item => ({
  id: "rollout",
  wave: "rollout",
  position: 0,
  change: "",
  stops: false,
  steps: changes
    ? [
        {
          verb: "survey",
          text: "see every declared node Alive with the declared version, several times, and query each FE",
        },
      ]
    : [],
});

const prove = async (topology: Topology): Promise<void> => {
  const run = runOf(topology.cluster);
  const execution: Execution = new Execution(
    itemOf(true),
    { survey: () => survey(topology, execution.report) },
    run.journal,
    progressOf(topology.urn),
  );
  await execution.run();
  run.settle();
  await tell(
    topology.clusterUrn,
    run.report(`done in ${run.journal.seconds.toFixed(0)} s; every node is proven.`, run.toCome),
  );
};

export const rollout: Handlers = {
  check: async (olds, news) => {
    const failures = [...failuresOf(topologyInputs, news)];
    if (failures.length > 0 || hasUnknown(news)) {
      return { inputs: news, failures };
    }
    const topology = topologyOf(news);
    const { cluster, clusterUrn } = topology;
    const run = runOf(cluster);
    const first = Object.keys(olds).length === 0;
    // In an update all nodes were changed by now; then the gate has judged what the cluster really ran.
    if (!run.acted) {
      const judgement = judgePlan(run, topology, policySchema.parse(news.policy ?? {}), olds);
      if (judgement.problems.length > 0) {
        return { inputs: news, failures: [...judgement.problems] };
      }
      await tellPath(run, topology, judgement, { first });
    }
    const changes = first || run.willAct || changed(olds, news);
    run.items.set("rollout", itemOf(changes));
    // In an update everything before was done already, and the report tells of it.
    if (!run.acted && run.plan !== undefined) {
      await tell(clusterUrn, run.plan);
    }
    return { inputs: news };
  },

  diff: async (_id, olds, news) => {
    const run = runOf(String(news.cluster));
    const changes = hasUnknown(news) || olds.digest !== digestOf(news) || run.willAct || run.acted;
    return { changes, deleteBeforeReplace: true };
  },

  create: async (inputs) => {
    const topology = topologyOf(inputs);
    await prove(topology);
    return { id: `${topology.cluster}:rollout`, outs: outputsOf(inputs) };
  },

  update: async (_id, _olds, news) => {
    await prove(topologyOf(news));
    return { outs: outputsOf(news) };
  },

  read: async (id, props) => ({ id, props: plain(props) }),

  delete: async () => undefined,
};

const changed = (olds: Plain, news: Plain): boolean => {
  try {
    return digestOf(olds) !== digestOf(news);
  } catch {
    // Inputs of another release of this package: what it was cannot be told, so it is looked at.
    return true;
  }
};
