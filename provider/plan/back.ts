import { versionChange } from "./change.js";
import { isDowngrade } from "./preflight.js";

export interface Failed {
  readonly kind: "fe" | "be";
  /** The version before the change, and the one of the change. */
  readonly from: string;
  readonly to: string;
  /** What SHOW FRONTENDS says of the leader; undefined while there is none. */
  readonly leader: string | undefined;
  /** Whether this FE itself led with the new version: then it has written metadata. */
  readonly led: boolean;
  /** Voting FEs of the group. */
  readonly voters: number;
}

/**
 * Why a node that failed after its switch must not be taken back by itself; undefined when it may. The point of no return
 * of a minor or major change is the first FE of the new version that leads: what it writes, an older one may not read.
 */
export const noWayBack = ({ kind, from, to, leader, led, voters }: Failed): string | undefined => {
  const { direction, size } = versionChange(from, to);
  if (kind === "be" || size === "patch" || direction !== "up") {
    return undefined;
  }
  if (led) {
    return `it has led the group with ${to} and may have written metadata that ${from} cannot read`;
  }
  if (leader !== undefined && isDowngrade(from, [leader])) {
    return `the group's leader runs ${leader}, whose metadata ${from} may not be able to read`;
  }
  return leader === undefined && voters > 1
    ? `the group has no leader, so nobody can tell whether ${to} has written metadata that ${from} cannot read`
    : undefined;
};
