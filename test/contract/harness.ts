// The provider process as the engine runs it, driven over gRPC: a test says what arrives and looks at what comes back.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import { type dynamic, runtime } from "@pulumi/pulumi";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { ConfigureRequest } from "@pulumi/pulumi/proto/provider_pb.js";
import { type Calls, callsOf, reply, toStruct } from "./calls.js";
import { type Logged, startEngine } from "./fake-engine.js";

export { type Calls, type Diff, type Props, ProviderFailure } from "./calls.js";
export type { Logged } from "./fake-engine.js";

/** What the engine puts in place of a value that is not known yet. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface ProviderOptions {
  /** The serialized provider, as `__provider` holds it. */
  readonly text: string;
  /** The folder of the program: `import("…")` in the text resolves from here. Default: this process's. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Provider extends Calls {
  /** Calls with the text of another provider, in the same process. */
  with(text: string): Calls;
  readonly pid: number;
  /** What it sent to its engine, in the order in which it arrived. */
  readonly logged: readonly Logged[];
  /** The exit code once it has ended; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** What it wrote to stdout and stderr. */
  output(): string;
  /** The engine goes away, as when it is killed. */
  stopEngine(): void;
  kill(signal: NodeJS.Signals): void;
  close(): Promise<void>;
}

/** The text that `pulumi.dynamic.Resource` makes of a provider object. */
export const serialize = async (provider: dynamic.ResourceProvider): Promise<string> =>
  (await runtime.serializeFunction(() => provider, { allowSecrets: true })).text;

const script = require.resolve("@pulumi/pulumi/cmd/dynamic-provider");

export const startProvider = async ({ text, folder, env }: ProviderOptions): Promise<Provider> => {
  const engine = await startEngine();
  const child = spawn(process.execPath, [script, engine.address], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    output += part;
  });
  const lines = createInterface({ input: child.stdout });
  const failed = ended.then((code) => {
    engine.stop();
    throw new Error(`The provider ended with exit code ${code} before it listened:\n${output}`);
  });
  const [port] = await Promise.race([once(lines, "line"), failed]);
  failed.catch(() => undefined);
  lines.on("line", (line: string) => {
    output += `${line}\n`;
  });
  const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
  await reply((done) => client.configure(new ConfigureRequest().setArgs(toStruct({})), done));
  return {
    ...callsOf(client, text),
    with: (other) => callsOf(client, other),
    pid: child.pid ?? 0,
    logged: engine.logged,
    ended,
    output: () => output,
    stopEngine: engine.stop,
    kill: (signal) => child.kill(signal),
    close: async () => {
      client.close();
      child.kill("SIGKILL");
      await ended;
      engine.stop();
    },
  };
};
