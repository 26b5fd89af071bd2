import { posix } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../error.js";
import { redact } from "../../host/output.js";
import type { Host } from "../../host/types.js";
import { parseConf } from "../../starrocks/conf.js";
import { homePaths } from "../../starrocks/layout.js";
import { logFiles } from "../../starrocks/log-files.js";
import {
  beVerdict,
  endOf,
  feVerdict,
  type LogMarks,
  type LogsRead,
  lastLines,
  meaningOf,
  mergeLines,
  readSince,
  readTails,
} from "../../starrocks/logs.js";
import { isSameProcess, type ObservedProcess, observeProcess } from "../../starrocks/process.js";
import { secretSettings } from "../../starrocks/secret-settings.js";
import type { Settings } from "../../starrocks/settings.js";
import { mayAppear, observeStart, type StartResult } from "../../starrocks/start.js";
import { versionOf } from "../../starrocks/versions.js";
import { seconds, WaitError } from "../../wait.js";
import { labelOf, type NodeContext } from "./context.js";

/** Milliseconds between two looks at a process whose port is asked meanwhile. */
const lookEvery = 400;

/** Milliseconds that a process must have served for: a build that crashes again and again answers in between, too. */
const servesFor = 2000;

/** What one look at a process on its way up gives. */
export interface Watched {
  /** Whether it is there, or was never seen and may still come. */
  readonly alive: boolean;
  /** Whether it is still the process that was first seen here: one that something started again has died in between. */
  readonly same: boolean;
  /** All that it wrote since its start, in the order of their times. */
  readonly lines: readonly string[];
}

/** The end of a process that was proven before. */
export interface Ended {
  readonly error: UserError;
  /** Whether its log says why. Else it was ended from outside: by a signal, by the kernel for its memory, with its host. */
  readonly ofItself: boolean;
}

export const endedUnwatched: Ended = {
  error: new UserError("Its process, which was not started here, has ended."),
  ofItself: false,
};

/** A node's process on its way up: what its log said since it was started, and whether it is still there. */
export class Watch {
  readonly started: StartResult;
  readonly #context: NodeContext;
  readonly #paths: readonly string[];
  readonly #secrets: readonly string[];
  #marks: LogMarks;
  readonly #texts: Record<string, string> = {};
  #process: ObservedProcess | undefined;
  #lookedAt = performance.now();
  #servesSince: number | undefined;
  readonly #since = performance.now();

  constructor(context: NodeContext, started: StartResult) {
    this.#context = context;
    this.started = started;
    this.#process = started.process;
    this.#paths = started.marks.map(({ path }) => path);
    this.#secrets = secretsIn(context);
    this.#marks = started.marks;
  }

  get process(): ObservedProcess | undefined {
    return this.#process;
  }

  /** Whether it is there, and what it said: in one round trip. */
  async look(): Promise<Watched> {
    const { host, spec } = this.#context;
    this.#lookedAt = performance.now();
    const marks = this.#marks;
    const { process, ...read } = await observeStart(host, spec.kind, spec.home, this.#paths, marks, this.#process);
    const alive = this.#see(process) || (this.#process === undefined && mayAppear(this.started, this.#since));
    return { alive, same: isSameProcess(process, this.#process), lines: this.#take(read) };
  }

  /** The same where the last look was a while ago: a port is asked more often than the host can run commands. */
  async lookAgain(): Promise<Watched | undefined> {
    return performance.now() - this.#lookedAt < lookEvery ? undefined : this.look();
  }

  /** Notes that it serves now; the first time counts. */
  serves(): void {
    this.#servesSince ??= performance.now();
  }

  /** Resolves when it has served for long enough to be looked at for the last time. */
  async hasServed(): Promise<void> {
    const since = this.#servesSince ?? performance.now();
    await sleep(Math.max(0, since + servesFor - performance.now()));
  }

  /** Lines that the process wrote since its start, in the order of their times. */
  async lines(): Promise<readonly string[]> {
    return this.#take(await readSince(this.#context.host, this.#paths, this.#marks));
  }

  /** Whether the process that was started is still there (or one that the scripts started after it). */
  async alive(): Promise<boolean> {
    const { host, spec } = this.#context;
    return this.#see(await observeProcess(host, spec.kind, spec.home, this.#process));
  }

  #see(now: ObservedProcess | undefined): boolean {
    this.#process ??= now;
    return now !== undefined;
  }

  #take({ texts, marks }: LogsRead): readonly string[] {
    this.#marks = marks;
    for (const [path, text] of Object.entries(texts)) {
      this.#texts[path] = (this.#texts[path] ?? "") + redact(text, this.#secrets);
    }
    return mergeLines(Object.values(this.#texts));
  }

  /** What `look` says of that, alone. */
  async same(): Promise<boolean> {
    const { host, spec } = this.#context;
    const now = await observeProcess(host, spec.kind, spec.home, this.#process);
    return this.#see(now) && isSameProcess(now, this.#process);
  }

  /** For people: it was proven, and it is not there any more. */
  async ended(): Promise<string> {
    const { host, spec } = this.#context;
    const { release } = spec;
    return `${labelOf(spec)} (${host.name}) was proven with ${release.version}, and its process has ended since. ${await this.lastWords()}`;
  }

  /** That the process is another one than the first. */
  async replaced(): Promise<UserError> {
    const label = labelOf(this.#context.spec);
    return new UserError(
      `The process of ${label} ended after it had served, and another one runs. ${await this.lastWords()}`,
    );
  }

  /** The end of the log and where to read on, for an error. */
  async lastWords(): Promise<string> {
    return lastWordsIn(this.#context, this.#paths, await this.lines(), {
      otherwise: redact(this.started.output, this.#secrets),
    });
  }

  /** Adds the last words to what was waited for in vain: they tell what the process is at. */
  async whileWaiting<T>(wait: Promise<T>): Promise<T> {
    try {
      return await wait;
    } catch (error) {
      if (!(error instanceof WaitError)) {
        throw error;
      }
      const words = await this.lastWords().catch(() => undefined);
      throw new UserError([error.message, ...(words === undefined ? [] : [words])].join("\n"), { cause: error });
    }
  }

  async died(): Promise<UserError> {
    const { host, limits, spec } = this.#context;
    const code = endOfScript(this.started.code, limits.start);
    return new UserError(`${labelOf(spec)} on ${host.name} does not run: ${code}. ${await this.lastWords()}`);
  }
}

/** `timeout` gives 124 for what it ended. */
const endOfScript = (code: number, limit: number): string => {
  if (code === 124) {
    return `start script did not end within ${seconds(limit)} (\`limits.start\`)`;
  }
  return code === 0 ? "start script said 0, then the process died" : `start script failed with ${code}`;
};

/** Lines of a log in an error. */
const shownLines = 12;

/** What must be known of a node to read its log. */
export interface Logged {
  readonly host: Host;
  readonly spec: {
    readonly kind: "fe" | "be";
    readonly home: string;
    readonly release: { readonly version: string };
    readonly config?: Settings;
  };
  readonly secrets?: readonly string[];
}

/** What nobody may see of a node; its conf file, where it was read, has more settings than are declared. */
const secretsIn = (
  { secrets = [], spec }: Logged,
  conf: Iterable<readonly [string, string]> = [],
): readonly string[] => [...secrets, ...secretSettings(Object.entries(spec.config ?? {})), ...secretSettings(conf)];

/** The end of these lines of a node's log, and where to read on; `otherwise` where there are none. */
const lastWordsIn = (
  { host }: Logged,
  paths: readonly string[],
  lines: readonly string[],
  { most = shownLines, otherwise = "" }: { readonly most?: number; readonly otherwise?: string } = {},
): string => {
  // glog writes an error into several files.
  const distinct = lines.filter((line, index) => line !== lines[index - 1]);
  const tail = lastLines(distinct.join("\n"), most).trim();
  const folders = [...new Set(paths.map(posix.dirname))].join(" and ");
  return `Last lines of its log (${host.name}:${folders}):\n${tail || otherwise || "nothing"}`;
};

/** The files of a node's logs: its conf file, in which the declared settings are by now, may move them. */
export const logsOfNode = async (node: Logged): Promise<readonly string[]> =>
  logFiles(node.spec.kind, node.spec.home, await confOf(node));

const confOf = async ({ host, spec }: Logged): Promise<ReadonlyMap<string, string>> =>
  parseConf((await host.readFile(homePaths(spec.home, spec.kind).conf)) ?? "");

/** Fails where the log of a process that still runs says that it has failed: one that writes its core is there for minutes. */
export const assertNoEnd = (node: NodeContext, lines: readonly string[]): void => {
  const { spec } = node;
  const verdict = (spec.kind === "fe" ? feVerdict : beVerdict)(lines, versionOf(spec.release.version));
  if (verdict.state === "failed") {
    const says = `its log says: ${verdict.line}${meaningOf(verdict)}`;
    throw new UserError(redact(`The process of ${labelOf(spec)} still runs, but ${says}`, secretsIn(node)));
  }
};

/** What the log of a node that was not watched from its start ends with, and what that means. */
export const lastWordsOf = async (node: Logged): Promise<string> => {
  const { host, spec } = node;
  const conf = await confOf(node);
  const paths = logFiles(spec.kind, spec.home, conf);
  const secrets = secretsIn(node, conf);
  const texts = (await readTails(host, paths)).map((text) => redact(text, secrets));
  // No more than that: a log tells of earlier starts, too.
  const last = endOf(texts, shownLines);
  const { meaning, state } = (spec.kind === "fe" ? feVerdict : beVerdict)(last, versionOf(spec.release.version));
  return `${lastWordsIn(node, paths, last, { most: 2 * shownLines })}${state === "failed" ? `\nThat means: ${meaning}.` : ""}`;
};
