import { messageOf, TransientError, UserError } from "../../error.js";
import { mayStartOnDeclared, ranWell } from "../../plan/preflight.js";
import { versionOfId } from "../../plan/release-id.js";
import type { FeSpec, NodeRelease } from "../../plan/spec.js";
import { type Execution, notMet, type Outcome } from "../../rollout/execute.js";
import { majorityAdvice } from "../../rollout/frontends.js";
import type { Run } from "../../rollout/run.js";
import { holdsMetadata } from "../../starrocks/folders.js";
import { isInUse } from "../../starrocks/marker.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { type Look, until } from "../../wait.js";
import { isBe, isFe, labelOf, type NodeContext } from "../node/context.js";
import { converge } from "../node/converge.js";
import { nodeId, nodeItem } from "../node/plan.js";
import { lastWordsOf } from "../node/watch.js";
import { look } from "../node/works.js";
import type { Topology } from "./topology.js";

interface Asked {
  /** Nodes that it is about. Default: all. */
  readonly nodes?: readonly NodeContext[];
  /** Whether nodes that run an older release have a turn of their own still to come. Default: they have. */
  readonly turns?: "to come" | "over";
  /** What a host that cannot be asked means. Default: refused; else what the cluster says of its node counts. */
  readonly unreachable?: "refused" | "left";
  /** Whether another node that is on its way waits for them. */
  readonly needed?: true;
}

/** A node whose host could be asked. */
interface Found {
  readonly node: NodeContext;
  readonly home: ObservedHome;
}

/**
 * Starts every declared node that has run before and is down now, within the work of the item that this execution runs;
 * FEs first: without a majority nothing can be proven.
 */
export const repairDown = async (
  run: Run,
  topology: Topology,
  execution: Pick<Execution, "item" | "report">,
  asked: Asked = {},
): Promise<Outcome> => {
  const repair = new Repair(run, topology, execution, asked);
  await repair.frontends();
  await repair.backends();
  return repair.outcome;
};

/**
 * Starts those of these FEs that have run before and are down now. Waits for no leader: whoever asks does, and may be what
 * the group needs for one.
 */
export const startDownFrontends = async (
  run: Run,
  topology: Topology,
  execution: Pick<Execution, "item" | "report">,
  nodes: readonly NodeContext[],
): Promise<void> => {
  await new Repair(run, topology, execution, { nodes, unreachable: "left", needed: true }).frontendsOnce();
};

class Repair {
  readonly #run: Run;
  readonly #topology: Topology;
  readonly #execution: Pick<Execution, "item" | "report">;
  readonly #nodes: readonly NodeContext[];
  readonly #unreachable: Asked["unreachable"];
  readonly #turns: Asked["turns"];
  readonly #needed: Asked["needed"];
  readonly #repaired = new Set<NodeContext>();

  constructor(
    run: Run,
    topology: Topology,
    execution: Pick<Execution, "item" | "report">,
    { needed, nodes = topology.nodes, turns = "to come", unreachable = "refused" }: Asked,
  ) {
    this.#needed = needed;
    this.#run = run;
    this.#topology = topology;
    this.#execution = execution;
    this.#nodes = nodes;
    this.#unreachable = unreachable;
    this.#turns = turns;
  }

  get outcome(): Outcome {
    const detail = `started ${[...this.#repaired].map(({ spec }) => labelOf(spec)).join(", ")}`;
    return this.#repaired.size === 0 ? notMet("all run") : { mark: "done", detail };
  }

  /**
   * They may need each other to be ready, and one that led without a majority ends by itself some 40 s later (seen on a
   * real 3.5.7): so they are looked at until the group has a leader again.
   */
  async frontends(): Promise<void> {
    const frontends = inStartOrder(this.#nodes.filter(isFe));
    const [any] = frontends;
    if (any) {
      await until(() => this.#lookAtFrontends(frontends, any), {
        what: "the FE group to have a leader once its FEs were started",
        limit: any.limits.start,
        onProgress: this.#execution.report,
        advice: majorityAdvice,
      });
    }
  }

  frontendsOnce(): Promise<void> {
    return this.#startDown(inStartOrder(this.#nodes.filter(isFe)));
  }

  backends(): Promise<void> {
    return this.#startDown(this.#nodes.filter(isBe));
  }

  async #startDown(nodes: readonly NodeContext[]): Promise<void> {
    for (const one of (await this.#find(nodes)).filter(isDown)) {
      await this.#start(one);
    }
  }

  async #lookAtFrontends(frontends: readonly NodeContext[], any: NodeContext): Promise<Look<void>> {
    const found = await this.#find(frontends);
    const down = found.filter(isDown);
    const again = down.find(({ node }) => this.#repaired.has(node));
    if (again) {
      throw new UserError(
        `${labelOf(again.node.spec)} was started, and its process has ended since. ${await lastWordsOf(again.node)}`,
      );
    }
    for (const one of down) {
      await this.#start(one);
    }
    if (down.length > 0) {
      return { done: false, seen: "another look at the FEs" };
    }
    // An FE that was only started to join has no group yet.
    const isGroup = found.some(({ home }) => home.data.some(holdsMetadata));
    return this.#repaired.size === 0 || !isGroup || (await any.frontends.rows())
      ? { done: true, value: undefined }
      : { done: false, seen: "no FE answers" };
  }

  async #find(nodes: readonly NodeContext[]): Promise<readonly Found[]> {
    const homes = await Promise.all(nodes.map((node) => homeOf(node, this.#unreachable)));
    return nodes.flatMap((node, index) => {
      const home = homes[index];
      return home ? [{ node, home }] : [];
    });
  }

  async #start({ node, home }: Found): Promise<void> {
    this.#execution.report(`starting ${labelOf(node.spec)}`);
    const release = await this.#releaseFor(node, home);
    const spec = { ...node.spec, release } as NodeContext["spec"];
    const needed = this.#needed && ({ needed: true } as const);
    const action = { type: "repair", status: "stopped", together: true, ...needed } as const;
    const { id, wave, position } = this.#execution.item;
    const place = { id: `${labelOf(spec)}, found down`, node: nodeId(spec), within: id, wave, position };
    const own = { ...nodeItem(action, spec, this.#run.placeOf(spec, node.position)), ...place };
    try {
      await converge({ ...node, spec }, action, own, async () => undefined);
    } catch (error) {
      throw release.id === node.spec.release.id || !(error instanceof UserError)
        ? error
        : onItsLast(node, release, error);
    }
    if (this.#run.journal.stateOf(own.id) === "done") {
      this.#repaired.add(node);
    }
  }

  /**
   * The release on which a node found down is started: the one on which it ran well. Its own turn switches it, behind the
   * gate and after the canary.
   */
  async #releaseFor(node: NodeContext, home: ObservedHome): Promise<NodeRelease> {
    const { release } = node.spec;
    const { current, marker, previous } = home;
    const releases = (marker?.releases ?? []).map(({ id, version }) => ({ id, version }));
    const proven = releases.map(({ id }) => id);
    if (this.#turns === "over" || current === release.id || !ranWell({ current, previous, proven })) {
      return releaseFor(this.#topology, node, home);
    }
    // What an FE of the new release has written as a leader, one of the old release may not be able to read.
    const group = isFe(node) ? await Promise.all(this.#topology.nodes.filter(isFe).map(look)) : [];
    return group.some((other) => other.current === release.id)
      ? releaseFor(this.#topology, node, home)
      : (releases.at(-1) ?? release);
  }
}

/** What is to be done about a node that does not start on the release on which it ran. */
const onItsLast = ({ spec }: NodeContext, { version }: NodeRelease, error: UserError): UserError =>
  new UserError(
    `${messageOf(error)}\n${labelOf(spec)} was found down and started on ${version}, on which it ran: ${spec.release.version} comes in its own turn. ` +
      (spec.kind === "be"
        ? `If ${version} is why it is down, make it the canary, which is changed first: \`backends.rollout.canary: "${spec.name}"\`.`
        : `Bring it up by hand on ${version} (its fe.log says why it ends), then run \`pulumi up\` again.`),
    { cause: error },
  );

/** As the edges of a program have it: the leader when the followers run, observers when there is somebody to observe. */
const inStartOrder = (frontends: readonly NodeContext<FeSpec>[]): readonly NodeContext<FeSpec>[] => {
  const roles = ["follower", "leader", "observer"] as const;
  return roles.flatMap((role) => frontends.filter(({ spec }) => spec.role === role));
};

/**
 * The release for a node of which it is not known that it ran well on another one: the declared one, as it may be down
 * because the one before was bad. An FE whose turn has not come yet takes the one on which it was proven last.
 */
const releaseFor = async (
  topology: Topology,
  node: NodeContext,
  { current, marker, previous }: ObservedHome,
): Promise<NodeRelease> => {
  const { release } = node.spec;
  if (!isFe(node) || current === undefined || current === release.id) {
    return release;
  }
  const proven = marker?.releases.at(-1);
  const backends = await Promise.all(topology.nodes.filter(isBe).map(async (backend) => (await look(backend)).current));
  if (mayStartOnDeclared(release.version, { proven: proven?.version, backends: versionsOf(backends) })) {
    return release;
  }
  const { id, version } = proven ?? {};
  return id !== undefined && version !== undefined && [current, previous].includes(id)
    ? { id, version }
    : { id: current, version: versionOfId(current) };
};

/** Versions of the releases that are current in homes; a home that was never used has none. */
const versionsOf = (ids: readonly (string | undefined)[]): readonly string[] =>
  ids.flatMap((id) => (id === undefined ? [] : [versionOfId(id)]));

/** Whether it has run before, belongs here still, and does not run. */
const isDown = ({ home: { marker, process } }: Found): boolean => process === undefined && isInUse(marker);

/** Undefined where the host cannot be asked, and that is no reason to refuse. */
const homeOf = async (node: NodeContext, unreachable: Asked["unreachable"]): Promise<ObservedHome | undefined> => {
  try {
    return await look(node);
  } catch (error) {
    if (!(error instanceof TransientError)) {
      throw error;
    }
    if (unreachable === "left") {
      return undefined;
    }
    throw new UserError(`${labelOf(node.spec)} could not be looked at: ${messageOf(error)}`);
  }
};
