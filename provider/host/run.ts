import { UserError } from "../error.js";
import { seconds } from "../wait.js";
import { assertFits, isTooLong, type Job, lineOf, plainBash } from "./command-line.js";
import { type Connection, connectionDefaults, secretsOf } from "./connection.js";
import { CommandError, LimitError } from "./errors.js";
import { execute, type Feed, type Outcome } from "./exec.js";
import type { Link } from "./link.js";
import { redact, tail } from "./output.js";
import { quoteAll } from "./quote.js";
import type { Command, RunOptions, RunResult } from "./types.js";

/** Where commands of a host go, and as whom. */
export interface Target {
  readonly link: Link;
  readonly connection: Connection;
}

/** What only this layer's own operations need. */
export interface InternalOptions extends RunOptions {
  /** Data of stdin that comes bit by bit. */
  readonly feed?: Feed;
  /** Milliseconds without progress. A `limit` beside it is kept here, not by the host. */
  readonly idleLimit?: number;
  /** Most bytes of stdout. */
  readonly bound?: number;
}

/** Bytes of output that a command may give; more is a file, not an answer. */
const outputBound = 8 * 1024 * 1024;

/** Characters of a command in a message. */
const shownLength = 200;

export const run = (target: Target, command: Command, options: InternalOptions = {}): Promise<RunResult> =>
  start(target, command, shorten(quoteAll(command)), options);

/** Scripts that are too long for an argument go by stdin and are evaluated there. */
const evaluateStdin = 's=$(cat); exec </dev/null; eval "$s"';

export const script = (
  target: Target,
  text: string,
  args: readonly string[],
  options: InternalOptions = {},
): Promise<RunResult> => {
  const shown = shorten(options.label ?? `bash -c ${quoteAll([text.trim(), ...args])}`);
  const command: Command = [...plainBash, text, "bash", ...args];
  if (!isTooLong(lineOf(jobOf(target, command, options)))) {
    return start(target, command, shown, options);
  }
  if (options.stdin !== undefined || options.feed) {
    throw new UserError(`${target.link.name}: a script this long goes by stdin, so it cannot be given data there.`);
  }
  return start(target, [...plainBash, evaluateStdin, "bash", ...args], shown, { ...options, stdin: text });
};

const start = async (target: Target, command: Command, shown: string, options: InternalOptions): Promise<RunResult> => {
  const { link, connection } = target;
  const job = jobOf(target, command, options);
  const line = lineOf(job);
  assertFits(line, link.name);
  const outcome = await execute(link, {
    line,
    password: job.become ? connection.become?.password : undefined,
    becomes: job.become?.user,
    cwd: options.cwd,
    feed: feedOf(options),
    limit: job.limit,
    idleLimit: options.idleLimit,
    wholeLimit: options.idleLimit === undefined ? undefined : options.limit,
    bound: options.bound ?? outputBound,
  });
  return judge(target, options.label ?? shown, options, limitOf(job, options, outcome), outcome);
};

/** The limit that a command was over, if it was over one; a timer may be early by a moment. */
const limitOf = (job: Job, { idleLimit, limit }: InternalOptions, { took }: Outcome): number =>
  job.limit ?? (limit !== undefined && took >= limit * 0.95 ? limit : (idleLimit ?? 0));

export const jobOf = ({ connection, link }: Target, command: Command, options: InternalOptions): Job => {
  const { become, user: login = connectionDefaults.user } = connection;
  if (options.become && !become) {
    throw new UserError(`${link.name}: a command should run as another user, but the connection has no \`become\`.`);
  }
  const user = become?.user ?? connectionDefaults.becomeUser;
  const changes = become && options.become !== false && user !== login;
  return {
    command,
    cwd: options.cwd,
    env: options.env,
    limit: options.idleLimit === undefined ? (options.limit ?? commandLimit(connection)) : undefined,
    become: changes ? { user, asks: become.password !== undefined } : undefined,
    reads: feedOf(options) !== undefined,
  };
};

export const commandLimit = (connection: Connection): number =>
  (connection.commandLimit ?? connectionDefaults.commandLimit) * 1000;

const feedOf = ({ feed, stdin }: InternalOptions): Feed | undefined => {
  if (feed || stdin === undefined) {
    return feed;
  }
  const data = typeof stdin === "string" ? Buffer.from(stdin) : stdin;
  return async (write) => {
    if (data.length > 0) {
      await write(data);
    }
  };
};

const judge = (target: Target, shown: string, options: RunOptions, limit: number, outcome: Outcome): RunResult => {
  const clean = (text: string) => redact(text, secretsOf(target.connection));
  const failure = () => ({
    host: target.link.name,
    command: clean(shown),
    stdout: clean(tail(outcome.stdout)),
    stderr: clean(tail(outcome.stderr)),
    ...(outcome.code === undefined ? {} : { code: outcome.code }),
    ...(outcome.signal === undefined ? {} : { signal: outcome.signal }),
  });
  if (outcome.overflowed) {
    throw new CommandError("gave more output than can be taken", { ...failure(), stdout: "" });
  }
  if (outcome.late) {
    throw new LimitError(`was ended after ${seconds(outcome.took)}: its limit is ${seconds(limit)}`, failure());
  }
  if (outcome.code === undefined) {
    throw new CommandError(`was killed by ${outcome.signal ?? "a signal"}`, failure());
  }
  const { accept = [0] } = options;
  if (accept !== "any" && !accept.includes(outcome.code)) {
    throw new CommandError(`failed with exit code ${outcome.code}`, failure());
  }
  return { code: outcome.code, stdout: outcome.stdout, stderr: outcome.stderr };
};

export const shorten = (text: string): string => {
  const line = text.replaceAll(/\s*\n\s*/g, "; ");
  return line.length > shownLength ? `${line.slice(0, shownLength)}…` : line;
};
