import fs from "node:fs";
import path from "node:path";

/** What an FE can be told to do wrong. See docs/simulator.md. */
export type Fault =
  | { readonly fault: "dieAtStart"; readonly message?: string; readonly exitCode?: number }
  | { readonly fault: "hangAtStart" }
  | { readonly fault: "slowStart"; readonly ms: number }
  | { readonly fault: "refusePort"; readonly port: "edit_log" | "rpc" | "query" | "http" }
  | { readonly fault: "corruptMeta" }
  | { readonly fault: "tornLog" }
  | { readonly fault: "dieOnReplay" }
  | { readonly fault: "crashLoop"; readonly afterMs: number }
  | { readonly fault: "die"; readonly exitCode?: number }
  | { readonly fault: "staleAlive" }
  | { readonly fault: "wrongVersion"; readonly version: string }
  | { readonly fault: "hangSql" }
  | { readonly fault: "slowSql"; readonly ms: number }
  | { readonly fault: "denyConfig" }
  | { readonly fault: "hangHttp" }
  | { readonly fault: "isolate" }
  | { readonly fault: "clockSkew"; readonly ms: number };

export type FaultName = Fault["fault"];

export interface Faults {
  readonly find: <N extends FaultName>(name: N) => Extract<Fault, { readonly fault: N }> | undefined;
}

const rereadMs = 100;

const readFolder = (folder: string): Fault[] => {
  try {
    return fs
      .readdirSync(folder)
      .filter((name) => name.endsWith(".json") && name !== "options.json")
      .flatMap((name) => {
        const content: Fault | Fault[] = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
        return Array.isArray(content) ? content : [content];
      });
  } catch {
    return []; // No such folder, or a file half written: read again next time.
  }
};

/** Files in `$STARROCKS_HOME/sim/*.json`, re-read while running, and what a bad build brings along. */
export const watchFaults = (home: string, ofBuild: readonly Fault[] = []): Faults => {
  let readAt = Number.NEGATIVE_INFINITY;
  let current: Fault[] = [];
  const find = <N extends FaultName>(name: N) => {
    if (performance.now() - readAt > rereadMs) {
      current = [...ofBuild, ...readFolder(path.join(home, "sim"))];
      readAt = performance.now();
    }
    return current.find((fault): fault is Extract<Fault, { readonly fault: N }> => fault.fault === name);
  };
  return { find };
};
