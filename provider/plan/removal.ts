import type { Item } from "./steps.js";

/** A node that the program has no longer. */
export interface Removed {
  readonly kind: "fe" | "be";
  readonly name: string;
  /** Its place in the plan that had it. */
  readonly position: number;
}

const label = ({ kind, name }: Removed): string => `${kind.toUpperCase()} ${name}`;

/** First it leaves the cluster … */
export const leavingItem = (node: Removed): Item => ({
  id: `${label(node)} in the cluster`,
  wave: "removal",
  position: 2 * node.position,
  change: "removed",
  stops: false,
  steps: [
    {
      verb: "leave",
      text:
        node.kind === "be"
          ? `decommission ${label(node)}: its tablets move to the other BEs first`
          : `drop ${label(node)} from its group; where it leads, leadership is handed over first`,
    },
  ],
});

/** … then it stops. */
export const stoppingItem = (node: Removed): Item => ({
  id: label(node),
  wave: "removal",
  position: 2 * node.position + 1,
  change: "removed",
  stops: false,
  steps: [
    { verb: "stop", text: `stop ${label(node)} and prove that its process is gone` },
    { verb: "trash", text: "move its data to a dated folder; nothing is deleted", when: "if its cluster let it go" },
  ],
});

/** What becomes of the nodes that were declared before and are no longer. */
export const removalItems = (
  before: readonly Omit<Removed, "position">[],
  now: readonly Pick<Removed, "kind" | "name">[],
): readonly Item[] =>
  before.flatMap((node, position) =>
    now.some(({ kind, name }) => kind === node.kind && name === node.name)
      ? []
      : [leavingItem({ ...node, position }), stoppingItem({ ...node, position })],
  );
