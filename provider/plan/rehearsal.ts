import { versionChange } from "./change.js";
import type { Item, Step } from "./steps.js";

/** `always`: for each release that is new to the cluster. `auto`: where another minor or major version is declared. */
export type RehearsalWish = "auto" | "always";

interface Releases {
  /** What was recorded; absent when nothing was, which says nothing of what runs. */
  readonly from: { readonly id: string; readonly version: string } | undefined;
  readonly to: { readonly id: string; readonly version: string };
}

/** Whether a rehearsal may be needed, from what is recorded: what runs is asked when it comes to it. */
export const mayRehearse = (wish: RehearsalWish, { from, to }: Releases): boolean => {
  if (from === undefined) {
    return true;
  }
  return from.id !== to.id && (wish === "always" || versionChange(from.version, to.version).size !== "patch");
};

/** Why what runs needs no rehearsal of the declared release; undefined when it needs one. */
export const needlessBecause = (
  wish: RehearsalWish,
  { from, to }: Releases,
  /** Version of the leading FE, without its commit. */
  leader: string,
): string | undefined => {
  const isAnotherBuild = wish === "always" && from !== undefined && from.version === to.version;
  if (leader === to.version && !isAnotherBuild) {
    return `the leader runs ${leader}`;
  }
  return wish === "auto" && versionChange(leader, to.version).size === "patch"
    ? `${leader} → ${to.version} is a patch (\`rehearsal: true\` rehearses those too)`
    : undefined;
};

export interface RehearsalPlace {
  readonly host: string;
  readonly memory: string;
  readonly position: number;
}

/** What the `Rehearsal` resource does; nothing where the recorded release says that there is nothing to rehearse. */
export const rehearsalItem = (wish: RehearsalWish, releases: Releases, place: RehearsalPlace): Item => {
  const { from, to } = releases;
  const steps = mayRehearse(wish, releases) ? rehearsalSteps(to.version, place) : [];
  const when = from === undefined ? "if a cluster runs already, with another version" : undefined;
  return {
    id: "rehearsal",
    wave: "rehearsal",
    position: place.position,
    change: steps.length === 0 ? "" : `${to.version} on ${place.host}`,
    stops: false,
    steps: steps.map((step) => (when === undefined ? step : { ...step, when })),
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
