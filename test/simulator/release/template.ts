import { since } from "./versions.js";

const MARKER = /^#@ (?:always|(?:since (\S+))?(?: ?until (\S+))?)$/;

/**
 * Keeps the lines of a script or conf file that belong to a version. A line `#@ since 3.3 until 3.5` holds for the lines
 * below it, `#@ always` ends it; `until` excludes the version it names. Nothing left: the file is not in that release.
 */
export const render = (text: string, version: string): string | undefined => {
  let wanted = true;
  const kept: string[] = [];
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const marker = MARKER.exec(line);
    if (marker !== null) {
      const [, from, until] = marker;
      wanted = (from === undefined || since(version, from)) && (until === undefined || !since(version, until));
    } else if (line.startsWith("#@")) {
      throw new Error(`Expected a line such as \`#@ since 3.3 until 3.5\`, got \`${line}\``);
    } else if (wanted) {
      kept.push(line);
    }
  }
  return kept.length === 0 ? undefined : `${kept.join("\n")}\n`;
};
