import { isDeepStrictEqual } from "node:util";
import { until } from "../../wait.js";
import { labelOf, type NodeContext, type Report, type StopAsked } from "./context.js";
import type { KindWork } from "./kind-work.js";

export interface Sparing {
  /** Names of the nodes of its kind that are down, this one left out. */
  readonly down: () => Promise<readonly string[]>;
  /** With which of these down its tablets were asked for already; undefined where they were not. */
  readonly judged?: readonly string[];
  readonly failed?: StopAsked["failed"];
  readonly report: Report;
  /** What is to be done where others stay down. */
  readonly advice?: string;
}

/**
 * Waits until this node can be spared: no more others of its kind are down than may be beside it, and with those down every
 * tablet can do without it. That may take an hour, so the others are looked at again after it.
 */
export const untilSpared = async (
  context: NodeContext,
  work: KindWork,
  { judged, ...sparing }: Sparing,
): Promise<void> => {
  const { failed, report } = sparing;
  let asked = judged;
  for (
    let down = await othersRun(context, work, sparing);
    !isDeepStrictEqual(down, asked);
    down = await othersRun(context, work, sparing)
  ) {
    await work.mayStop(report, { down, ...(failed && { failed }) });
    asked = down;
  }
};

const othersRun = (
  { limits, run, spec }: NodeContext,
  { row }: KindWork,
  { advice, down, failed, report }: Sparing,
): Promise<readonly string[]> => {
  const turnstile = spec.kind === "be" ? run.backends : run.frontends;
  return until<readonly string[]>(
    async () => {
      const rows = await down();
      const obstacle = turnstile.tooMany(row, rows, run.apart(row));
      const isSpared = obstacle === undefined || (await failed?.isGone());
      return isSpared ? { done: true, value: turnstile.beside(rows) } : { done: false, seen: obstacle };
    },
    {
      what: `the other ${spec.kind.toUpperCase()}s to run`,
      limit: limits.alive,
      onProgress: report,
      advice: `${labelOf(spec)} was not stopped.${advice === undefined ? "" : ` ${advice}`}`,
    },
  );
};
