import { versionChange } from "./change.js";
import { theOthers } from "./place.js";
import { pointAhead } from "./point-of-no-return.js";
import { pauseText } from "./quorum.js";
import { type Direction, type Item, verbs, type Wave, wavesOf } from "./steps.js";

export interface Bounds {
  /** How many BEs may be down at once. */
  readonly maxUnavailable: number;
  /** Default `upgrade`. */
  readonly direction?: Direction;
  /** Voting FEs of the group, where they are known. */
  readonly voters?: number;
  /** Whether a new cluster's root gets a password. */
  readonly setsPassword?: boolean;
}

const headings: Readonly<Record<Wave, (bounds: Bounds, items: readonly Item[]) => string>> = {
  stage: () => "Bring the release to the hosts; nothing stops",
  preflight: () => "Before anything is touched",
  rehearsal: () => "The new FE on a copy of the metadata, cut off from every network",
  backends: ({ maxUnavailable }, items) =>
    items.some((item) => item.stops) ? `Backends, at most ${maxUnavailable} down at a time` : "Backends",
  observers: (_, items) => `Observer FEs${pace(items)}`,
  followers: (_, items) => `Follower FEs${pace(items)}`,
  leader: () => "Leader FE, last",
  members: () => "Membership",
  rollout: () => "At the end",
  removal: () => "Then, what the program has no longer",
};

/** First starts of FEs go one by one, each until it is proven; those that were only found down are started together. */
const pace = (items: readonly Item[]): string => {
  if (items.some((item) => item.stops)) {
    return ", one at a time";
  }
  return items.length > 1 && items.every((item) => item.first) ? ", one by one" : "";
};

/** Items in the order in which they run: exact between waves, preferred within one. */
export const inOrder = (items: Iterable<Item>, direction: Direction = "upgrade"): readonly Item[] => {
  const waves = wavesOf(direction);
  return [...items].sort(
    (a, b) => waves.indexOf(a.wave) - waves.indexOf(b.wave) || a.position - b.position || a.id.localeCompare(b.id),
  );
};

/** Whether anything at all is going to happen. */
export const isEmpty = (items: readonly Item[]): boolean => items.every((item) => item.steps.length === 0);

/** What an item is called in a line for people. */
export const subject = ({ change, id, label = id }: Item): string => `${label}${change ? `, ${change}` : ""}`;

/** One line of a plan; the journal's report has the same line with its mark. */
export const line = (item: Item): string => {
  const steps = item.steps.map((step) => (step.when ? `[${verbs[step.verb]}]` : verbs[step.verb])).join(" → ");
  return `${subject(item)}: ${steps}`;
};

/** The whole plan as people read it in preview. */
export const planText = (cluster: string, items: Iterable<Item>, bounds: Bounds): string => {
  const { direction } = bounds;
  const ordered = inOrder(items, direction).filter((item) => item.steps.length > 0);
  const lines = [
    title(shortName(cluster), ordered),
    `${bound(ordered, bounds)}From the recorded state; hosts are asked when it runs.`,
    ...onFailure(ordered),
    ...password(bounds),
    ...pause(ordered, bounds),
    ...pointAhead(ordered),
  ];
  let number = 0;
  for (const wave of wavesOf(direction ?? "upgrade")) {
    const inWave = ordered.filter((item) => item.wave === wave);
    if (inWave.length > 0) {
      lines.push(`${headings[wave](bounds, inWave)}:`);
      // "The others" are none where no canary goes before them.
      const grouped = inWave.some((item) => item.group !== undefined && item.group !== theOthers);
      let group: string | undefined;
      for (const item of inWave) {
        if (grouped && item.group !== group && item.group !== undefined) {
          lines.push(`  ${item.group}:`);
        }
        group = item.group;
        number += 1;
        lines.push(...wrapped(`${String(number).padStart(4)}. ${line(item)}`));
      }
    }
  }
  const conditions = ordered.some((item) => item.steps.some((step) => step.when));
  const brackets = conditions ? "Steps in [brackets] run only when they are found necessary. " : "";
  return [...lines, `${brackets}What each word stands for: docs/changes.md.`].join("\n");
};

/** Columns of a terminal, without the CLI's indent. */
const width = 116;

/** A long line goes on in the next one, which begins with the arrow. */
const wrapped = (text: string): readonly string[] => {
  const cut = text.length > width ? text.lastIndexOf(" → ", width) : -1;
  return cut <= 0 || !text.slice(0, cut).includes(": ")
    ? [text]
    : [text.slice(0, cut), ...wrapped(`${continuation}${text.slice(cut + 1)}`)];
};

const continuation = " ".repeat(8);

/** What bounds the operation; only where a running node is stopped. */
const bound = (items: readonly Item[], { maxUnavailable }: Bounds): string =>
  items.some((item) => item.stops) ? `At most ${maxUnavailable} BE and 1 FE down at a time. ` : "";

const onFailure = (items: readonly Item[]): readonly string[] =>
  items.some((item) => item.stops)
    ? ["The first failure stops the change: that node is taken back, no other is begun."]
    : [];

const password = ({ setsPassword }: Bounds): readonly string[] =>
  setsPassword ? ["The root of a new cluster gets the declared password."] : [];

/** Small FE groups cannot go on without one of their FEs. */
const pause = (items: readonly Item[], { voters = 0 }: Bounds): readonly string[] => {
  const stops = items.some(({ wave, stops }) => stops && (wave === "followers" || wave === "leader"));
  const text = stops ? pauseText(voters) : undefined;
  return text === undefined ? [] : [text];
};

/** A cluster's key ends in the name that the program gave it: `project/stack/analytics`. */
export const shortName = (cluster: string): string => cluster.split("/").at(-1) ?? cluster;

/** Releases of one version differ by what was built: a hotfix, or an archive that was mended. */
const changeOf = (from: string, to: string): string => {
  if (from === to) {
    return `${to} (another build)`;
  }
  const { direction, size } = versionChange(from, to);
  return `${from} → ${to} (${direction === "down" ? `back to an older ${size} version` : `${size} version`})`;
};

const title = (cluster: string, items: readonly Item[]): string => {
  const stopping = items.filter((item) => item.stops);
  const switched = stopping.filter((item) => item.from !== undefined && item.to !== undefined);
  const first = switched.find((item) => item.from !== item.to) ?? switched[0];
  const count = (wave: readonly Wave[], what: string): string[] => {
    const number = stopping.filter((item) => wave.includes(item.wave)).length;
    return number > 0 ? [`${number} ${what}`] : [];
  };
  const removed = items.filter(
    ({ wave, steps }) => wave === "removal" && steps.some(({ verb }) => verb === "stop"),
  ).length;
  const who = [...count(["backends"], "BE"), ...count(["observers", "followers", "leader"], "FE")].join(", ");
  if (first?.from && first.to) {
    return `${cluster}: StarRocks ${changeOf(first.from, first.to)} on ${who}.${removed > 0 ? ` ${nodes(removed)} removed.` : ""}`;
  }
  if (stopping.length > 0) {
    return `${cluster}: restart of ${who}.${removed > 0 ? ` ${nodes(removed)} removed.` : ""}`;
  }
  const starts = items.filter((item) => ["backends", "observers", "followers", "leader"].includes(item.wave)).length;
  const changed = [
    ...(starts > 0 ? [`${nodes(starts)} started`] : []),
    ...(removed > 0 ? [`${nodes(removed)} removed`] : []),
  ];
  // One that is started may run already, otherwise than declared.
  return `${cluster}: ${[...changed, changed.length > 0 ? "no other" : "no"].join(", ")} running node is stopped.`;
};

const nodes = (count: number): string => `${count} ${count === 1 ? "node is" : "nodes are"}`;
