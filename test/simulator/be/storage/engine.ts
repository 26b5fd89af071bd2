import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../settings/log.js";
import { openClusterId } from "./cluster-id.js";
import type { RootPath } from "./root-path.js";
import { claimFormat, openTablets, type TabletStore } from "./tablets.js";

export interface Engine {
  readonly roots: readonly RootPath[];
  readonly tablets: TabletStore;
  readonly clusterId: () => number | undefined;
  readonly setClusterId: (id: number) => void;
}

export interface EngineSettings {
  readonly roots: readonly RootPath[];
  readonly version: string;
  readonly format: number;
  readonly corrupt: boolean;
}

const FOLDERS = ["data", "meta", "trash", "snapshot", "persistent", "clone"];
const WHERE = "storage_engine.cpp:300";

const failToOpen = (log: Log, text: string): never =>
  log.fatal("starrocks_be.cpp:58", `fail to open StorageEngine, res=${text}`);

/** Opens every storage root: its folders, its lock, its cluster id, its format, its tablets. Aborts as a real BE does. */
export const openEngine = ({ roots, version, format, corrupt }: EngineSettings, log: Log): Engine => {
  const files = roots.map(({ path }) => {
    for (const folder of FOLDERS) {
      mkdirSync(join(path, folder), { recursive: true });
    }
    const result = openClusterId(path, version);
    if (!result.ok) {
      log.warning("cluster_id_mgr.cpp:48", result.log);
      return failToOpen(log, `IO error: ${result.log}`);
    }
    return result.file;
  });
  const ids = new Set(files.flatMap(({ id }) => (id === undefined ? [] : [id])));
  if (ids.size > 1) {
    const [first, second] = ids;
    log.warning(WHERE, `multiple cluster ids is not equal. id1=${first} id2=${second}`);
    failToOpen(log, "Internal error: multiple cluster ids is not equal");
  }
  if (corrupt) {
    log.warning("kv_store.cpp:105", "rocksdb open failed, path=meta, reason:Corruption: Bad table magic number");
    failToOpen(log, "Internal error: Failed to open rocksdb");
  }
  for (const { path } of roots) {
    const problem = claimFormat(path, format, version);
    if (problem !== undefined) {
      failToOpen(log, problem);
    }
  }
  let [clusterId] = ids;
  const setClusterId = (id: number): void => {
    clusterId = id;
    for (const file of files) {
      if (file.id === undefined) {
        file.write(id);
      }
    }
  };
  if (clusterId !== undefined) {
    setClusterId(clusterId);
  }
  return { roots, tablets: openTablets(roots.map(({ path }) => path)), clusterId: () => clusterId, setClusterId };
};
