/** What is counted of a plan, or of several; docs/storm.md says how. */
export interface Counts {
  readonly faults: number;
  readonly writesAcknowledged: number;
  readonly writesLost: number;
  readonly extraNodesDown: number;
  readonly untrueExits: number;
  readonly unfinished: number;
}

/** What was seen of a plan. */
export interface Verdict extends Counts {
  readonly seed: number;
  /** What was done, line by line. */
  readonly log: readonly string[];
}

/** That nothing was lost is known only where the client wrote. */
export const isWell = ({ extraNodesDown, unfinished, untrueExits, writesAcknowledged, writesLost }: Verdict): boolean =>
  writesLost + extraNodesDown + untrueExits + unfinished === 0 && writesAcknowledged > 0;
