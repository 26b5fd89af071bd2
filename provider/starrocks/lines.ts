/** A line after which a process does not get up by itself. */
export interface Failure {
  readonly pattern: RegExp;
  readonly meaning: string;
  readonly advice: string;
  /** It names no cause: the node's own data may be it. */
  readonly crash?: true;
}

/** A line that tells how far a start has come. */
export interface Progress<State> {
  readonly pattern: RegExp;
  readonly state: State;
}
