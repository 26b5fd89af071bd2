import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../provider/wait.js";
import { kill } from "./processes.js";

/** How a command of the CLI ended. */
export interface Ended {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** A command of the CLI under way. */
export interface Running<T = Ended> {
  readonly pid: number;
  /** Settles when the command has ended, however it ended; never rejects for its exit code. */
  readonly ended: Promise<T>;
  /** What it has written so far, stdout and stderr as they came. */
  output(): string;
  /** Resolves when its output matches; rejects when it ends or `limit` milliseconds pass before that. */
  saw(pattern: RegExp, limit?: number): Promise<void>;
  /** Sends a signal to the CLI's own process. */
  kill(signal: NodeJS.Signals): void;
  /** Ctrl-C: a terminal sends SIGINT to every process of the group. */
  interrupt(): void;
}

const sawLimit = 60_000;

export interface StartOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Called with stdout and stderr as they come. */
  readonly onOutput?: (text: string) => void;
}

export const start = (command: readonly string[], { cwd, env, onOutput }: StartOptions): Running => {
  const started = performance.now();
  const [program = "", ...args] = command;
  // A group of its own, as a shell with job control would give it.
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const { pid } = child;
  if (pid === undefined) {
    throw new Error(`${program} does not start`);
  }
  const text = { stdout: "", stderr: "", both: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (part: string) => {
      text[name] += part;
      text.both += part;
      onOutput?.(part);
    });
  }
  const ended = endOf(child).then((exitCode) => ({
    exitCode,
    stdout: text.stdout,
    stderr: text.stderr,
    seconds: (performance.now() - started) / 1000,
  }));
  return {
    pid,
    ended,
    output: () => text.both,
    saw: (pattern, limit = sawLimit) => saw(child, () => text.both, pattern, limit),
    kill: (signal) => kill(pid, signal),
    interrupt: () => kill(-pid, "SIGINT"),
  };
};

/** A provider that outlives a killed engine holds its pipes open, so the end is "exit" and what "close" still brings. */
const endOf = async (child: ChildProcess): Promise<number | undefined> => {
  const closed = once(child, "close");
  const [code] = (await once(child, "exit")) as [number | null];
  const stop = new AbortController();
  const grace = delay(pipeGrace, undefined, { signal: stop.signal }).catch(() => undefined);
  await Promise.race([closed, grace]);
  stop.abort();
  return code ?? undefined;
};

/** What is still in the pipes when the CLI exits is read within this time. */
const pipeGrace = 500;

const saw = async (child: ChildProcess, output: () => string, pattern: RegExp, limit: number): Promise<void> =>
  until(
    async () => {
      const seen = output();
      if (pattern.test(seen)) {
        return { done: true, value: undefined };
      }
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`The command ended before its output matched ${pattern}:\n${seen}`);
      }
      return { done: false, seen };
    },
    { what: `a command's output to match ${pattern}`, limit, every: 20 },
  );
