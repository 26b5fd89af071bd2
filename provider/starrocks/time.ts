/** Milliseconds of a time as StarRocks prints it, `2026-11-22 20:54:32`, in the unknown zone of the answering FE. */
export const parseStarRocksTime = (text: string): number | undefined => {
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text);
  if (!match) {
    return undefined;
  }
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
};

const hour = 3_600_000;

/**
 * Is `after` the start time of a newer process than `before`? Both are wall-clock texts of one unknown zone, so it is a new
 * one when it differs and is later, or is earlier by less than an hour: the end of daylight saving, or a corrected clock.
 * An hour earlier or more is another zone's reading of some process, not a proof. What it cannot tell is the same process
 * read in a zone to the east, by another leader: it is one proof of several, and never the only one (docs/decisions.md).
 */
export const isNewer = (before: string | undefined, after: string | undefined): boolean => {
  if (after === undefined || after === before) {
    return false;
  }
  const [was, is] = [before === undefined ? undefined : parseStarRocksTime(before), parseStarRocksTime(after)];
  return is !== undefined && (was === undefined || is > was - hour);
};
