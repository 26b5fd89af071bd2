/** A StarRocks version as two numbers, enough to tell the lines apart: 3.5.7 and 3.5.7-rc01 are [3, 5]. */
export type Line = readonly [number, number];

export const lineOf = (version: string): Line => {
  const match = /^(\d+)\.(\d+)/.exec(version);
  if (match === null) {
    throw new Error(`Expected a version such as 3.5.7, got \`${version}\``);
  }
  return [Number(match[1]), Number(match[2])];
};

/** Whether a version belongs to the line or to a later one. */
export const since = (version: string, line: string): boolean => {
  const [major, minor] = lineOf(version);
  const [wantedMajor, wantedMinor] = lineOf(line);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
};
