import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { failed, type Run, type RunOutput } from "./run.js";

/** `local.Command`: /bin/sh -c, or the given interpreter, in `dir`. */
export const runHere = async (run: Run): Promise<RunOutput> => {
  const [program = "/bin/sh", ...args] = (run.props.interpreter as readonly string[] | undefined) ?? ["/bin/sh", "-c"];
  const child = spawn(program, [...args, run.text], {
    cwd: run.props.dir as string | undefined,
    env: { ...process.env, ...run.env },
  });
  // A command may end without having read its input.
  child.stdin.on("error", () => undefined).end(run.props.stdin ?? "");
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const output = { stdout: stdout.replace(/\n$/, ""), stderr: stderr.replace(/\n$/, "") };
  if (code !== 0) {
    throw failed(run.text, code, output);
  }
  return output;
};
