import { type ChildProcess, spawn } from "node:child_process";
import type { ServerChannel, Session } from "ssh2";
import { signal } from "../processes.js";
import { serveFiles } from "./sftp.js";

/** What a login of a host gets. */
export interface Environment {
  readonly home: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly nofile: number | undefined;
}

/** Serves one session as OpenSSH does, without a terminal. */
export const serveSession = (session: Session, environment: () => Environment): void => {
  let child: ChildProcess | undefined;
  session.on("exec", (accept, _reject, { command }) => {
    child = start(accept(), command, environment());
  });
  session.on("shell", (accept) => {
    child = start(accept(), "exec bash", environment());
  });
  session.on("sftp", (accept) => serveFiles(accept(), environment().home));
  session.on("signal", (accept, _reject, { name }) => {
    accept?.();
    // To the process group, as OpenSSH sends it; the child leads one.
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      signal(-child.pid, `SIG${name}` as NodeJS.Signals);
    }
  });
};

const start = (channel: ServerChannel, command: string, { home, variables, nofile }: Environment): ChildProcess => {
  const limited = ["-c", nofile === undefined ? command : `ulimit -n ${nofile}; ${command}`];
  const child = spawn("bash", limited, { cwd: home, env: variables, detached: true, stdio: "pipe" });
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  for (const stream of [channel, child.stdin, child.stdout, child.stderr]) {
    // Either end may go first.
    stream.on("error", () => {});
  }
  child.on("error", () => {
    channel.exit(127);
    channel.end();
  });
  child.on("exit", (code, name) => (name ? channel.exit(name.slice(3), false, "") : channel.exit(code ?? 255)));
  // Not before all that hold the output have closed it: a daemon that keeps it keeps the channel open, as everywhere.
  child.on("close", () => channel.end());
  // The client has gone: the process goes on, and meets closed pipes.
  channel.on("close", () => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
  });
  return child;
};
