import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The file `cluster_id` of one storage root: `<id>-<version>`, or empty before the first heartbeat. */
export interface ClusterIdFile {
  readonly id: number | undefined;
  readonly write: (id: number) => void;
}

export type ClusterIdResult =
  | { readonly ok: true; readonly file: ClusterIdFile }
  | { readonly ok: false; readonly log: string };

/** The lock belongs to the open file, which util-linux' flock shares with us: it ends with this process, however that ends. */
const lock = (descriptor: number): boolean =>
  spawnSync("flock", ["-xn", "3"], { stdio: ["ignore", "ignore", "ignore", descriptor] }).status !== 1;

export const openClusterId = (root: string, version: string): ClusterIdResult => {
  const path = join(root, "cluster_id");
  const descriptor = openSync(path, "a+");
  if (!lock(descriptor)) {
    closeSync(descriptor);
    return { ok: false, log: `failed to flock cluster id file ${path}` };
  }
  const text = readFileSync(path, "utf8").trim();
  if (text !== "" && !/^\d+(-\S+)?$/.test(text)) {
    return { ok: false, log: `cluster id file ${path} is corrupt. [id=${Number.parseInt(text, 10)}]` };
  }
  return {
    ok: true,
    file: {
      id: text === "" ? undefined : Number.parseInt(text, 10),
      write: (id) => writeFileSync(path, `${id}-${version}`),
    },
  };
};
