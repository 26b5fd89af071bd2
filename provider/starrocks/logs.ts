import type { Host } from "../host/types.js";

export type { BeState } from "./be-lines.js";
export type { FeState } from "./fe-lines.js";
export { beVerdict, feVerdict, meaningOf, type Verdict } from "./verdicts.js";

/** The time at the start of a line: log4j's `2026-11-22 20:54:32.123`, glog's `I1122 20:54:32.123` or `I20261122 …`. */
const stampPattern = /^(?:\[?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]?\d*)|[IWEF](\d{4,8} \d\d:\d\d:\d\d\.?\d*))/;

/** Lines of several logs of one process in the order of their times; a line without one stays behind its predecessor. */
export const mergeLines = (texts: readonly string[]): readonly string[] => {
  const stamped = texts.flatMap((text) => {
    let stamp = "";
    return linesOf(text).map((line) => {
      const match = stampPattern.exec(line);
      stamp = (match?.[1] ?? match?.[2] ?? stamp).replace(",", ".");
      return { stamp, line };
    });
  });
  // Two equal stamps keep their order: the sort is stable.
  return stamped.sort((a, b) => Number(a.stamp > b.stamp) - Number(a.stamp < b.stamp)).map(({ line }) => line);
};

/** The last `n` lines of a text, for the end of an error message. */
export const lastLines = (text: string, n: number): string => linesOf(text).slice(-n).join("\n");

const linesOf = (text: string): readonly string[] => {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
};

/** The ends of several logs of a node that nobody has followed. One round trip. */
export const readTails = async (host: Host, paths: readonly string[]): Promise<readonly string[]> => {
  const { stdout } = await host.script(tailScript, paths, { label: "read the end of the logs" });
  return stdout.split("\0");
};

/** What start scripts write into a process's output, which has no times of its own. */
const startLine = "start time: ";

/**
 * What a node said at its end, by the ends of its logs: the last `most` lines in the order of their times, and what its output
 * has of its last start, behind them: where a process crashes, only that tells of it.
 */
export const endOf = (texts: readonly string[], most: number): readonly string[] => {
  const outputs = texts.filter((text) => text.includes(startLine));
  const logs = texts.filter((text) => !outputs.includes(text));
  const last = outputs.flatMap((text) => linesOf(text.slice(text.lastIndexOf(startLine))).slice(1));
  return [...mergeLines(logs).slice(-most), ...last];
};

const tailScript = `for path; do tail -n 100 -- "$path" 2>/dev/null | tr -d '\\0'; printf '\\0'; done`;

/** How far a log file had grown; what is read from there on is new. */
export interface LogMark {
  readonly path: string;
  /** Absent when there was no file. A name may point to a new file later: then that one is read from its start. */
  readonly inode?: number;
  readonly size: number;
}

/** How far each log was read; a start of a node takes the first ones. */
export type LogMarks = readonly LogMark[];

const markScript = `for path; do stat -L -c '%i %s' -- "$path" 2>/dev/null || echo; done`;

/** How far these logs have grown now. */
export const markLogs = async (host: Host, paths: readonly string[]): Promise<LogMarks> => {
  const { stdout } = await host.script(markScript, paths, { label: "look how far the logs have grown" });
  const marks = linesOf(stdout).map((line) => line.split(" ").map(Number));
  return paths.map((path, index) => {
    const [inode, size] = marks[index] ?? [];
    return inode === undefined || size === undefined ? { path, size: 0 } : { path, inode, size };
  });
};

export interface LogsRead {
  /** What was written since the mark, in whole lines, by path. */
  readonly texts: Readonly<Record<string, string>>;
  /** Where to go on. */
  readonly marks: LogMarks;
}

/** Bytes of one log in one reading; what is beyond comes with the next one. */
const readMost = 1024 * 1024;

/**
 * What was written to these logs since the marks, in one round trip; a log without a mark is read from its start. A log that
 * was rotated meanwhile (log4j renames the old file, glog's name is a link to the newest) is found again by its inode, in
 * the same folder, and read to its end first.
 */
export const readSince = async (host: Host, paths: readonly string[], marks: LogMarks): Promise<LogsRead> => {
  const { stdout } = await host.script(readScript, readArguments(paths, marks), { label: "read the logs" });
  return logsOf(stdout, paths, marks);
};

/** Arguments of `readScript`. */
export const readArguments = (paths: readonly string[], marks: LogMarks): readonly string[] => {
  const reached = new Map(marks.map((mark) => [mark.path, mark]));
  const wanted = paths.flatMap((path) => {
    const mark = reached.get(path);
    return [path, String(mark?.inode ?? "-"), String(mark?.inode === undefined ? 0 : mark.size)];
  });
  return [String(readMost), ...wanted];
};

/** What `readScript` told. */
export const logsOf = (stdout: string, paths: readonly string[], marks: LogMarks): LogsRead => {
  const reached = new Map(marks.map((mark) => [mark.path, mark]));
  const texts = new Map(paths.map((path) => [path, ""]));
  let path = "";
  for (const line of linesOf(stdout)) {
    if (line.startsWith("|")) {
      texts.set(path, `${texts.get(path) ?? ""}${line.slice(1)}\n`);
    } else {
      const [index, inode, size] = line.split(" ").map(Number);
      path = paths[index ?? -1] ?? "";
      reached.set(path, { path, size: size ?? 0, ...(inode !== undefined && { inode }) });
    }
  }
  return { texts: Object.fromEntries(texts), marks: paths.map((one) => reached.get(one) ?? { path: one, size: 0 }) };
};

/** For each piece a line `<index> <inode> <offset reached>`, then its lines, each behind a `|`. */
export const readScript = `
most=$1; shift
# index, file, inode, from, "growing" when its last line may be unfinished; sets "done" when the file was read to its end
piece() {
  local size length from=$4 over=
  size=$(stat -L -c %s -- "$2") || return 0
  if [ "$size" -lt "$from" ]; then from=0; fi
  length=$((size - from)); done=yes
  if [ "$length" -gt "$most" ]; then length=$most; done=; fi
  window() { tail -c "+$((from + 1))" -- "$2" | head -c "$length"; }
  if [ "$length" -gt 0 ] && [ "$(window "$@" | tail -c 1; echo .)" != $'\\n.' ]; then
    if [ -z "$done" ] || [ "$5" = growing ]; then
      length=$((length - $(window "$@" | tail -n 1 | wc -c)))
      # A line longer than a whole reading comes in parts.
      if [ "$length" = 0 ] && [ -z "$done" ]; then length=$most; over=yes; fi
    else
      over=yes
    fi
  fi
  echo "$1 $3 $((from + length))"
  if [ "$length" -gt 0 ]; then window "$@" | sed 's/^/|/'; if [ -n "$over" ]; then echo; fi; fi
}
index=0
while [ $# -gt 0 ]; do
  path=$1 inode=$2 from=$3; shift 3
  done=yes
  now=$(stat -L -c %i -- "$path" 2>/dev/null)
  if [ "$inode" != - ] && [ "$now" != "$inode" ]; then
    old=
    for entry in "$(dirname -- "$path")"/*; do
      if [ -f "$entry" ] && [ "$(stat -c %i -- "$entry" 2>/dev/null)" = "$inode" ]; then old=$entry; break; fi
    done
    if [ -n "$old" ]; then piece "$index" "$old" "$inode" "$from" finished; fi
    from=0
  fi
  if [ -n "$done" ] && [ -n "$now" ]; then piece "$index" "$path" "$now" "$from" growing; fi
  index=$((index + 1))
done
exit 0
`;
