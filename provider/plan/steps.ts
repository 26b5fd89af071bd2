import type { Size } from "./change.js";

/** What can be done to a resource of the cluster, in words that stand in plans, progress rows and the journal. */
export const verbs = {
  stage: "stage and verify",
  compose: "put the overlay over a copy",
  prune: "remove older releases",
  inspect: "inspect the hosts",
  repair: "repair",
  gate: "all alive?",
  image: "image",
  backup: "backup",
  pause: "pause",
  restore: "restore",
  turn: "turn",
  tablets: "safe?",
  handover: "hand over",
  stop: "stop",
  folders: "folders",
  switch: "switch",
  configure: "conf",
  start: "start",
  prove: "prove",
  heal: "whole",
  soak: "watch",
  verify: "queries",
  rollback: "back",
  rebuild: "rebuild",
  add: "add to the cluster",
  join: "prove that it joined",
  query: "query through it",
  survey: "prove every node",
  observe: "watch every node",
  isolate: "prove the isolation",
  copy: "copy the leader's metadata",
  rehearse: "start the new FE on it, alone",
  verdict: "judge",
  clean: "stop it and clean up",
  leave: "leave the cluster",
  trash: "move its data aside",
} as const;

export type Verb = keyof typeof verbs;

/** The verbs as they follow "failed to …". */
export const deeds: Readonly<Record<Verb, string>> = {
  ...verbs,
  inspect: "see all hosts fit",
  repair: "start the nodes found down",
  gate: "see all nodes alive",
  image: "see a metadata image written",
  backup: "back the metadata up",
  pause: "switch balancing off",
  restore: "set the balancer as it was",
  turn: "take its turn",
  tablets: "see its tablets safe without it",
  handover: "hand leadership over",
  folders: "make folders",
  switch: "switch the release",
  configure: "write its conf file",
  heal: "see its tablets whole again",
  soak: "stay well while it was watched",
  verify: "answer the declared queries",
  rollback: "be taken back",
  rebuild: "be rebuilt",
};

/** One thing to do. `when` is the condition of a step that cannot be foreseen from recorded state. */
export interface Step {
  readonly verb: Verb;
  /** The sentence for people. */
  readonly text: string;
  readonly when?: string;
}

/** Where in an operation a resource has its place; exact order between waves. */
export const waves = [
  "stage",
  "preflight",
  "rehearsal",
  "backends",
  "observers",
  "followers",
  "leader",
  "members",
  "rollout",
  // Pulumi deletes what a program has no longer after all creates and updates.
  "removal",
] as const;

export type Wave = (typeof waves)[number];

export type Direction = "upgrade" | "downgrade";

/** The waves in the order in which they run: a declared downgrade takes the FEs first. */
export const wavesOf = (direction: Direction): readonly Wave[] =>
  direction === "upgrade"
    ? waves
    : waves.filter((wave) => wave !== "backends").flatMap((wave) => (wave === "leader" ? [wave, "backends"] : [wave]));

/** The steps of one resource, with its place in the whole. */
export interface Item {
  /** Unique in the cluster and stable: `BE be-1`, `pre-flight`. */
  readonly id: string;
  /** How people read it, where that is no unique id. */
  readonly label?: string;
  readonly wave: Wave;
  readonly position: number;
  /** What is done to it, in a few words: `3.5.7 → 3.5.8`, `first start`. Empty when nothing is. */
  readonly change: string;
  /** The nodes that go together, for people: `canary, alone`, `rack r1`. */
  readonly group?: string;
  readonly from?: string;
  readonly to?: string;
  readonly size?: Size;
  readonly stops: boolean;
  /** Whether a node is started for the first time. */
  readonly first?: true;
  readonly steps: readonly Step[];
  /** The item of which a step does this one; such an item is never part of a plan, only of a journal. */
  readonly within?: string;
  /** The id of the node that it is about, where it stands beside that node's own item. */
  readonly node?: string;
}

/** `1. stop: …` as `--diff` shows it among a resource's inputs. */
export const numbered = (steps: readonly Step[]): string[] =>
  steps.map((step, index) => `${index + 1}. ${step.text}${step.when ? ` (only ${step.when})` : ""}`);
