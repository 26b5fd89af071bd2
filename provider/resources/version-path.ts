import { isIP } from "node:net";
import { z } from "zod";
import { warn } from "../engine/log.js";
import type { Plain } from "../engine/outputs.js";
import { type Judgement, pathProblems } from "../plan/paths/judge.js";
import { shortName } from "../plan/rollout.js";
import type { Item, Wave } from "../plan/steps.js";
import type { Run } from "../rollout/run.js";
import { isFe } from "./node/context.js";
import { nodeId } from "./node/plan.js";
import { feVersionOf, isOverlaid, type Topology, versionsText } from "./preflight/topology.js";

const frontendWaves: readonly Wave[] = ["observers", "followers", "leader"];

/** The nodes that the program declared before, as far as their inputs (maybe of another release of this package) say. */
const nodesBefore = ({ nodes }: Plain) => {
  const shape = z.array(
    z.object({
      kind: z.enum(["fe", "be"]),
      name: z.string(),
      address: z.string().optional(),
      home: z.string().optional(),
      config: z.record(z.string(), z.string()).optional(),
    }),
  );
  return shape.safeParse(nodes).data ?? [];
};

const runModeOf = (config: Readonly<Record<string, string>> | undefined): string =>
  config?.run_mode ?? "shared_nothing";

/** Whether FEs are known by DNS names. */
export const usesNames = ({ nodes }: Topology): boolean =>
  nodes.filter(isFe).some(({ spec }) => isIP(spec.address) === 0);

/** Whether nodes that were declared before are no longer; one that another name has now stays where it is. */
const nodesLeave = (before: ReturnType<typeof nodesBefore>, nodes: Plain["nodes"]): boolean => {
  const now = nodesBefore({ nodes });
  return before.some(
    (old) =>
      !now.some(({ address, home, kind, name }) => {
        const isRenamed = address === old.address && home === old.home;
        return kind === old.kind && (name === old.name || isRenamed);
      }),
  );
};

/** Judges the change of version that the plan of a whole operation makes; asks no host. */
export const judgePlan = (run: Run, topology: Topology, olds: Plain, news: Plain): Judgement => {
  const before = nodesBefore(olds);
  const there = new Set(before.map(({ kind, name }) => `${kind.toUpperCase()} ${name}`));
  const declared = new Map(topology.nodes.map(({ spec }) => [nodeId(spec), spec.release.version]));
  const versions = (isWanted: (item: Item) => boolean): readonly string[] =>
    [...run.items.values()]
      .filter(isWanted)
      .flatMap(({ from, id }) => from ?? (there.has(id) ? (declared.get(id) ?? []) : []));
  const frontends = topology.nodes.filter(isFe).map(({ spec }) => spec);
  const mode = before.find(({ kind }) => kind === "fe");
  return pathProblems({
    to: feVersionOf(topology),
    overlay: isOverlaid(topology),
    frontends: versions(({ wave }) => frontendWaves.includes(wave)),
    backends: versions(({ wave }) => wave === "backends"),
    known: "recorded",
    policy: topology.policy,
    leaving: nodesLeave(before, news.nodes),
    fqdn: usesNames(topology),
    settings: frontends.map(({ config }) => config),
    runMode: { from: mode && runModeOf(mode.config), to: runModeOf(frontends[0]?.config) },
  });
};

/** Shows on the cluster's row what is known of the way of versions that a plan takes; of a first deployment, too. */
export const tellPath = async (
  run: Run,
  topology: Topology,
  { notes }: Judgement,
  { first }: { readonly first: boolean },
): Promise<void> => {
  const items = [...run.items.values()];
  const changed = items.filter(({ from, to }) => from !== to);
  const left = distinct(changed.map(({ from }) => from));
  // Another build of a version is no way; which files it has may still be worth a word.
  const rebuilt = isOverlaid(topology) && items.some(({ from }) => from !== undefined);
  if (notes.length === 0 || (left.length === 0 && !rebuilt && !first)) {
    return;
  }
  const way =
    left.length === 0
      ? versionsText(topology)
      : `${left.join(", ")} → ${distinct(changed.map(({ to }) => to)).join(", ")}`;
  await tellNotes(topology, way, notes);
};

/** The notes on a way on the cluster's row, one a line. */
export const tellNotes = ({ cluster, clusterUrn }: Topology, way: string, notes: Judgement["notes"]): Promise<void> => {
  const title = `${shortName(cluster)}: what is known of StarRocks ${way} (docs/versions.md):`;
  return warn(clusterUrn, [title, ...notes.map((note) => `  ${note}`)].join("\n"));
};

export const distinct = (versions: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(versions.filter((version) => version !== undefined)),
];
