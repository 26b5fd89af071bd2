import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { ExecResult } from "./types.js";

export interface CommandOptions {
  readonly stdin?: string | Buffer;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Its own process group, so that its end does not depend on signals to ours. */
  readonly detached?: boolean;
}

/** Runs a program of this machine to its end; an exit code is an answer, never an error. */
export const command = async (
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<ExecResult> =>
  new Promise((resolve, reject) => {
    const { stdin, ...rest } = options;
    const child = spawn(program, args, { ...rest, stdio: "pipe" });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading its input is no error of ours.
    child.stdin.on("error", () => {});
    child.stdin.end(stdin);
    child.on("error", reject);
    // "exit", not "close": a daemon that keeps our pipes open must not keep us waiting. What it wrote before is flushed first.
    child.on("exit", (code, signal) => {
      const done = () => {
        clearTimeout(timer);
        resolve({
          code: code ?? 128 + (signal ? constants.signals[signal] : 0),
          stdout: Buffer.concat(stdout).toString(),
          stderr: Buffer.concat(stderr).toString(),
        });
        child.stdout.destroy();
        child.stderr.destroy();
      };
      const timer = setTimeout(done, 200);
      child.on("close", done);
    });
  });

/** The same for programs that must succeed; gives what they wrote to stdout. */
export const commandOrThrow = async (
  program: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> => {
  const { code, stdout, stderr } = await command(program, args, options);
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ").slice(0, 300)} ended with ${code}: ${stderr.trim() || stdout.trim()}`);
  }
  return stdout;
};

export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
