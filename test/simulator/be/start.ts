import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Features } from "./settings/build.js";
import type { Conf } from "./settings/conf.js";
import type { Log } from "./settings/log.js";
import { canonicalizer, isWritable, parseRootPaths, type RootPath } from "./storage/root-path.js";

/** The soft limit of open files, of this process. */
const openFilesLimit = (): number => {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? "unlimited";
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
};

const BROKEN = "starrocks_main.cpp:170";

/** `storage_root_path`: one bad path aborts unless `ignore_broken_disk`; a CN can do without. */
export const findRoots = (conf: Conf, features: Features, isComputeNode: boolean, log: Log): readonly RootPath[] => {
  const value = conf.text("storage_root_path");
  const ignoresBroken = conf.flag("ignore_broken_disk");
  const results = parseRootPaths(value, canonicalizer(features.createsStorageFolders));
  const parsed: RootPath[] = [];
  for (const result of results) {
    if (result.ok) {
      parsed.push(result.root);
    } else {
      log.warning("options.cpp:84", result.log);
      log.warning("options.cpp:150", `failed to parse store path ${result.text}, res=${result.status}`);
    }
  }
  if (parsed.length === 0 || (parsed.length < results.length && !ignoresBroken)) {
    log.warning("options.cpp:157", `fail to parse storage_root_path config. value=[${value}]`);
    if (!isComputeNode) {
      log.fatal(BROKEN, `parse config storage path failed, path=${value}`);
    }
  }
  const roots = parsed.filter(({ path }) => {
    const works = isWritable(path);
    if (!works && !ignoresBroken) {
      log.fatal(BROKEN, `read write test file failed, path=${path}`);
    }
    return works;
  });
  if (roots.length === 0 && !isComputeNode) {
    log.fatal(BROKEN, "All disks are broken, exit.");
  }
  return roots;
};

/** A BE wants many open files; the start script only tries to raise the limit. */
export const checkOpenFiles = (conf: Conf, pretended: number, log: Log): void => {
  const wanted = conf.number("min_file_descriptor_number");
  const limit = pretended === 0 ? openFilesLimit() : pretended;
  if (limit < wanted) {
    log.error(
      "storage_engine.cpp:501",
      `File descriptor number is less than ${wanted}. Please use (ulimit -n) to set a value equal or greater than ${wanted}`,
    );
    log.fatal(
      "starrocks_be.cpp:58",
      "fail to open StorageEngine, res=Internal error: file descriptors limit is too small",
    );
  }
};

/** Folders that a BE makes in its home at start, most of them in `lib/`. */
export const makeHomeFolders = (home: string, conf: Conf): void => {
  for (const folder of [
    conf.text("user_function_dir"),
    conf.text("small_file_dir"),
    join(home, "lib/udf-runtime"),
    join(home, "lib/jdbc_drivers"),
    conf.text("spill_local_storage_dir"),
    conf.text("plugin_path"),
  ]) {
    mkdirSync(folder, { recursive: true });
  }
};
