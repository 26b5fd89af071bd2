import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type BackendPort = "be" | "http" | "heartbeat" | "brpc" | "starlet";

/** What a BE or CN can be told to do wrong. See docs/simulator.md. */
export type BackendFault =
  | { readonly fault: "dieAtStart"; readonly message?: string; readonly exitCode?: number }
  | { readonly fault: "hangAtStart" }
  | { readonly fault: "slowStart"; readonly ms: number }
  | { readonly fault: "refusePort"; readonly port: BackendPort }
  | { readonly fault: "corruptMeta" }
  | { readonly fault: "crashLoop"; readonly afterMs: number }
  | { readonly fault: "dumpCore"; readonly afterMs: number }
  | { readonly fault: "die"; readonly exitCode?: number }
  | { readonly fault: "staleHeartbeat" }
  | { readonly fault: "hangHttp" }
  | { readonly fault: "wrongVersion"; readonly version: string }
  | { readonly fault: "newDataFormat"; readonly format?: number }
  | { readonly fault: "hangOnStop" }
  | { readonly fault: "runningFragments" }
  | { readonly fault: "refuseWrites" };

type Name = BackendFault["fault"];
type Named<N extends Name> = Extract<BackendFault, { readonly fault: N }>;

export interface BackendFaults {
  readonly find: <N extends Name>(name: N) => Named<N> | undefined;
}

const readFolder = (folder: string): readonly BackendFault[] => {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json") && name !== "options.json")
      .flatMap((name): BackendFault | BackendFault[] => JSON.parse(readFileSync(join(folder, name), "utf8")));
  } catch {
    return []; // No such folder, or a file half written: read again next time.
  }
};

/** `$STARROCKS_HOME/sim/*.json`, read anew each time, and what a bad build brings along. */
export const watchFaults = (home: string, ofBuild: readonly BackendFault[]): BackendFaults => ({
  find: <N extends Name>(name: N): Named<N> | undefined =>
    [...ofBuild, ...readFolder(join(home, "sim"))].find((fault): fault is Named<N> => fault.fault === name),
});
