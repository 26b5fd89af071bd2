import { compareVersions, parseReported, parseVersion } from "../starrocks/versions.js";
import type { Item, Step } from "./steps.js";

/** What the `Preflight` resource does when it is created or changed. */
export const preflightItem = (changes: boolean, position: number): Item => ({
  id: "pre-flight",
  wave: "preflight",
  position,
  change: "",
  stops: false,
  steps: changes
    ? [
        {
          verb: "inspect",
          text: "see on every host: release staged, JDK, limits, programs, disk, ports free or our own, clocks of FEs within 5 s",
        },
      ]
    : [],
});

/** A node that is down is repaired, never a reason to refuse its own repair. */
export const repairStep: Step = { verb: "repair", text: "start declared nodes that are down", when: "if one is" };

/** The same at the end of an operation, of nodes that it does not change. */
export const mendStep: Step = {
  verb: "repair",
  text: "start declared nodes that are down, and put back those that run another release: a change of theirs was cut short",
  when: "if there are any",
};

/** What is going to be done to running nodes. */
interface Stops {
  readonly versions: boolean;
  readonly backends: boolean;
}

/** What comes before the first stop of a running node, whichever node it is; more of it before a version change. */
export const gateItem = ({ backends, versions }: Stops): Item => ({
  id: "gate",
  wave: "preflight",
  position: Number.MAX_SAFE_INTEGER,
  change: "before the first stop",
  stops: false,
  steps: [
    { verb: "inspect", text: "see on every host: release staged, JDK, limits", when: "if this run has not done so" },
    repairStep,
    {
      verb: "gate",
      text: "see every FE and BE Alive with a version of this plan, clocks within 5 s, no BE being decommissioned",
    },
    ...(backends ? [tabletsStep] : []),
    ...(versions ? metadataSteps : []),
  ],
});

const tabletsStep: Step = {
  verb: "tablets",
  text: "wait until no tablet would be worse off without any of the BEs to be stopped than its table's replication allows",
};

const metadataSteps: readonly Step[] = [
  { verb: "image", text: "let the leader write a metadata image" },
  {
    verb: "backup",
    text: "copy the leader's metadata to a dated folder beside it (or in its home) and prove the copy; three are kept",
  },
];

/** Around the change of BEs: their tablets must not be moved about while BEs go down and come back. */
export const balancing = {
  paused: {
    id: "balancing off",
    wave: "backends",
    position: -1,
    change: "",
    stops: false,
    steps: [{ verb: "pause", text: "note the balancer's settings on the FE hosts, and switch balancing off" }],
  },
  restored: {
    id: "balancing on",
    wave: "backends",
    position: Number.MAX_SAFE_INTEGER,
    change: "",
    stops: false,
    steps: [{ verb: "restore", text: "set the balancer as it was" }],
  },
} as const satisfies Record<string, Item>;

/** The plan with what guards it, where a running node is going to be stopped. */
export const withGate = (items: readonly Item[]): readonly Item[] => {
  const stopping = items.filter(({ stops }) => stops);
  if (stopping.length === 0) {
    return items;
  }
  const backends = stopping.some(({ wave }) => wave === "backends");
  return [
    ...items,
    gateItem({ versions: stopping.some(({ from }) => from !== undefined), backends }),
    ...(backends ? [balancing.paused, balancing.restored] : []),
  ];
};

/** Whether the declared version is older than one that an FE runs: its metadata could be unreadable for it. */
export const isDowngrade = (declared: string, running: readonly (string | undefined)[]): boolean => {
  const wanted = parseVersion(declared);
  return running.some((text) => {
    const version = parseReported(text);
    return wanted !== undefined && version !== undefined && compareVersions(wanted, version) < 0;
  });
};

/**
 * Whether an FE that was found down may be started on the declared version before its turn: FEs come after BEs, and an
 * FE does not go back from a version that it was proven on. (One that never came up on a newer version does go back.)
 */
export const mayStartOnDeclared = (
  declared: string,
  { proven, backends }: { readonly proven: string | undefined; readonly backends: readonly string[] },
): boolean => !isDowngrade(declared, [proven]) && backends.every((version) => !isDowngrade(version, [declared]));

/** What a home says of the releases that a node has had, by their ids. */
export interface Releases {
  readonly current: string | undefined;
  readonly previous: string | undefined;
  /** Those on which it was proven, oldest first. */
  readonly proven: readonly string[];
}

/**
 * Whether a node ran well on its current release until it went down. Not so where a change was broken off after its
 * switch, or where a node was taken back from a release on which it never came up: that may be why it is down.
 */
export const ranWell = ({ current, previous, proven }: Releases): boolean =>
  current !== undefined && current === proven.at(-1) && (previous === undefined || proven.includes(previous));
