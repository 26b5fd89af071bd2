import type { Verb } from "../../../provider/plan/steps.js";
import type { ReleaseOptions } from "../../simulator/release.js";
import { Random } from "./random.js";

/** A fault strikes when an operation has come so far; without a trigger, before the operation begins. */
export type Trigger = StepsDone | { readonly sign: Sign };

/** So many steps of this verb have ended on nodes. */
export interface StepsDone {
  readonly verb: Verb;
  readonly nth: number;
  /** The resource whose steps count, as the journal names it, made plain by the lab: sites differ in addresses. Default: every node. */
  readonly item?: string;
}

/** What the hosts or the cluster show in the middle of a long step. */
export const signs = [
  "be1 dropped",
  "be1's data aside",
  "be1 started on empty folders",
  "be1 added again",
  "copy begun",
  "copy started",
] as const;

export type Sign = (typeof signs)[number];

export type NodeName = `${"fe" | "be"}${number}`;

export type FaultKind =
  | "ssh cut"
  | "host reboot"
  | "process killed"
  | "disk full"
  | "slow start"
  | "hang at start"
  | "crash loop"
  | "stale Alive"
  | "leader change"
  | "client kill"
  | "concurrent decommission";

export interface Fault {
  readonly kind: FaultKind;
  /** The host that it strikes; where it strikes whoever leads or operates, it is not looked at. */
  readonly node: NodeName;
  readonly when?: Trigger;
  /** Milliseconds after which it is over by itself; without, it stays until the operation has ended. */
  readonly lasts?: number;
}

/** What a bad build brings along. */
export type BadBuild = Pick<ReleaseOptions, "fe" | "be">;

/** What leads from one cluster to another one. */
export type Alteration = { readonly faults: readonly Fault[] } & (
  | { readonly type: "upgrade"; readonly version: string }
  | {
      readonly type: "bad build";
      readonly version: string;
      readonly build: BadBuild;
      readonly afterwards: "repair" | "return";
      /** What the repaired build still brings along. Default: nothing. */
      readonly repaired?: BadBuild;
    }
  | { readonly type: "downgrade"; readonly version: string }
  | { readonly type: "setting"; readonly of: "fe" | "be"; readonly value: number }
  | { readonly type: "one more BE" }
  | { readonly type: "one BE less" }
);

/** Nothing is declared any more; and then all is declared again. */
export interface Destroy {
  readonly type: "destroy";
  readonly faults: readonly Fault[];
}

export type Change = Alteration | Destroy;

/** What a plan's program declares that others do not: queries to be answered, a canary to be rebuilt, a rehearsal of every release. */
export type Extra = "verify" | "rebuild" | "rehearsal";

/** By ADMIN SET: an FE that is restarted has forgotten them. */
export type OwnBalancer = "in fe.conf" | "by ADMIN SET";

export interface Plan {
  readonly seed: number;
  readonly frontends: number;
  readonly backends: number;
  readonly replicas: number;
  readonly version: string;
  readonly maxUnavailable: number;
  readonly canary: boolean;
  readonly racks: boolean;
  readonly extras?: readonly Extra[];
  /** How the user's own values of the balancer came into the FEs. Default: there are none. */
  readonly balancer?: OwnBalancer;
  readonly changes: readonly Change[];
}

/** Versions in the order in which a plan climbs them; all of these jumps are allowed, and none leads over a line's end. */
const ladders: readonly [readonly string[], ...(readonly string[])[]] = [
  ["3.5.7", "3.5.8", "3.5.9"],
  ["3.5.7", "3.5.8", "3.5.9"],
  ["3.4.10", "3.4.11", "3.5.7"],
  ["3.3.10", "3.3.11", "3.3.12"],
];

/**
 * Lines with other scripts, statements and images, which each eighth plan climbs: all that else happens in it, and the
 * other plans, are as their seeds had them before there were these.
 */
const olderLadders: typeof ladders = [
  ["2.5.20", "2.5.21", "3.0.9"],
  ["3.0.8", "3.0.9", "3.1.15"],
  ["3.1.14", "3.1.15", "3.1.16"],
  ["3.1.14", "3.1.15", "3.2.11"],
];

/** No random number decides on them: the rest of a plan is as its seed had it before there were these. */
const balancers: readonly (OwnBalancer | undefined)[] = [undefined, "in fe.conf", undefined, "by ADMIN SET"];

/** Mixes the digits, so that plans of older lines, each eighth, have all of them. */
const balancerOf = (seed: number): OwnBalancer | undefined =>
  balancers[(seed + Math.floor(seed / 8)) % balancers.length];

/** Steps of a node after which something can strike. */
const strikes: readonly [Verb, ...Verb[]] = ["turn", "stop", "switch", "start", "prove"];

const badBuilds: readonly [BadBuild, ...BadBuild[]] = [
  { be: { faults: [{ fault: "dieAtStart", message: "a bad build" }] } },
  { be: { faults: [{ fault: "hangAtStart" }] } },
  { be: { faults: [{ fault: "crashLoop", afterMs: 800 }] } },
  { be: { faults: [{ fault: "wrongVersion", version: "3.5.0" }] } },
  { fe: { faults: [{ fault: "dieAtStart", message: "a bad build" }] } },
  { fe: { faults: [{ fault: "hangAtStart" }] } },
  { fe: { faults: [{ fault: "crashLoop", afterMs: 800 }] } },
];

const faultKinds: readonly [FaultKind, ...FaultKind[]] = [
  "ssh cut",
  "host reboot",
  "process killed",
  "disk full",
  "slow start",
  "hang at start",
  "crash loop",
  "stale Alive",
  "leader change",
  "client kill",
  "client kill",
  "concurrent decommission",
];

/** What happens in a plan, from its seed alone. */
export const planOf = (seed: number): Plan => {
  const random = new Random(seed);
  const frontends = random.pick([1, 1, 1, 1, 1, 2, 3, 3]);
  const backends = frontends === 3 ? random.pick([1, 2, 2, 3]) : random.pick([1, 2, 2, 3, 3, 4]);
  const replicas = Math.min(3, backends);
  const [version = "", ...later] = random.pick(seed % 8 === 5 ? olderLadders : ladders);
  const shape = { frontends, backends };
  const changes: Change[] = [];
  const rungs = [...later];
  // Most plans change once: what a plan costs is mostly its nodes' starts.
  for (let count = random.pick([1, 1, 1, 1, 2]); count > 0; count--) {
    changes.push(changeOf(random, shape, rungs));
  }
  const balancer = balancerOf(seed);
  return {
    seed,
    frontends,
    backends,
    replicas,
    version,
    maxUnavailable: backends === 4 && random.chance(0.5) ? 2 : 1,
    canary: backends > 1 && random.chance(0.5),
    racks: backends > 2 && random.chance(0.3),
    ...(balancer && { balancer }),
    changes,
  };
};

/**
 * Shares of a cluster's nodes that a change stops and starts, roughly. A bad build has its limits waited for, its nodes
 * switched back, and another operation behind it.
 */
const shares: Readonly<Record<Change["type"], number>> = {
  "bad build": 3,
  upgrade: 1,
  setting: 0.4,
  "one more BE": 0.4,
  "one BE less": 0.4,
  downgrade: 1,
  destroy: 1,
};

/** How long a plan takes next to others. */
export const lengthOf = ({ frontends, backends, changes }: Plan): number =>
  (3 + frontends + backends) * changes.reduce((sum, { type }) => sum + shares[type], 0);

interface Shape {
  readonly frontends: number;
  backends: number;
}

const changeOf = (random: Random, shape: Shape, rungs: string[]): Change => {
  const { frontends, backends } = shape;
  const roll = random.next();
  const [version] = rungs;
  if (version !== undefined && roll < 0.2) {
    rungs.shift();
    const build = random.pick(badBuilds);
    const afterwards = random.pick<"repair" | "return">(["repair", "return"]);
    return { type: "bad build", version, build, afterwards, faults: [] };
  }
  const faults = random.chance(0.92) ? [faultOf(random, shape)] : [];
  if (version === undefined || roll < 0.3) {
    const of = random.pick<"be" | "fe">(["be", "be", "fe"]);
    return { type: "setting", of, value: random.between(1, 999), faults };
  }
  if (roll < 0.37 && backends < 4) {
    shape.backends += 1;
    return { type: "one more BE", faults: faults.filter(({ kind }) => kind !== "concurrent decommission") };
  }
  if (roll < 0.43 && backends === 4) {
    shape.backends -= 1;
    return { type: "one BE less", faults: faults.filter(({ kind }) => kind !== "concurrent decommission") };
  }
  rungs.shift();
  return { type: "upgrade", version, faults: frontends + backends > 2 ? faults : faults.slice(0, 1) };
};

const faultOf = (random: Random, { frontends, backends }: Shape): Fault => {
  const drawn = random.pick(faultKinds);
  // With a BE to spare it would be done with in a moment, and the BE gone: that is another program.
  const kind = drawn === "concurrent decommission" && backends > 3 ? "process killed" : drawn;
  const onFe = random.chance(0.35);
  const node: NodeName = onFe ? `fe${random.between(1, frontends)}` : `be${random.between(1, backends)}`;
  const when: Trigger = { verb: random.pick(strikes), nth: random.between(1, Math.max(1, frontends + backends - 1)) };
  const lasts = random.chance(0.4) ? random.between(300, 4000) : undefined;
  const before = random.chance(0.15);
  switch (kind) {
    case "slow start":
    case "hang at start":
    case "crash loop":
    case "disk full":
      // They strike the next start or the next upload: what is under way has no harm of them.
      return { kind, node, ...(lasts !== undefined && kind !== "crash loop" && { lasts: lasts * 2 }) };
    case "concurrent decommission":
      return { kind, node: `be${random.between(1, backends)}`, ...(!before && { when }) };
    case "ssh cut":
    case "stale Alive":
      return { kind, node, ...(!before && { when }), ...(lasts !== undefined && { lasts }) };
    case "client kill":
      return { kind, node, when };
    default:
      return { kind, node, ...(!before && { when }) };
  }
};

/** One line for people. */
export const describePlan = ({
  backends,
  balancer,
  canary,
  changes,
  extras = [],
  frontends,
  maxUnavailable,
  racks,
  version,
}: Plan): string => {
  const told = changes.map((change) => [describeChange(change), ...change.faults.map(describeFault)].join(" with "));
  const how = [
    ...(maxUnavailable > 1 ? [`${maxUnavailable} at once`] : []),
    ...(canary ? ["canary"] : []),
    ...(racks ? ["racks"] : []),
    ...extras,
    ...(balancer ? [`own balancer ${balancer}`] : []),
  ];
  return `${frontends} FE + ${backends} BE of ${version}${how.length > 0 ? ` (${how.join(", ")})` : ""}: ${told.join("; ")}`;
};

const describeChange = (change: Change): string => {
  switch (change.type) {
    case "upgrade":
      return `to ${change.version}`;
    case "downgrade":
      return `back to ${change.version}`;
    case "bad build": {
      const habits = Object.entries(change.build).map(([part, { faults }]) => `${part} ${faults?.[0]?.fault}`);
      return `to a bad ${change.version} (${habits.join()}), then ${change.afterwards}`;
    }
    case "setting":
      return `a setting of all ${change.of}s`;
    default:
      return change.type;
  }
};

export const describeFault = ({ kind, lasts, node, when }: Fault): string => {
  return `${kind} (${node}, ${describeTrigger(when)}${lasts ? `, for ${lasts} ms` : ""})`;
};

const describeTrigger = (when: Trigger | undefined): string => {
  if (when === undefined) {
    return "before";
  }
  return "sign" in when
    ? `at "${when.sign}"`
    : `at "${when.verb}" ${when.nth}${when.item === undefined ? "" : ` of ${when.item}`}`;
};
