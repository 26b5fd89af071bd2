import type { PlainArgs } from "../../lab/lab.js";
import type { RecordedNode } from "../../lab/told.js";

export interface Ended {
  /** Undefined: the operator was killed. */
  readonly exitCode: number | undefined;
  /** What an operator reads of a failure. */
  readonly told: string;
}

/** An `up` under way. */
export interface Up {
  readonly ended: Promise<Ended>;
  /** Ends the operator without a word. */
  kill(): Promise<void>;
}

/** Who makes the operations of a plan. */
export interface Driver {
  /** Where the program lies, and its journals. */
  readonly folder: string;
  /** With nothing to be declared all is destroyed. */
  up(args: PlainArgs | undefined): Promise<Up>;
  /** The nodes of the state. */
  nodes(): Promise<readonly RecordedNode[]>;
  close(): Promise<void>;
}
