import { spawn } from "node:child_process";
import { once } from "node:events";
import { commandOrThrow } from "./command.js";
import { atExit } from "./exit.js";
import { signal } from "./processes.js";
import type { Key } from "./types.js";

export interface Agent {
  readonly socket: string;
  stop(): void;
}

/**
 * A real `ssh-agent` that holds one key. It hides its environment, so no tag would find it: it serves a command that
 * ends it when our end of a pipe is closed, however this process dies.
 */
export const startAgent = async (socket: string, key: Key): Promise<Agent> => {
  const served = spawn("ssh-agent", ["-a", socket, "bash", "-c", "echo $SSH_AGENT_PID; read -r; kill $SSH_AGENT_PID"], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  const [pid] = await Promise.race([
    once(served.stdout.setEncoding("utf8"), "data"),
    once(served, "exit").then(([code]) => Promise.reject(new Error(`ssh-agent ended with ${code}`))),
  ]);
  served.unref();
  const kill = () => {
    served.kill("SIGKILL");
    signal(Number(pid), "SIGKILL");
  };
  const calledOff = atExit(kill);
  await commandOrThrow("ssh-add", ["-q", key.path], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return {
    socket,
    stop: () => {
      kill();
      calledOff();
    },
  };
};
