import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { signal } from "../processes.js";

/** A process in new namespaces that runs a script and talks by lines; it lives until its standard input ends. */
export interface Machine {
  readonly pid: number;
  /** The next line that it says. */
  line(): Promise<string>;
  say(line: string): void;
  /** Lets this process end without waiting for that one. */
  forget(): void;
  /** Kills it, and with it all in its pid namespace. */
  kill(): Promise<void>;
}

/** Starts one; the first line of the script's output must be its pid. */
export const startMachine = async (program: string, args: readonly string[]): Promise<Machine> => {
  // In a process group of its own: Ctrl-C is for the tests, which clean up themselves.
  const child = spawn(program, args, { stdio: "pipe", detached: true, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
  const stderr: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = once(child, "exit");
  const line = async () => {
    const next = await lines.next();
    if (next.done) {
      await exited;
      throw new Error(`A host did not start: ${Buffer.concat(stderr).toString().trim()}`);
    }
    return next.value;
  };
  const pid = Number(await line());
  return {
    pid,
    line,
    say: (text) => child.stdin.write(`${text}\n`),
    forget: () => forget(child),
    kill: async () => {
      child.ref();
      signal(pid, "SIGKILL");
      await exited;
    },
  };
};

const forget = (child: ChildProcessWithoutNullStreams) => {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if (stream instanceof Socket) {
      stream.unref();
    }
  }
};
