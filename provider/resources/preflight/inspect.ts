import { warn } from "../../engine/log.js";
import { messageOf, UserError } from "../../error.js";
import { type Clock, clockProblem } from "../../plan/clocks.js";
import type { NodeSpec } from "../../plan/spec.js";
import { type HostWishes, hostProblems } from "../../starrocks/host-problems.js";
import { releaseFolder } from "../../starrocks/layout.js";
import { hostFacts } from "../../starrocks/limits.js";
import { describeListener, inTheWay } from "../../starrocks/listening.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { frontendRow } from "../../starrocks/rows.js";
import { features, versionOf } from "../../starrocks/versions.js";
import { labelOf, type NodeContext } from "../node/context.js";
import { homeProblem } from "../node/data.js";
import { dataPaths } from "../node/settings.js";
import { look } from "../node/works.js";
import { roleProblem } from "../role.js";
import { javaHomeFor, runtimeFor } from "../staging.js";
import { readClock } from "./clocks.js";
import type { Topology } from "./topology.js";
import { type LastRun, problemsSince } from "./way.js";

interface Findings {
  readonly errors: readonly string[];
  readonly warnings: readonly Warning[];
  /** Of an FE's host: its group refuses a clock that is too far off, the first start's too. */
  readonly clock?: Clock | undefined;
  readonly last?: LastRun | undefined;
}

interface Warning {
  readonly host: string;
  readonly text: string;
}

/** One line for all hosts of which the same is to be said. */
const byText = (warnings: readonly Warning[]): readonly string[] => {
  const hosts = new Map<string, Set<string>>();
  for (const { host, text } of warnings) {
    hosts.set(text, (hosts.get(text) ?? new Set()).add(host));
  }
  return [...hosts].map(([text, names]) => `${[...names].join(", ")}: ${text}`);
};

/** Looks at every host at once; throws one error that names all that would stop a node from starting. */
export const inspectHosts = async (topology: Topology, report: (seen: string) => void): Promise<void> => {
  let looked = 0;
  const findings = await Promise.all(
    topology.nodes.map(async (node) => {
      const found = await inspectNode(node);
      looked += 1;
      report(`${looked} of ${topology.nodes.length} nodes seen`);
      return found;
    }),
  );
  const warnings = byText(findings.flatMap((found) => found.warnings));
  if (warnings.length > 0) {
    await warn(topology.urn, `Hosts differ from what StarRocks recommends:\n${warnings.join("\n")}`);
  }
  const clocks = clockProblem(findings.flatMap(({ clock }) => clock ?? []));
  const errors = [
    ...new Set(findings.flatMap((found) => found.errors)),
    ...(clocks === undefined ? [] : [clocks]),
    ...problemsSince(
      topology,
      findings.flatMap(({ last }) => last ?? []),
    ),
  ];
  if (errors.length > 0) {
    throw new UserError(`The pre-flight found what must be mended first; nothing was touched.\n${errors.join("\n")}`);
  }
};

const inspectNode = async (node: NodeContext): Promise<Findings> => {
  const { host, spec } = node;
  try {
    const { deployDir, home, kind } = spec;
    const [facts, java, observed, clock] = await Promise.all([
      hostFacts(host, {
        node: { kind, home, releaseFolder: releaseFolder(deployDir, spec.release.id) },
        paths: [deployDir, home, ...dataPaths(spec)],
        ports: Object.values(spec.ports),
      }),
      javaProblem(node),
      look(node),
      spec.kind === "fe" ? readClock(node) : undefined,
    ]);
    const files = spec.config.min_file_descriptor_number;
    const problems = hostProblems(facts, {
      kinds: [spec.kind],
      address: spec.address,
      space: spaceFor(spec),
      ...(files !== undefined && { leastFiles: Number(files) }),
      ...(spec.config.priority_networks !== undefined && { priorityNetworks: spec.config.priority_networks }),
    });
    const role = await adoptedRole(node);
    const foreign = homeProblem(spec, host.name, observed);
    const taken = inTheWay(facts.listeners, spec.address, facts.process).map(describeListener);
    const errors = [
      ...problems.errors,
      ...taken.map((what) => `${what}; free it or give the node another port`),
      ...(java !== undefined && spec.kind === "fe" ? [java] : []),
      ...(foreign === undefined ? [] : [foreign]),
      ...(role === undefined ? [] : [role]),
      ...(facts.staged
        ? []
        : [
            `${spec.release.id} (${spec.kind}) is not staged in ${spec.deployDir}/releases: \`pulumi up --refresh\` brings it there`,
          ]),
    ];
    const prefix = `${labelOf(spec)} (${host.name}): `;
    return {
      errors: errors.map((text) => prefix + text),
      warnings: [...problems.warnings, ...(java !== undefined && spec.kind === "be" ? [java] : [])].map((text) => ({
        host: host.name,
        text,
      })),
      last: lastRunOf(kind, observed),
      clock,
    };
  } catch (error) {
    if (!(error instanceof UserError)) {
      throw error;
    }
    return { errors: [`${labelOf(spec)} (${host.name}): ${messageOf(error)}`], warnings: [] };
  }
};

/** Undefined where it has no data any more, or was let go with it. */
const lastRunOf = (kind: LastRun["kind"], { data, marker }: ObservedHome): LastRun | undefined => {
  const last = marker?.releases.at(-1);
  return last && marker?.left === undefined && data.some(({ state }) => state === "data")
    ? { kind, version: last.version }
    : undefined;
};

/** Once an FE is adopted under another name, nobody drops it any more: what it is in its group is asked before. */
const adoptedRole = async ({ frontends, spec }: NodeContext): Promise<string | undefined> => {
  if (spec.kind !== "fe" || !spec.adopt) {
    return undefined;
  }
  const rows = await frontends.rows();
  return rows && roleProblem(spec, frontendRow(spec, rows.frontends));
};

/** A disk on which an FE does not start is seen before the first one is stopped. */
const spaceFor = (spec: NodeSpec): HostWishes["space"] =>
  spec.kind === "fe"
    ? [{ path: spec.metaDir, bytes: features(versionOf(spec.release.version)).metaFreeBytes, purpose: "the metadata" }]
    : [];

/** An FE does not start without a JDK, a BE does. */
const javaProblem = async ({ host, spec }: NodeContext): Promise<string | undefined> => {
  if (spec.kind === "be") {
    return (await runtimeFor(host, spec)).problem;
  }
  try {
    await javaHomeFor(host, spec);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) {
      return messageOf(error);
    }
    throw error;
  }
};
