/**
 * How the scripts answer: a record is a key and a value, each ended by NUL, so that any path or text fits.
 * Text of scripts that answer this way starts with `emitFunction`.
 */
export const emitFunction = `
emit() { printf '%s\\0%s\\0' "$1" "$2"; }
`;

/**
 * Bash function: the text of a small file in TEXT, up to a NUL and without the newlines at its end; false where it cannot be
 * read. Without a fork, which is most of what a look at a host costs.
 */
export const slurpFunction = `
slurp() {
  TEXT=
  [ -f "$1" ] && [ -r "$1" ] || return 1
  IFS= read -r -d '' TEXT <"$1"
  while [ "\${TEXT%$'\\n'}" != "$TEXT" ]; do TEXT=\${TEXT%$'\\n'}; done
}
`;

export type Rec = readonly [key: string, value: string];

export const recordsOf = (stdout: string): readonly Rec[] => {
  const fields = stdout.split("\0");
  const records: Rec[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    records.push([fields[index] ?? "", fields[index + 1] ?? ""]);
  }
  return records;
};

/** The last value of each key. */
export const fieldsOf = (records: readonly Rec[]): ReadonlyMap<string, string> => new Map(records);

/** Lists of things: each begins with the record `key`. Records before the first one are left out. */
export const groupsOf = (records: readonly Rec[], key: string): readonly ReadonlyMap<string, string>[] => {
  const groups: Map<string, string>[] = [];
  for (const [name, value] of records) {
    if (name === key) {
      groups.push(new Map());
    }
    groups.at(-1)?.set(name, value);
  }
  return groups;
};

/** `[count, …items]`, for scripts that take several lists; a script reads them off its arguments. */
export const listArguments = (items: readonly string[]): readonly string[] => [String(items.length), ...items];

/** A whole number, or undefined for anything else. */
export const integer = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/** `3.1 GB`, for messages. */
export const bytes = (count: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB"] as const;
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  const value = count / 1000 ** power;
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ${units[power] ?? "B"}`;
};
