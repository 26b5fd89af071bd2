// An upload as the provider process does it: loaded there by the text below, in the place of a resource's handlers.

import type { Connection } from "../../../provider/host/connection.js";
import { hostFor } from "../../../provider/host/pool.js";
import type { Props } from "../../contract/harness.js";

export interface Task {
  readonly connection: Connection;
  readonly from: string;
  readonly to: string;
  readonly sha256: string;
}

export interface Measured {
  readonly seconds: number;
  /** The most memory while it ran, above what the logged-in process had before. */
  readonly addedMegabytes: number;
  /** All memory at that moment. */
  readonly megabytes: number;
}

/** Create makes an upload. `module` is this file, as the process resolves imports from another folder. */
export const uploader = {
  create: async (inputs: Props) => (await import(String(inputs.module))).measure(inputs),
};

const sampleEvery = 20;
const megabyte = 1_000_000;

export const measure = async (inputs: Props): Promise<{ readonly id: string; readonly outs: Measured }> => {
  // All that a provider process has loaded when it uploads.
  await import("../../../provider/index.js");
  const { connection, from, to, sha256 } = inputs as unknown as Task;
  const host = hostFor(connection);
  await host.run(["true"]);
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, sampleEvery);
  const started = performance.now();
  await host.upload(from, to, { sha256 });
  const seconds = (performance.now() - started) / 1000;
  clearInterval(timer);
  return { id: "upload", outs: { seconds, addedMegabytes: (most - before) / megabyte, megabytes: most / megabyte } };
};
