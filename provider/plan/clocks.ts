/** A host's clock as one question has shown it. */
export interface Clock {
  readonly label: string;
  /** Its host, for people. */
  readonly host: string;
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
    `Against this machine's they are at ${placeOf(ahead)} and ${placeOf(behind)}. ` +
    "Set the clocks (NTP) first: FEs refuse one whose clock is further from theirs, so it would not come into its group, or not back after a restart; " +
    "and times that FEs and BEs tell each other would not fit."
  );
};

const placeOf = ({ host, offset }: Clock): string => `${offset < 0 ? "" : "+"}${offset.toFixed(1)} s (${host})`;
