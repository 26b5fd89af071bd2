import type { Version } from "../../starrocks/versions.js";

/** Release lines in their order. One that is newer than the last is further on, by its minor number. */
export const lines: readonly string[] = [
  "1.19",
  "2.0",
  "2.1",
  "2.2",
  "2.3",
  "2.4",
  "2.5",
  "3.0",
  "3.1",
  "3.2",
  "3.3",
  "3.4",
  "3.5",
  "4.0",
  "4.1",
];

/** How many release lines lie between two versions: 0 for patches, 1 for neighbours. */
export const linesApart = (from: Version, to: Version): number => Math.abs(place(to) - place(from));

const place = ({ major, minor }: Version): number => {
  const known = lines.indexOf(`${major}.${minor}`);
  if (known >= 0) {
    return known;
  }
  const [lastMajor = 0, lastMinor = 0] = (lines.at(-1) ?? "").split(".").map(Number);
  if (major < lastMajor) {
    return 0;
  }
  return major === lastMajor ? lines.length - 1 + minor - lastMinor : lines.length + minor;
};
