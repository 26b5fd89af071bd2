import { versionChange } from "./change.js";
import type { Item, Step } from "./steps.js";

/** `always`: for each release that is new to the cluster. `auto`: where another minor or major version is declared. */
export type RehearsalWish = "auto" | "always";

interface Release {
  readonly id: string;
  readonly version: string;
}

/** What the FEs ran. Which build of that version is known only where it was one of those declared before. */
export interface Ran {
  readonly id?: string | undefined;
  readonly version: string;
}

/** What is recorded of the last rehearsal, done or needless. It is no record of what became of the FEs since. */
export interface Rehearsed {
  readonly to: Release;
  /** What the leader ran then, and runs still where that change was not made; absent from states of before this was kept. */
  readonly against: Ran | undefined;
}

interface Releases {
  /** Absent when nothing was recorded, which says nothing of what runs. */
  readonly from: Rehearsed | undefined;
  readonly to: Release;
}

/** Nothing runs that the declared release would have to be rehearsed on. */
export const rehearsedAlready = (to: Release): Rehearsed => ({ to, against: to });

/** Whether FEs that run this need a rehearsal of the declared release. */
const needs = (wish: RehearsalWish, ran: Ran, to: Release): boolean =>
  ran.id !== to.id && (wish === "always" || versionChange(ran.version, to.version).size !== "patch");

/**
 * Whether a rehearsal is done, from what is recorded: the last change may have been made, or have failed, so where the two
 * differ the answer is a condition, and the leader is asked when it comes to it.
 */
const foreseen = (wish: RehearsalWish, { from, to }: Releases): "yes" | "no" | { readonly when: string } => {
  if (from === undefined) {
    return { when: "if a cluster runs already, with another version" };
  }
  if (from.to.id === to.id) {
    return "no";
  }
  const { against } = from;
  const made = needs(wish, from.to, to);
  const failed = against === undefined ? true : needs(wish, against, to);
  if (made === failed) {
    return made ? "yes" : "no";
  }
  if (made) {
    return { when: `if the FEs run ${from.to.version}` };
  }
  return {
    when: against === undefined ? "if the FEs run another minor version" : `if the FEs still run ${against.version}`,
  };
};

/** Why what runs needs no rehearsal of the declared release; undefined when it needs one. */
export const needlessBecause = (
  wish: RehearsalWish,
  { from, to }: Releases,
  /** Version of the leading FE, without its commit. */
  leader: string,
): string | undefined => {
  if (leader === to.version && !(wish === "always" && isAnotherBuild(from, to))) {
    return `the leader runs ${leader}`;
  }
  return wish === "auto" && versionChange(leader, to.version).size === "patch"
    ? `${leader} → ${to.version} is a patch (\`rehearsal: true\` rehearses those too)`
    : undefined;
};

/** Whether a leader that runs the declared version runs another build of it, as far as builds are known. */
const isAnotherBuild = (from: Rehearsed | undefined, to: Release): boolean => {
  const ids = known(from).flatMap(({ id, version }) => (version === to.version && id !== undefined ? [id] : []));
  return ids.length > 0 && !ids.includes(to.id);
};

const known = (from: Rehearsed | undefined): readonly Ran[] =>
  [from?.to, from?.against].filter((one) => one !== undefined);

/** What is recorded once the declared release was rehearsed, or turned out to need none. */
export const nowRehearsed = (
  { from, to }: Releases,
  /** Version of the leading FE; undefined where it was not asked, or nothing leads. */
  leader: string | undefined,
): Rehearsed => {
  if (leader !== undefined) {
    // The newest first: of two builds of one version that is what a change that was made has left.
    const build = known(from).find(({ id, version }) => version === leader && id !== undefined);
    return { to, against: build ?? { version: leader } };
  }
  if (from === undefined) {
    return rehearsedAlready(to);
  }
  // Whatever runs of those two, it needed no rehearsal.
  return { to, against: from.to.id === to.id ? from.against : from.to };
};

export interface RehearsalPlace {
  readonly host: string;
  readonly memory: string;
  readonly position: number;
}

/** What the `Rehearsal` resource does; nothing where the recorded releases say that there is nothing to rehearse. */
export const rehearsalItem = (wish: RehearsalWish, releases: Releases, place: RehearsalPlace): Item => {
  const { to } = releases;
  const need = foreseen(wish, releases);
  const steps = need === "no" ? [] : rehearsalSteps(to.version, place);
  return {
    id: "rehearsal",
    wave: "rehearsal",
    position: place.position,
    change: steps.length === 0 ? "" : `${to.version} on ${place.host}`,
    stops: false,
    steps: steps.map((step) => (typeof need === "string" ? step : { ...step, ...need })),
  };
};

const rehearsalSteps = (version: string, { host, memory }: RehearsalPlace): readonly Step[] => [
  {
    verb: "isolate",
    text: `prove that a process on ${host} can be cut off from every network; ${version} is staged there if it is not yet`,
  },
  { verb: "copy", text: `copy the leader's metadata, image and bdb, to a fresh folder on ${host}` },
  {
    verb: "rehearse",
    text: `start the FE of ${version} on the copy, as a cluster of its own, all ports changed, at most ${memory} of heap`,
  },
  {
    verb: "verdict",
    text: "see it lead itself, all of the journal replayed, databases and tables as in production, an image written",
  },
  { verb: "clean", text: "stop it, prove that it is gone, remove the copy (kept after a failure)" },
];
