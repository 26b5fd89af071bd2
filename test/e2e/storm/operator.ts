// The process of an operator: it runs one operation for the process that forked it, and can be killed in the middle of it.
// Never a second one: what a provider holds of an operation lives in its modules, as in the process that an engine starts.

import { chdir } from "node:process";
import * as provider from "../../../provider/index.js";
import { type Operation, operate, type Recorded } from "./engine.js";

export interface Order extends Operation {
  /** The program's folder, in which the journal is written. */
  readonly folder: string;
}

export type Told =
  | { readonly type: "checkpoint"; readonly name: string; readonly recorded: Recorded | undefined }
  | { readonly type: "ended"; readonly failures: readonly string[] };

const tell = (told: Told): void => {
  process.send?.(told);
};

process.once("message", async ({ folder, ...operation }: Order) => {
  chdir(folder);
  const failures = await operate(operation, provider, (name, recorded) => tell({ type: "checkpoint", name, recorded }));
  tell({ type: "ended", failures });
});
process.on("disconnect", () => process.exit());
