import { until } from "../../wait.js";
import { labelOf, type NodeContext, type Report } from "./context.js";

export interface OthersAsked {
  /** How the cluster names this node. */
  readonly row: string;
  /** Names of the nodes of its kind that are down, this one left out. */
  readonly down: () => Promise<readonly string[]>;
  /** Milliseconds. */
  readonly limit: number;
  readonly report: Report;
  readonly advice?: string;
}

/** Waits until no more nodes of its kind are down than may be beside this one while that is stopped; gives those. */
export const othersRun = (
  { run, spec }: NodeContext,
  { advice, down, limit, report, row }: OthersAsked,
): Promise<readonly string[]> => {
  const turnstile = spec.kind === "be" ? run.backends : run.frontends;
  return until<readonly string[]>(
    async () => {
      const rows = await down();
      const obstacle = turnstile.tooMany(rows, run.apart(row));
      return obstacle === undefined ? { done: true, value: turnstile.beside(rows) } : { done: false, seen: obstacle };
    },
    {
      what: `the other ${spec.kind.toUpperCase()}s to run`,
      limit,
      onProgress: report,
      advice: `${labelOf(spec)} was not stopped.${advice === undefined ? "" : ` ${advice}`}`,
    },
  );
};
