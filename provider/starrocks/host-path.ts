/**
 * What is wrong with the characters of a path on a host; undefined when all is well. StarRocks' scripts use paths without quotes
 * and put them into class paths, and its conf files have a syntax of their own: other names break there, far from their cause.
 */
export const hostPathProblem = (path: string): string | undefined => {
  const [odd] = path.match(/[^\p{L}\p{N}/._+@=-]/u) ?? [];
  return odd === undefined
    ? undefined
    : `has ${nameOf(odd)} in it: StarRocks' scripts and conf files would not read that as one path. ` +
        "Expected letters, digits and . _ - + @ = only";
};

const nameOf = (character: string): string => {
  switch (character) {
    case " ":
      return "a blank";
    case "\t":
      return "a tab";
    case "\n":
    case "\r":
      return "a line break";
    default:
      return /[\p{C}\p{Z}]/u.test(character)
        ? `the character U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`
        : `the character ${character}`;
  }
};
