import { spawn } from "node:child_process";
import { once } from "node:events";
import { commandOrThrow } from "./command.js";
import { tagVariable } from "./processes.js";
import type { Key } from "./types.js";

export interface Agent {
  readonly socket: string;
  stop(): void;
}

/** A real `ssh-agent` that holds one key; it is found and ended by its tag when we are not there to stop it. */
export const startAgent = async (socket: string, key: Key, tag: string): Promise<Agent> => {
  const agent = spawn("ssh-agent", ["-D", "-a", socket], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...tagVariable(tag) },
  });
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
