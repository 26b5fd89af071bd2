import { randomBytes } from "node:crypto";
import { UserError } from "../error.js";
import { quote, quoteAll, quoteEnv } from "./quote.js";
import type { Command } from "./types.js";

/** What to run on a host, in which surroundings. */
export interface Job {
  /** The command as an argument array. */
  readonly command: Command;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds after which the host itself ends the command; none for commands that a stream keeps going. */
  readonly limit?: number | undefined;
  /** Run as this user by sudo; `asks` when there is a password to answer with. */
  readonly become?: { readonly user: string; readonly asks: boolean } | undefined;
  /** The command reads data from stdin. */
  readonly reads: boolean;
}

/** A line for the login shell, and the words by which its output is understood. */
export interface Line {
  readonly text: string;
  /** Printed alone on a line of stdout and stderr when the command starts: all before it is the login's or sudo's. */
  readonly mark: string;
  /** Printed instead when the working folder cannot be entered. */
  readonly noFolder: string;
  /** What sudo asks with. */
  readonly prompt: string;
}

/** Linux takes at most 128 KiB as one argument, and the line is one argument of the login shell. */
const lineLimit = 120_000;

/** Seconds between the polite and the certain end of a command that is over its limit. */
export const killGrace = 5;

/** Debian's bash reads `.bashrc` whenever it believes to be run by sshd; the login shell has done that already. */
export const plainBash = ["bash", "--norc", "-c"] as const;

export const isTooLong = (line: Line): boolean => Buffer.byteLength(line.text) > lineLimit;

export const lineOf = (job: Job): Line => {
  const nonce = randomBytes(9).toString("hex");
  const line = { mark: `start-${nonce}`, noFolder: `no-folder-${nonce}`, prompt: `password-${nonce}:` };
  const bash: Command = [...plainBash, payload(job, line)];
  const text = job.become
    ? quoteAll(["exec", "env", "LC_ALL=C", ...sudo(job.become, line.prompt), ...bash])
    : `exec ${quoteAll(bash)}`;
  return { ...line, text };
};

export const assertFits = (line: Line, host: string): void => {
  if (isTooLong(line)) {
    throw new UserError(
      `${host}: the command is too long to be run (over ${lineLimit} bytes); give its data as a file.`,
    );
  }
};

/** The password, when there is one, is asked for with our own words and only then sent: it can never be taken for data. */
const sudo = ({ user, asks }: { readonly user: string; readonly asks: boolean }, prompt: string): string[] => [
  "sudo",
  ...(asks ? ["-S", "-p", prompt] : ["-n"]),
  "-H",
  "-u",
  user,
  "--",
];

/** Bash text that runs as the final user: enter the folder, say that the command starts, become the command. */
const payload = (job: Job, { mark, noFolder }: Omit<Line, "text">): string => {
  const say = (word: string) => `printf '\\n%s\\n' ${word}`;
  return [
    // Set for sudo only, so that its words are known.
    ...(job.become ? ["unset LC_ALL"] : []),
    folder(job, `{ ${say(noFolder)} >&2; exit 1; }`),
    `${say(mark)}; ${say(mark)} >&2`,
    ...(job.reads ? [] : ["exec </dev/null"]),
    ["exec", ...environment(job.env), ...timeout(job.limit), ...job.command.map(quote)].join(" "),
  ].join("\n");
};

/** Without a folder, the login user's home is often closed to the user that we became. */
const folder = ({ cwd, become }: Job, otherwise: string): string => {
  if (cwd !== undefined) {
    return `cd -- ${quote(cwd)} || ${otherwise}`;
  }
  return become ? "cd 2>/dev/null || cd /" : ":";
};

const environment = (env: Readonly<Record<string, string>> = {}): string[] =>
  Object.keys(env).length > 0 ? ["env", quoteEnv(env)] : [];

const timeout = (limit: number | undefined): string[] =>
  limit === undefined ? [] : ["timeout", "-k", String(killGrace), String(Math.max(limit, 1) / 1000)];
