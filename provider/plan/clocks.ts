/** A host's clock as one question has shown it. */
export interface Clock {
  readonly label: string;
  /** Seconds by which it is ahead of ours. */
  readonly offset: number;
  /** Seconds by which that may be wrong: half of the time that the question took. */
  readonly doubt: number;
}

/** FEs refuse each other when their clocks are more than 5 s apart (`max_bdbje_clock_delta_ms`). */
const clockDelta = 5;

/** The two clocks that are furthest apart, where that is certainly too much; for people. */
export const clockProblem = (clocks: readonly Clock[]): string | undefined => {
  const [first, ...others] = clocks;
  if (!first) {
    return undefined;
  }
  const earliest = (a: Clock, b: Clock): Clock => (b.offset + b.doubt < a.offset + a.doubt ? b : a);
  const latest = (a: Clock, b: Clock): Clock => (b.offset - b.doubt > a.offset - a.doubt ? b : a);
  const behind = others.reduce(earliest, first);
  const ahead = others.reduce(latest, first);
  if (ahead.offset - ahead.doubt - (behind.offset + behind.doubt) <= clockDelta) {
    return undefined;
  }
  const seconds = (ahead.offset - behind.offset).toFixed(0);
  return (
    `The clock of ${ahead.label} is ${seconds} s ahead of that of ${behind.label}; at most ${clockDelta} s are allowed between any two nodes. ` +
    "Set the clocks (NTP) first: an FE that is restarted would not come back into its group, and times that FEs and BEs tell each other would not fit."
  );
};
