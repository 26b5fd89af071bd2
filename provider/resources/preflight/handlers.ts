import { z } from "zod";
import type { CheckFailure } from "../../engine/failure.js";
import { warn } from "../../engine/log.js";
import { type Plain, plain } from "../../engine/outputs.js";
import { hasUnknown, isUnknown } from "../../engine/unknown.js";
import { inArguments, type nodeFields } from "../../plan/fields.js";
import { unavailableWarnings } from "../../plan/policy.js";
import { preflightItem } from "../../plan/preflight.js";
import { removalItems } from "../../plan/removal.js";
import { inspectTopology } from "../../plan/topology.js";
import { runOf } from "../../rollout/run.js";
import type { Handlers } from "../handlers.js";
import { failuresOf, read, type SqlAccess, topologyInputs } from "../inputs.js";
import { declaredProblems } from "../node/problems.js";
import { declare, inspect } from "./gate.js";
import { digestOf, specsOf, topologyOf, waysOf } from "./topology.js";

/** What is kept: enough to know another cluster from this one. What it takes to reach hosts is not needed to delete it. */
export const outputsOf = (inputs: Plain): Record<string, unknown> =>
  plain({
    cluster: inputs.cluster,
    release: inputs.release,
    digest: digestOf(inputs),
    __urn: inputs.__urn,
    __clusterUrn: inputs.__clusterUrn,
  });

/** Kind and role of each node, as far as they are known. */
const placesOf = ({ nodes }: Plain): Parameters<typeof nodeFields>[0] =>
  Array.isArray(nodes) ? nodes.map((node) => (typeof node === "object" && node !== null ? node : { kind: "be" })) : [];

/** What is wrong with single nodes: said here for all at once, before the first of them is looked at. */
const problemsOfNodes = (news: Plain): readonly CheckFailure[] =>
  specsOf(news).flatMap((spec, index) => {
    const { storage } = (news.nodes as readonly Plain[])[index] ?? {};
    return declaredProblems(spec, storage).map(({ property, reason }) => ({
      property: `nodes[${index}].${property}`,
      reason,
    }));
  });

const noPassword = "sql.password is not declared: root of a new cluster will have no password.";

const passwordProblems = ({ password }: SqlAccess): readonly CheckFailure[] =>
  password === "" ? [{ property: "sql.password", reason: "must not be empty; leave it out where root has none" }] : [];

/** A key is of one cluster: two would be planned, gated and changed as one. */
const sharedKey = ({ cluster, __urn, __clusterUrn = __urn }: Plain): readonly CheckFailure[] => {
  if (typeof cluster !== "string" || isUnknown(cluster) || typeof __urn !== "string") {
    return [];
  }
  const run = runOf(cluster);
  run.claimed ??= { preflight: __urn, cluster: String(__clusterUrn) };
  if (run.claimed.preflight === __urn) {
    return [];
  }
  const reason =
    `must be of one cluster, \`${cluster}\` is that of two: ${run.claimed.cluster} and ${__clusterUrn}. ` +
    "Give one of them another `key`";
  return [{ property: "key", reason }];
};

/** Which nodes inputs declare, whatever else those of another release of this package may say of them. */
const membersOf = ({ nodes }: Plain): Parameters<typeof removalItems>[0] => {
  const members = z.array(z.object({ kind: z.enum(["fe", "be"]), name: z.string() }));
  return members.safeParse(nodes).data ?? [];
};

export const preflight: Handlers = {
  check: async (olds, news) => {
    const shared = sharedKey(news);
    if (shared.length > 0) {
      return { inputs: news, failures: [...shared] };
    }
    // Also where a preview does not know all of it yet.
    runOf(String(news.cluster)).isGuarded = true;
    const given = inArguments(failuresOf(topologyInputs, news), placesOf(news));
    if (given.length > 0 || hasUnknown(news)) {
      return { inputs: news, failures: [...given] };
    }
    const { problems, warnings } = inspectTopology(specsOf(news), waysOf(news));
    const { maxUnavailable, nodes, sql } = read(topologyInputs, news);
    const failures = [...inArguments(problemsOfNodes(news), placesOf(news)), ...problems, ...passwordProblems(sql)];
    if (failures.length > 0) {
      return { inputs: news, failures };
    }
    const topology = topologyOf(news);
    const run = runOf(topology.cluster);
    run.isNew = Object.keys(olds).length === 0;
    run.declare({ ...topology, nodes: topology.nodes.map(({ spec }) => spec) });
    run.componentUrn = topology.clusterUrn;
    declare(run, topology);
    run.items.set("pre-flight", preflightItem(true, topology.position));
    for (const item of removalItems(membersOf(olds), membersOf(news))) {
      run.items.set(item.id, item);
    }
    run.setsPassword = run.isNew && sql.user === "root" && sql.password !== undefined;
    for (const warning of [
      ...(run.isNew && sql.password === undefined ? [noPassword] : []),
      ...warnings,
      ...unavailableWarnings(
        maxUnavailable,
        nodes.flatMap((node) => (node.kind === "be" ? [node] : [])),
      ),
    ]) {
      await warn(topology.clusterUrn, warning);
    }
    return { inputs: news };
  },

  diff: async (_id, olds, news) => {
    const changes = hasUnknown(news) || olds.digest !== digestOf(news);
    const run = runOf(String(news.cluster));
    if (run.items.has("pre-flight")) {
      run.items.set("pre-flight", preflightItem(changes, 0));
    }
    return { changes, deleteBeforeReplace: true };
  },

  create: async (inputs) => {
    const topology = topologyOf(inputs);
    await inspect(runOf(topology.cluster), topology);
    return { id: `${topology.cluster}:preflight`, outs: outputsOf(inputs) };
  },

  update: async (_id, _olds, news) => {
    const topology = topologyOf(news);
    await inspect(runOf(topology.cluster), topology);
    return { outs: outputsOf(news) };
  },

  read: async (id, props) => ({ id, props: plain(props) }),

  // Of a whole cluster it is the last that goes: nobody else tells where it is written what was done.
  delete: async (_id, { __urn, cluster }) =>
    runOf(String(cluster)).tellJournal(typeof __urn === "string" ? __urn : undefined),
};
