/** A line after which a process does not get up by itself. */
export interface Failure {
  readonly pattern: RegExp;
  readonly meaning: string;
  readonly advice: string;
}

/** A line that tells how far a start has come. */
export interface Progress<State> {
  readonly pattern: RegExp;
  readonly state: State;
}
