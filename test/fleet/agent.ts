import { spawn } from "node:child_process";
import { once } from "node:events";
import { commandOrThrow } from "./command.js";
import type { Key } from "./types.js";

export interface Agent {
  readonly socket: string;
  stop(): void;
}

/** A real `ssh-agent` that holds one key. */
export const startAgent = async (socket: string, key: Key): Promise<Agent> => {
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([
    // It says where it listens once it does.
    once(agent.stdout, "data"),
    once(agent, "exit").then(([code]) => Promise.reject(new Error(`ssh-agent ended with ${code}`))),
  ]);
  agent.stdout.resume();
  agent.unref();
  await commandOrThrow("ssh-add", ["-q", key.path], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return { socket, stop: () => agent.kill("SIGKILL") };
};
