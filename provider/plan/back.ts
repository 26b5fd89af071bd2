import { features, versionOf } from "../starrocks/versions.js";
import { versionChange } from "./change.js";
import { isDowngrade } from "./preflight.js";

/** A node that failed in a change of its version. */
export interface Failed {
  readonly kind: "fe" | "be";
  /** The version before the change, and the one of the change. */
  readonly from: string;
  readonly to: string;
  /** Whether the new version may have opened the data: its process was started. */
  readonly opened: boolean;
}

/** What is known of who has led its group. */
export interface Group {
  /** What SHOW FRONTENDS says of the leader; undefined while there is none. */
  readonly leader: string | undefined;
  /** Whether this FE itself led with the new version: then it has written metadata. */
  readonly led: boolean;
  /** The newest version on the disk of each other voting FE; undefined where it could not be looked at. */
  readonly others: readonly (string | undefined)[];
}

/**
 * Whether a node that failed after its switch may have passed a point of no return: of a minor or major change that is the
 * first FE of the new version that leads, as what it writes an older one may not read.
 */
export const mayBeTooLate = ({ kind, from, to }: Pick<Failed, "kind" | "from" | "to">): boolean => {
  const { direction, size } = versionChange(from, to);
  return kind === "fe" && size !== "patch" && direction === "up";
};

/** Whether an FE that was only started with the new version cannot go back: its bdb is closed to the old one's library then. */
export const closesBdb = ({ kind, from, to }: Pick<Failed, "kind" | "from" | "to">): boolean =>
  kind === "fe" && features(versionOf(from)).bdbJe < features(versionOf(to)).bdbJe;

/** Why such a node must not be taken back by itself; undefined when it may. Without a leader those count that may have led. */
export const noWayBack = (failed: Failed, { leader, led, others }: Group): string | undefined => {
  const { from, to } = failed;
  if (!mayBeTooLate(failed)) {
    return undefined;
  }
  if (failed.opened && closesBdb(failed)) {
    return `it was started with ${to}, and what the BDB library of ${to} has opened (bdb) that of ${from} cannot open`;
  }
  if (led) {
    return `it has led the group with ${to} and may have written metadata that ${from} cannot read`;
  }
  if (leader !== undefined) {
    return isDowngrade(from, [leader])
      ? `the group's leader runs ${leader}, whose metadata ${from} may not be able to read`
      : undefined;
  }
  const newer = others.find((version) => version !== undefined && isDowngrade(from, [version]));
  if (newer !== undefined) {
    return `the group has no leader, and another voting FE has ${newer}: it may have led and written metadata that ${from} cannot read`;
  }
  return others.includes(undefined)
    ? `the group has no leader, and another voting FE could not be looked at: nobody can tell whether ${to} has written metadata that ${from} cannot read`
    : undefined;
};
