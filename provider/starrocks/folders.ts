import { posix } from "node:path";
import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { markerFile, type NodeKind } from "./layout.js";
import { type DataMarker, type HomeMarker, isMarkerOf, markerText, parseDataMarker } from "./marker.js";
import { emitFunction, groupsOf, integer, listArguments, type Rec, recordsOf, slurpFunction } from "./records.js";

/** A folder that a node needs, and what for, as errors say it: `storage of BE be-1`. */
export interface WantedFolder {
  readonly path: string;
  readonly purpose: string;
  /** Whose it is, to be written into it. */
  readonly marker?: DataMarker | HomeMarker;
}

/** Bash function: of an absolute path the folder in NEAREST that there is, be it `/`. */
export const nearestFunction = `
nearest() {
  NEAREST=$1
  while [ ! -e "$NEAREST" ] && [ "$NEAREST" != / ]; do NEAREST=\${NEAREST%/*}; NEAREST=\${NEAREST:-/}; done
}
`;

const ensureScript = `${emitFunction}${nearestFunction}
emit user "$(id -un)"
about() {
  nearest "$1"
  emit nearest "$NEAREST"
  emit owner "$(stat -L -c '%U:%G, mode %a' -- "$NEAREST" 2>/dev/null)"
}
fail() { emit failed "$1"; failed=1; }
paths=("\${@:2:$1}"); shift $((1 + $1))
texts=("$@")
failed= probes=()
for path in "\${paths[@]}"; do
  emit folder "$path"
  if [ -d "$path" ]; then
    emit did existing
  elif [ -e "$path" ] || [ -L "$path" ]; then
    fail 'it is not a folder'
    continue
  elif message=$(LC_ALL=C mkdir -p -- "$path" 2>&1); then
    emit did created
  else
    fail "$message"
    about "$path"
    continue
  fi
  probe=$path/.pulumi-starrocks.probe.$$
  if message=$({ : >"$probe"; } 2>&1); then
    probes+=("$probe")
  else
    fail "\${message##*: }"
    about "$path"
  fi
done
if [ "\${#probes[@]}" -gt 0 ]; then rm -f -- "\${probes[@]}"; fi
[ -z "$failed" ] || exit 0
for index in "\${!paths[@]}"; do
  marker=\${paths[index]}/${markerFile} text=\${texts[index]}
  if [ -z "$text" ]; then continue; fi
  if [ -r "$marker" ] && [ "$(<"$marker")" = "$text" ]; then continue; fi
  printf '%s\\n' "$text" >"$marker.$$" && mv -Tf -- "$marker.$$" "$marker" || exit 1
done
`;

/** What is created, and how to hand it over, for the one who may do so. */
const remedy = (path: string, user: string): string => `sudo mkdir -p '${path}' && sudo chown ${user}: '${path}'`;

/**
 * Creates what is missing and proves that the run user can write in each; never removes or changes what is there. Once
 * all are proven, writes whose they are into them. Tells which were created. One round trip.
 */
export const ensureFolders = async (
  host: Host,
  folders: readonly WantedFolder[],
): Promise<{ readonly created: readonly string[] }> => {
  if (folders.length === 0) {
    return { created: [] };
  }
  const { stdout } = await host.script(
    ensureScript,
    [
      ...listArguments(folders.map(({ path }) => path)),
      ...folders.map(({ marker }) => (marker === undefined ? "" : markerText(marker).trimEnd())),
    ],
    { label: "create folders" },
  );
  const records = recordsOf(stdout);
  const user = records.find(([key]) => key === "user")?.[1] ?? "";
  const groups = groupsOf(records, "folder");
  const problems = groups.flatMap((group, index) => {
    const failed = group.get("failed");
    if (failed === undefined) {
      return [];
    }
    const path = group.get("folder") ?? "";
    const wanted = `${path} (${folders[index]?.purpose ?? "folder"})`;
    const nearest = group.get("nearest");
    const owner = nearest === undefined ? "" : ` (${nearest}: ${group.get("owner")})`;
    const advice = nearest === undefined ? "Move it away or choose another path" : `Run: ${remedy(path, user)}`;
    return [`Expected ${wanted} on ${host.name} to be writable by ${user}, but ${failed}${owner}. ${advice}.`];
  });
  if (problems.length > 0) {
    throw new UserError(problems.join("\n"));
  }
  const created = groups.filter((group) => group.get("did") === "created").map((group) => group.get("folder") ?? "");
  return { created };
};

/** What a data folder holds, as far as it tells whose it is. */
export interface FolderContent {
  /** FE: `clusterId` of `image/VERSION`. BE: the number in `cluster_id`. */
  readonly clusterId?: number;
  /** FE: `image/ROLE` as it is. */
  readonly role?: string;
  /** FE: `image/VERSION` exists: this FE has been part of a cluster. */
  readonly hasVersion: boolean;
  /** Number of entries, our marker and `lost+found` not counted, and the first few names. */
  readonly count: number;
  readonly names: readonly string[];
}

export type DataFolder =
  | { readonly path: string; readonly state: "missing" }
  | { readonly path: string; readonly state: "unreadable"; readonly reason: string }
  | { readonly path: string; readonly state: "empty"; readonly marker?: DataMarker }
  | { readonly path: string; readonly state: "data"; readonly marker?: DataMarker; readonly content: FolderContent };

/** Whether it holds the metadata of an FE that has been part of a cluster. */
export const holdsMetadata = (folder: DataFolder | undefined): boolean =>
  folder?.state === "data" && folder.content.hasVersion;

/** Bash function that tells of one data folder. Needs `emitFunction` and `slurpFunction`. */
export const inspectFunction = `
inspect_folder() {
  local path=$1 entry name count=0
  emit folder "$path"
  if [ ! -e "$path" ] && [ ! -L "$path" ]; then emit state missing; return; fi
  if [ ! -d "$path" ]; then emit state unreadable; emit reason 'it is not a folder'; return; fi
  if [ ! -r "$path" ] || [ ! -x "$path" ]; then
    emit state unreadable
    emit reason "$(stat -L -c 'it belongs to %U:%G, mode %a' -- "$path" 2>/dev/null)"
    return
  fi
  for entry in "$path"/* "$path"/.[!.]*; do
    [ -e "$entry" ] || [ -L "$entry" ] || continue
    name=\${entry##*/}
    case $name in ${markerFile} | .pulumi-starrocks.probe.* | lost+found) continue ;; esac
    count=$((count + 1))
    if [ $count -le 5 ]; then emit "name.$count" "$name"; fi
  done
  emit count $count
  if slurp "$path/${markerFile}"; then
    emit marker "$TEXT"
  elif [ -f "$path/${markerFile}" ]; then
    emit marker "$(cat -- "$path/${markerFile}" 2>&1)"
  fi
  if [ -f "$path/cluster_id" ]; then slurp "$path/cluster_id"; emit cluster_id "$TEXT"; fi
  if [ -f "$path/image/VERSION" ]; then
    emit version ''
    while IFS= read -r entry || [ -n "$entry" ]; do
      case $entry in clusterId=*) emit version "$entry" ;; esac
    done 2>/dev/null <"$path/image/VERSION"
  fi
  if [ -f "$path/image/ROLE" ]; then slurp "$path/image/ROLE"; emit role "$TEXT"; fi
}
`;

const folderOf = (host: Host, group: ReadonlyMap<string, string>): DataFolder => {
  const path = group.get("folder") ?? "";
  const state = group.get("state");
  if (state === "missing") {
    return { path, state };
  }
  if (state === "unreadable") {
    return { path, state, reason: group.get("reason") ?? "" };
  }
  const text = group.get("marker");
  const marker =
    text === undefined ? {} : { marker: parseDataMarker(text, `${posix.join(path, markerFile)} on ${host.name}`) };
  const count = integer(group.get("count")) ?? 0;
  if (count === 0) {
    return { path, state: "empty", ...marker };
  }
  const clusterId =
    /^clusterId=(-?\d+)/m.exec(group.get("version") ?? "")?.[1] ?? /^-?\d+/.exec(group.get("cluster_id") ?? "")?.[0];
  const role = group.get("role");
  const content: FolderContent = {
    hasVersion: group.has("version"),
    count,
    names: [...group].filter(([key]) => key.startsWith("name.")).map(([, name]) => name),
    ...(clusterId === undefined ? {} : { clusterId: Number(clusterId) }),
    ...(role === undefined ? {} : { role }),
  };
  return { path, state: "data", ...marker, content };
};

/** Reads what `inspect_folder` told. */
export const dataFoldersOf = (host: Host, records: readonly Rec[]): readonly DataFolder[] =>
  groupsOf(records, "folder").map((group) => folderOf(host, group));

const inspectScript = `${emitFunction}${slurpFunction}${inspectFunction}
for path; do inspect_folder "$path"; done
`;

/** What is in each data folder (storage paths of a BE, `meta_dir` of an FE). One round trip. */
export const inspectData = async (host: Host, paths: readonly string[]): Promise<readonly DataFolder[]> => {
  if (paths.length === 0) {
    return [];
  }
  const { stdout } = await host.script(inspectScript, paths, { label: "inspect data folders" });
  return dataFoldersOf(host, recordsOf(stdout));
};

export interface FolderOwner {
  readonly cluster: string;
  readonly node: string;
  readonly kind: NodeKind;
}

/** Whose data a folder holds, seen from one node. A marker of another node makes even an empty folder foreign. */
export const ownershipOf = (folder: DataFolder, owner: FolderOwner): "missing" | "empty" | "ours" | "foreign" => {
  if (folder.state === "missing") {
    return "missing";
  }
  if (folder.state === "unreadable") {
    return "foreign";
  }
  const { marker } = folder;
  if (marker) {
    const ours = isMarkerOf(marker, owner) && marker.kind === owner.kind;
    if (!ours) {
      return "foreign";
    }
    return folder.state === "empty" ? "empty" : "ours";
  }
  return folder.state === "empty" ? "empty" : "foreign";
};

/** One phrase on what is in a folder, for errors. */
export const describeFolder = (folder: DataFolder): string => {
  switch (folder.state) {
    case "missing":
      return "missing";
    case "unreadable":
      return `unreadable: ${folder.reason}`;
    case "empty":
      return folder.marker ? `empty, of ${describeMarker(folder.marker)}` : "empty";
    case "data": {
      const { content, marker } = folder;
      const parts = [
        marker ? `data of ${describeMarker(marker)}` : "data without a marker",
        ...(content.clusterId === undefined ? [] : [`cluster id ${content.clusterId}`]),
        `${content.count} entries (${content.names.join(", ")}${content.count > content.names.length ? ", …" : ""})`,
      ];
      return parts.join(", ");
    }
  }
};

const describeMarker = ({ kind, node, cluster }: DataMarker): string =>
  `${kind.toUpperCase()} "${node}" of cluster "${cluster}"`;
