import { createHash } from "node:crypto";
import type { Settings } from "./settings.js";

export { argumentKeys, checkSettings, type SettingProblem, type Settings } from "./settings.js";

/** One setting of a conf file with the lines it takes: a trailing backslash continues it on the next one. */
interface Entry {
  readonly key: string;
  readonly value: string;
  readonly first: number;
  readonly last: number;
}

/**
 * fe.conf is a Java properties file, be.conf and cn.conf are `key = value`. What both read is `key`, an equals sign (or, in
 * fe.conf, a colon or a blank) and the value; `#` (in fe.conf also `!`) starts a comment.
 */
const settingPattern = /^[ \t\f]*([^\s=:#!][^\s=:]*)(?:[ \t]*[=:][ \t]*|[ \t]+|$)(.*)$/s;

const linesOf = (text: string): readonly string[] => {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
};

const entriesOf = (lines: readonly string[]): readonly Entry[] => {
  const entries: Entry[] = [];
  for (let first = 0; first < lines.length; first++) {
    let last = first;
    let text = lines[first] ?? "";
    if (/^[ \t\f]*[#!]/.test(text)) {
      continue;
    }
    while (/(?:^|[^\\])(?:\\\\)*\\$/.test(text) && last + 1 < lines.length) {
      last += 1;
      text = text.slice(0, -1) + (lines[last] ?? "").trimStart();
    }
    const match = settingPattern.exec(text);
    if (match?.[1] !== undefined) {
      entries.push({ key: match[1], value: (match[2] ?? "").trim(), first, last });
    }
    first = last;
  }
  return entries;
};

/** The settings in effect. A key that is there twice counts with its last value, as both readers do. */
export const parseConf = (text: string): ReadonlyMap<string, string> =>
  new Map(entriesOf(linesOf(text)).map(({ key, value }) => [key, value]));

const blockStart = "# --- set by pulumi-starrocks ---";
const blockEnd = "# --- end of pulumi-starrocks ---";
const wasPrefix = "#pulumi-starrocks was: ";
const offPrefix = "#pulumi-starrocks off: ";

export interface ApplyOptions {
  /** Keys that must not be in effect: old names of a declared key, a recovery key after its use. Commented out. */
  readonly remove?: readonly string[];
  /** Keys that were declared once and are no longer: what the release's own file said is in effect again. */
  readonly restore?: readonly string[];
}

/**
 * The file with these settings in effect; everything else stays as it is, in its order. A declared key is rewritten where it
 * stands (the release's own line stays beside it as a comment), further lines of it are commented out, and new keys go into
 * a marked block at the end. Applying the same settings again changes nothing. Lines end with a bare newline, the last
 * one too: the start scripts take a carriage return for part of a value and skip an unfinished last line.
 */
export const applySettings = (text: string, settings: Settings, options: ApplyOptions = {}): string => {
  let lines = linesOf(text);
  for (const key of options.restore ?? []) {
    lines = key in settings ? lines : withRestored(lines, key);
  }
  for (const key of options.remove ?? []) {
    lines = withCommentedOut(lines, key);
  }
  for (const [key, value] of Object.entries(settings)) {
    if (/[\r\n]/.test(value)) {
      throw new Error(`The value of ${key} has a line break, which no conf file can hold.`);
    }
    lines = withSetting(lines, key, value.trim());
  }
  return `${lines.join("\n")}\n`;
};

const withSetting = (lines: readonly string[], key: string, value: string): readonly string[] => {
  const entries = entriesOf(lines).filter((entry) => entry.key === key);
  // The last one is in effect, so it is the one that keeps its place.
  const effective = entries.at(-1);
  if (!effective) {
    return withAppended(lines, `${key} = ${value}`);
  }
  const result = [...lines];
  for (const entry of entries.toReversed()) {
    const own = lines.slice(entry.first, entry.last + 1);
    if (entry !== effective) {
      result.splice(entry.first, own.length, ...own.map((line) => offPrefix + line));
    } else if (entry.value !== value) {
      const kept = isOurs(lines, entry) ? [] : own.map((line) => wasPrefix + line);
      result.splice(entry.first, own.length, ...kept, `${key} = ${value}`);
    }
  }
  return result;
};

const withAppended = (lines: readonly string[], line: string): readonly string[] => {
  const end = lines.lastIndexOf(blockEnd);
  return end < 0 ? [...lines, "", blockStart, line, blockEnd] : [...lines.slice(0, end), line, ...lines.slice(end)];
};

const withCommentedOut = (lines: readonly string[], key: string): readonly string[] => {
  const result = [...lines];
  for (const { first, last } of entriesOf(lines).filter((entry) => entry.key === key)) {
    for (let line = first; line <= last; line++) {
      result[line] = offPrefix + lines[line];
    }
  }
  return result;
};

const withRestored = (lines: readonly string[], key: string): readonly string[] => {
  const entry = entriesOf(lines).findLast((one) => one.key === key);
  if (!entry) {
    return lines;
  }
  const original = originalOf(lines, entry);
  if (original.length === 0 && !isInBlock(lines, entry)) {
    return lines;
  }
  return [...lines.slice(0, entry.first - original.length), ...original, ...lines.slice(entry.last + 1)];
};

/** The release's own lines of an entry that we rewrote, from the comments right above it. */
const originalOf = (lines: readonly string[], entry: Entry): readonly string[] => {
  let first = entry.first;
  while (first > 0 && lines[first - 1]?.startsWith(wasPrefix)) {
    first -= 1;
  }
  // Two rewritten keys never share comments: between them stands the first one's line.
  return lines.slice(first, entry.first).map((line) => line.slice(wasPrefix.length));
};

const isInBlock = (lines: readonly string[], entry: Entry): boolean => {
  const start = lines.lastIndexOf(blockStart);
  return start >= 0 && entry.first > start && entry.last < lines.indexOf(blockEnd, start);
};

const isOurs = (lines: readonly string[], entry: Entry): boolean =>
  isInBlock(lines, entry) || originalOf(lines, entry).length > 0;

/** Keys that the file has from us: declared now, or when it was written last. */
export const ownKeys = (text: string): readonly string[] => {
  const lines = linesOf(text);
  return entriesOf(lines).flatMap((entry) => (isOurs(lines, entry) ? [entry.key] : []));
};

export interface Drift {
  readonly key: string;
  readonly declared: string;
  /** What the file says; absent when it does not have the key. */
  readonly found?: string;
}

/** Declared settings that are not in effect in the file. */
export const drift = (text: string, settings: Settings): readonly Drift[] => {
  const inEffect = parseConf(text);
  return Object.entries(settings).flatMap(([key, value]) => {
    const declared = value.trim();
    const found = inEffect.get(key);
    return found === declared ? [] : [{ key, declared, ...(found !== undefined && { found }) }];
  });
};

/** SHA-256 of a conf file, by which it is recorded. */
export const digestOfConf = (text: string): string => createHash("sha256").update(text).digest("hex");
