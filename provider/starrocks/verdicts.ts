import { type BeState, beFailures, beProgress } from "./be-lines.js";
import { type FeState, feFailures, feProgress } from "./fe-lines.js";
import type { Failure, Progress } from "./lines.js";
import { atLeast, type Version } from "./versions.js";

export interface Verdict<State> {
  readonly state: State;
  /** The line that says so; absent when no line said anything yet. */
  readonly line?: string;
  /** For a failure: what it means. */
  readonly meaning?: string;
  /** For a failure: what to do. */
  readonly advice?: string;
  /** For a failure: its line names no cause. */
  readonly crash?: true;
}

/** What a failure means and what to do, as a further line of an error; nothing where no line told of one. */
export const meaningOf = ({ advice = "", meaning }: Verdict<string>): string =>
  meaning === undefined ? "" : `\nThat means: ${meaning}. ${advice}`;

/** From 3.1 on there is one line; before, the query engine is the last thing to start. */
const feReady = (version: Version): RegExp =>
  atLeast(version, "3.1.0") ? /FE started successfully/ : /QE service start|FE started successfully/;

const beReady = (version: Version | undefined): RegExp =>
  version && atLeast(version, "3.1.0")
    ? /(?:BE|CN) started successfully/
    : /(?:BE|CN) started successfully|StarRocks (?:BE|CN) HeartBeat Service started correctly/i;

/** What the lines of one start of an FE say (`fe.log`, `fe.warn.log`, `fe.out`, merged by `mergeLines`). */
export const feVerdict = (lines: readonly string[], version: Version): Verdict<FeState> =>
  verdict(lines, feFailures, feReady(version), feProgress);

/** What the lines of one start of a BE or CN say (`be.INFO` and `be.out`, or the CN's). */
export const beVerdict = (lines: readonly string[], version?: Version): Verdict<BeState> =>
  verdict(lines, beFailures, beReady(version), beProgress);

/** A failure counts for good, then readiness, then the last progress: the same line may be in several files. */
const verdict = <State extends string>(
  lines: readonly string[],
  failures: readonly Failure[],
  ready: RegExp,
  progress: readonly Progress<State>[],
): Verdict<State | "ready" | "failed" | "starting"> => {
  for (const { pattern, meaning, advice, crash } of failures) {
    const line = lines.find((one) => pattern.test(one));
    if (line !== undefined) {
      return { state: "failed", line, meaning, advice, ...(crash && { crash }) };
    }
  }
  const readyLine = lines.find((line) => ready.test(line));
  if (readyLine !== undefined) {
    return { state: "ready", line: readyLine };
  }
  for (const line of lines.toReversed()) {
    const row = progress.find(({ pattern }) => pattern.test(line));
    if (row) {
      return { state: row.state, line };
    }
  }
  return { state: "starting" };
};
