import { posix } from "node:path";
import { homePaths, kindLayouts, type NodeKind } from "./layout.js";

/**
 * Where a node writes its logs, by its conf file. The start script sends the process's output (`fe.out`) to `LOG_DIR`, the
 * process its log (`fe.log`, `be.INFO`) to `sys_log_dir`; neither key moves the other.
 */
export const logFiles = (kind: NodeKind, home: string, conf: ReadonlyMap<string, string>): readonly string[] => {
  const standard = homePaths(home, kind).log;
  // The script evaluates its variables in a shell, in the order of the file.
  const out = folder(conf.get("LOG_DIR")?.replaceAll(/["']/g, ""), standard, { STARROCKS_HOME: home });
  const log = folder(conf.get("sys_log_dir"), standard, { STARROCKS_HOME: home, LOG_DIR: out });
  return kindLayouts[kind].logs.map((name) => posix.join(name.endsWith(".out") ? out : log, name));
};

/** What cannot be known here, such as another variable, leaves the default. */
const folder = (value: string | undefined, standard: string, variables: Readonly<Record<string, string>>): string => {
  const path = value?.replaceAll(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (whole, braced?: string, bare?: string) => variables[braced ?? bare ?? ""] ?? whole,
  );
  return path !== undefined && posix.isAbsolute(path) && !path.includes("$") ? path : standard;
};
