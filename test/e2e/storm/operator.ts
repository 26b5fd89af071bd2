// The process of an operator: it runs operations for the process that forked it, and can be killed in the middle of one.

import { sep } from "node:path";
import { type Kind, type Operation, operate, type Recorded } from "./engine.js";

export interface Order extends Operation {
  /** The program's folder, in which the journal is written. */
  readonly folder: string;
}

export type Told =
  | { readonly type: "checkpoint"; readonly name: string; readonly recorded: Recorded | undefined }
  | { readonly type: "ended"; readonly failures: readonly string[] };

const entry = require.resolve("../../../provider/index.js");
const providerFolder = entry.slice(0, entry.lastIndexOf(sep) + 1);

/** The provider as a new process has it: what it holds of an operation lives in its modules. */
const freshProvider = (): Readonly<Record<Kind, never>> => {
  for (const path of Object.keys(require.cache).filter((one) => one.startsWith(providerFolder))) {
    delete require.cache[path];
  }
  return require(entry);
};

/** Ends the operation as the engine does, by SIGINT, after which the provider kills itself; only that this process stays. */
const end = async (): Promise<void> => {
  if (process.listenerCount("SIGINT") > 0) {
    const kill = process.kill;
    await new Promise<void>((resolve) => {
      process.kill = () => {
        resolve();
        return true;
      };
      process.emit("SIGINT");
    });
    process.kill = kill;
  }
  process.removeAllListeners("SIGINT");
  process.removeAllListeners("SIGTERM");
  const { closeAll } = require(`${providerFolder}host/pool.js`) as typeof import("../../../provider/host/pool.js");
  await closeAll();
};

const tell = (told: Told): void => {
  process.send?.(told);
};

const main = async ({ folder, ...operation }: Order): Promise<void> => {
  process.chdir(folder);
  const failures = await operate(operation, freshProvider(), (name, recorded) =>
    tell({ type: "checkpoint", name, recorded }),
  );
  await end();
  tell({ type: "ended", failures });
};

// The first operation finds all modules loaded that are the same for every one.
freshProvider();
process.on("message", (order: Order) => void main(order));
process.on("disconnect", () => process.exit());
