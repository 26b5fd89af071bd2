import { closesBdb } from "./back.js";
import { versionChange } from "./change.js";
import { isDowngrade } from "./preflight.js";
import type { Item } from "./steps.js";

/** A change of the release line whose new FEs have led: older ones may not be able to read what they have written. */
export interface Passed {
  readonly from: string;
  readonly to: string;
}

/** Whether a change has a point of no return: a patch can always go back, and a downgrade has floors instead. */
const hasPoint = (from: string, to: string): boolean => {
  const { direction, size } = versionChange(from, to);
  return direction === "up" && size !== "patch";
};

/** The change of a voting FE that leads beyond it. */
const crossingIn = (items: readonly Item[]): Passed | undefined => {
  const item = items.find(
    ({ from, stops, to, wave }) =>
      stops &&
      (wave === "followers" || wave === "leader") &&
      from !== undefined &&
      to !== undefined &&
      hasPoint(from, to),
  );
  return item?.from !== undefined && item.to !== undefined ? { from: item.from, to: item.to } : undefined;
};

/** The line of a plan that tells of it; none where no FE is changed so. */
export const pointAhead = (items: readonly Item[]): readonly string[] => {
  const crossing = crossingIn(items);
  if (!crossing) {
    return [];
  }
  const { from, to } = crossing;
  const but = closesBdb({ kind: "fe", from, to })
    ? `, but for an FE that was started with ${to}: ${from} cannot open its bdb any more`
    : "";
  return [
    `Point of no return: the first FE of ${to} that leads; until then a node that fails is taken back to ${from}${but} (docs/changes.md).`,
  ];
};

/** The line of a report on an operation that failed; `leader` is the version of the FE that leads, if one does. */
export const pointNow = (items: readonly Item[], leader: string | undefined): readonly string[] => {
  const crossing = crossingIn(items);
  if (!crossing) {
    return [];
  }
  if (leader === undefined) {
    return [`whether the point of no return is passed is not known: no FE leads now`];
  }
  return [
    isDowngrade(crossing.from, [leader])
      ? passedText({ ...crossing, to: leader })
      : `the point of no return is not passed: an FE of ${leader} leads`,
  ];
};

/** What was passed by now, after an operation that ended well; `recorded` is what the one before had left. */
export const passedBy = (
  recorded: { readonly version?: string | undefined; readonly passed?: Passed | undefined },
  to: string,
): Passed | undefined => {
  const { passed, version: from } = recorded;
  if (from !== undefined && hasPoint(from, to)) {
    return { from, to };
  }
  // Below it a declared downgrade has led.
  return passed && hasPoint(to, passed.to) ? undefined : passed;
};

export const passedText = ({ from, to }: Passed): string =>
  `the point of no return is passed: FEs of ${to} have led; back to ${from} only by a declared downgrade`;
