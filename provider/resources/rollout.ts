import { z } from "zod";
import { PartialFailure } from "../engine/failure.js";
import { progressOf, tell } from "../engine/log.js";
import { type Plain, plain } from "../engine/outputs.js";
import { hasUnknown } from "../engine/unknown.js";
import { UserError } from "../error.js";
import { type Passed, passedBy, passedText } from "../plan/point-of-no-return.js";
import { mendStep } from "../plan/preflight.js";
import type { Item } from "../plan/steps.js";
import { StillPaused } from "../rollout/balance.js";
import { Execution, notMet } from "../rollout/execute.js";
import { guard } from "../rollout/guard.js";
import { type Run, runOf } from "../rollout/run.js";
import type { Handlers } from "./handlers.js";
import { failuresOf, topologyInputs } from "./inputs.js";
import type { NodeContext } from "./node/context.js";
import { nodeId } from "./node/plan.js";
import { observe } from "./observe.js";
import { changeIdle } from "./preflight/gate.js";
import { outputsOf } from "./preflight/handlers.js";
import { repairDown } from "./preflight/repair.js";
import { anyNode, digestOf, feVersionOf, nodeDigests, type Topology, topologyOf } from "./preflight/topology.js";
import { pruneHosts } from "./prune.js";
import { assertRunning } from "./running.js";
import { survey } from "./survey.js";
import { verifyThroughEach } from "./verify.js";
import { judgePlan, tellPath } from "./version-path.js";

interface Wanted {
  /** Whether anything is looked at. */
  readonly changes: boolean;
  /** Whether there are nodes that this operation does not change: they may have died unseen. */
  readonly repair: boolean;
  /** Whether running nodes are stopped, or were and are not proven yet. */
  readonly stops: boolean;
  /** Seconds for which nodes are watched, where any was started anew. */
  readonly observe: number;
  readonly verify: boolean;
  /** Whether another release came before this one. */
  readonly prune: boolean;
}

const itemOf = ({ changes, repair, stops, observe, verify, prune }: Wanted): Item => ({
  id: "rollout",
  wave: "rollout",
  position: 0,
  change: "",
  stops: false,
  steps: changes
    ? [
        ...(repair ? [mendStep] : []),
        {
          verb: "survey",
          text: "see every declared node Alive with the declared version, several times, and query each FE",
        },
        ...(stops || repair
          ? [
              {
                verb: "observe",
                text: `watch every node for ${observe} s: no restart, all Alive, no tablet worse off`,
                ...(!stops && { when: "if one was started" }),
              } as const,
            ]
          : []),
        ...(stops && verify ? [{ verb: "verify", text: "run the declared queries through each FE" } as const] : []),
        ...(prune
          ? [
              {
                verb: "prune",
                text: "remove from every host the releases that no home links to and nobody waits to switch to",
                when: "if there are any",
              } as const,
            ]
          : []),
      ]
    : [],
});

/** What the end of this operation has to do: more where running nodes are stopped, or were by one that did not come to its end. */
const wantedOf = (
  topology: Topology,
  changes: boolean,
  { before, unproven = false }: Pick<Recorded, "before" | "unproven">,
): Wanted => {
  const run = runOf(topology.cluster);
  const { observe, verify } = topology.policy;
  return {
    changes,
    repair: unchanged(run, topology).length > 0,
    stops: unproven || [...run.items.values()].some((item) => item.stops),
    observe,
    verify: verify.length > 0,
    prune:
      [...run.items.values()].some(({ from }) => from !== undefined) ||
      (before !== undefined && before !== topology.release.id),
  };
};

/** Nodes with nothing to do here. One that was changed and died since is a failure of the change, never repaired in silence. */
const unchanged = (run: Run, { nodes }: Topology): readonly NodeContext[] =>
  nodes.filter(({ spec }) => (run.items.get(nodeId(spec))?.steps.length ?? 0) === 0);

interface Recorded {
  /** The id of the release that was declared when the last operation ended well. */
  readonly before?: string | undefined;
  /** What is passed for the first time. */
  readonly crossed?: Passed | undefined;
  /** Whether nodes are declared otherwise than then: an operation before this one may have restarted them all, and failed. */
  readonly unproven?: boolean;
}

/** Proves the cluster; what of it was changed for the time of the operation is set back, or this fails. */
export const prove = async (topology: Topology, recorded: Recorded = {}): Promise<void> => {
  const { before, crossed } = recorded;
  const run = runOf(topology.cluster);
  const { care } = run;
  await guard({ ...anyNode(topology), node: "The cluster", report: progressOf(topology.urn) });
  await care?.end();
  const wanted = wantedOf(topology, true, recorded);
  let started = wanted.stops;
  const execution: Execution = new Execution(
    itemOf(wanted),
    {
      repair: async () => {
        const nodes = unchanged(run, topology);
        const outcome = await repairDown(run, topology, execution, { nodes, turns: "over", unreachable: "left" });
        const changed = await changeIdle(run, topology);
        started ||= outcome.mark === "done" || changed.length > 0;
        return changed.length === 0 ? outcome : { mark: "done", detail: `put back ${changed.join(", ")}` };
      },
      survey: async () => {
        const outcome = await survey(topology, execution.report);
        await assertRunning(run, topology, unchanged(run, topology));
        return outcome;
      },
      observe: async () => (started ? observe(topology, execution.report) : notMet("none was started")),
      verify: () => verifyThroughEach(topology, execution.report),
      prune: () => {
        // It was watched for minutes: meanwhile another operator may have got the cluster, and be about to switch.
        run.lease?.assertHeld();
        return pruneHosts(topology, before);
      },
    },
    run.journal,
    progressOf(topology.urn),
  );
  try {
    await execution.run();
  } catch (error) {
    // It sets back once more what could not be set back before.
    await run.fail("the last proof", "the last proof failed");
    throw care?.unrestored !== undefined && error instanceof UserError
      ? new StillPaused(`${error.message}\n${care.unrestored}`, { cause: error })
      : error;
  }
  await restoreAgain(run);
  run.settle();
  if (care?.unrestored !== undefined) {
    await tell(topology.clusterUrn, run.report("every node is proven, but balancing is still paused.", run.toCome));
    throw new StillPaused(care.unrestored);
  }
  await tell(
    topology.clusterUrn,
    run.report(`done in ${run.journal.seconds.toFixed(0)} s; every node is proven.`, [
      ...(crossed ? [passedText(crossed)] : []),
      ...run.toCome,
    ]),
  );
};

/** What a state says of the last operation that ended well, whichever release of this package wrote it. */
const recordedIn = (olds: Plain): Parameters<typeof passedBy>[0] & { readonly id: string | undefined } => {
  const shape = z.object({
    release: z.object({ id: z.string().optional(), version: z.string() }).optional(),
    pointOfNoReturn: z.object({ from: z.string(), to: z.string() }).optional(),
  });
  const { pointOfNoReturn, release } = shape.safeParse(olds).data ?? {};
  return { id: release?.id, version: release?.version, passed: pointOfNoReturn };
};

/** Proves the end of the operation; gives what is to be recorded. */
const end = async (id: string, olds: Plain, news: Plain): Promise<Record<string, unknown>> => {
  const topology = topologyOf(news);
  const recorded = recordedIn(olds);
  const passed = passedBy(recorded, feVersionOf(topology));
  const unproven = news.__unproven === true || olds.unproven === true;
  const outs = { ...outputsOf(news), ...(passed && { pointOfNoReturn: passed }) };
  try {
    await prove(topology, {
      before: recorded.id,
      crossed: passed === recorded.passed ? undefined : passed,
      unproven,
    });
    return outs;
  } catch (error) {
    const failed = { ...outs, ...plain(olds), ...(unproven && { unproven }) };
    if (error instanceof StillPaused) {
      const known = error.cause === undefined ? outs : failed;
      throw new PartialFailure(id, { ...known, digest: "balancing is still paused" }, error);
    }
    // What is recorded is what is declared, so that the next `up` would not come here again by itself.
    throw olds.digest === digestOf(news)
      ? new PartialFailure(id, { ...failed, digest: "what is declared is not proven" }, error)
      : error;
  }
};

/** An FE that did not take the cluster's own values may have come to itself while the cluster was proven. */
const restoreAgain = async ({ care }: Run): Promise<void> => {
  if (care?.unrestored !== undefined) {
    await care.end();
  }
};

export const rollout: Handlers = {
  check: async (olds, news) => {
    const failures = [...failuresOf(topologyInputs, news)];
    if (failures.length > 0 || hasUnknown(news)) {
      await tellUnknown(news);
      return { inputs: news, failures };
    }
    const topology = topologyOf(news);
    const { cluster, clusterUrn } = topology;
    const run = runOf(cluster);
    const first = Object.keys(olds).length === 0;
    // In an update all nodes were changed by now; then the gate has judged what the cluster really ran.
    if (!run.acted) {
      const judgement = judgePlan(run, topology, olds, news);
      if (judgement.problems.length > 0) {
        return { inputs: news, failures: [...judgement.problems] };
      }
      await tellPath(run, topology, judgement, { first });
    }
    const differs = !first && changed(olds, news);
    const changes = first || run.willAct || differs;
    const unproven = differs && otherNodes(olds, news);
    run.items.set("rollout", itemOf(wantedOf(topology, changes, { before: recordedIn(olds).id, unproven })));
    await tellPlan(run, clusterUrn);
    // An update is given outputs of before, which do not have the nodes.
    return { inputs: unproven ? { ...news, __unproven: true } : news };
  },

  diff: async (_id, olds, news) => {
    const run = runOf(String(news.cluster));
    const isUnknown = hasUnknown(news);
    const isOwed = !isUnknown && olds.digest !== digestOf(news);
    if (isOwed && run.items.get("rollout")?.steps.length === 0) {
      // Only the outputs tell that the end of the operation before failed.
      const topology = topologyOf(news);
      const recorded = { before: recordedIn(olds).id, unproven: olds.unproven === true };
      run.items.set("rollout", itemOf(wantedOf(topology, true, recorded)));
      await tellPlan(run, topology.clusterUrn);
    }
    return { changes: isUnknown || isOwed || run.willAct || run.acted, deleteBeforeReplace: true };
  },

  create: async (inputs) => {
    const id = `${inputs.cluster}:rollout`;
    return { id, outs: await end(id, {}, inputs) };
  },

  update: async (id, olds, news) => ({ outs: await end(id, olds, news) }),

  read: async (id, props) => ({ id, props: plain(props) }),

  delete: async () => undefined,
};

/** In an update everything before was done already, and the report tells of it. */
const tellPlan = async (run: Run, clusterUrn: string | undefined): Promise<void> => {
  if (!run.acted && run.plan !== undefined) {
    await tell(clusterUrn, run.plan);
  }
};

/** Silence in a preview would look like nothing to do. */
const tellUnknown = async (news: Plain): Promise<void> => {
  const unknown = Object.keys(news).filter((key) => !key.startsWith("__") && hasUnknown(news[key]));
  if (unknown.length > 0 && typeof news.__clusterUrn === "string") {
    await tell(
      news.__clusterUrn,
      `The plan cannot be told in this preview: ${unknown.map((key) => `\`${key}\``).join(", ")} of this cluster hold what is known only once ` +
        "other resources are made (a new host's address, a generated password). Make those first (`pulumi up --target …`), then preview again.",
    );
  }
};

/** Whether a node is declared otherwise than when the last operation ended well; one that was added or left is none. */
const otherNodes = (olds: Plain, news: Plain): boolean => {
  try {
    const before = nodeDigests(olds);
    return [...nodeDigests(news)].some(([name, digest]) => before.has(name) && before.get(name) !== digest);
  } catch {
    return false;
  }
};

const changed = (olds: Plain, news: Plain): boolean => {
  try {
    return digestOf(olds) !== digestOf(news);
  } catch {
    // Inputs of another release of this package: what it was cannot be told, so it is looked at.
    return true;
  }
};
