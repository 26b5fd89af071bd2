import { posix } from "node:path";
import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { bytes, emitFunction, fieldsOf, groupsOf, integer, recordsOf } from "./records.js";

export interface MetaBackup {
  readonly path: string;
  readonly files: number;
  readonly size: number;
  /** Journal id of the image in it; 0 for none. */
  readonly image: number;
  readonly clusterId: string;
  readonly seconds: number;
  /** Older backups of ours that were removed. */
  readonly removed: readonly string[];
}

export interface MetaBackupOptions {
  /** Backups kept, this one included. Default 3. */
  readonly keep?: number;
  /** STARROCKS_HOME of the FE. */
  readonly home: string;
  /** Bytes that must stay free on the disk of the metadata: an FE that finds less does not start again. */
  readonly reserve: number;
  /** Milliseconds: 10 GB are read three times and written once. */
  readonly limit?: number;
}

/** In each backup; only folders that have it are ever removed. */
const markerName = ".pulumi-starrocks-backup";

/**
 * Bash function: where the backup goes, in `place`. Where the metadata has a disk of its own, the folder above it is another
 * disk, often root's: then the FE's home comes first. A place without room is told, and the next one tried.
 */
const placeFunction = `
own=$home/meta-backups full=
device_of() { stat -Lc %d -- "$1"; }
choose_place() {
  local at device free kept needed places=("$own" "$parent")
  if [ "$parent" = "$home" ]; then places=("$parent")
  elif [ "$(device_of "$parent")" = "$(device_of "$meta")" ]; then places=("$parent" "$own")
  fi
  for place in "\${places[@]}"; do
    at=$place
    if [ "$place" = "$own" ] && [ ! -e "$own" ]; then at=$home; fi
    if [ ! -d "$at" ] || [ ! -w "$at" ] || [ ! -x "$at" ]; then continue; fi
    device=$(device_of "$at")
    case $full in *" $device "*) continue ;; esac
    free=$(df -B1 --output=avail -- "$at" | tail -n 1 | tr -d ' ')
    kept=$reserve
    if [ "$device" != "$(device_of "$meta")" ]; then kept=0; fi
    needed=$((size + size / 10 + kept))
    if [ "$free" -ge "$needed" ]; then return; fi
    emit full "$place"; emit needed "$needed"; emit free "$free"; emit kept "$kept"
    full="$full $device "
  done
  place=
}
`;

// A live BDB appends to its last .jdb file and may delete the first ones, and a new image lets it drop the journal before it.
// So: image first, then the log, oldest file first; good when meanwhile no file but the last changed or went, and no image
// came. What was appended after the copy is later than it, and BDB cuts a torn end off.
const backupScript = `${emitFunction}
meta=$1 keep=$2 marker=$3 reserve=$4 home=$5
umask 077
export LC_ALL=C
shopt -s globstar nullglob dotglob
parent=$(dirname -- "$meta")
fail() { emit failed "$1"; [ -z "$work" ] || rm -rf -- "$work"; exit 0; }
started=$(date +%s%3N)
[ -r "$meta/image/VERSION" ] || fail "$meta/image/VERSION cannot be read"
size=$(du -sb -- "$meta" | cut -f 1)
${placeFunction}
choose_place
if [ -z "$place" ]; then
  [ -n "$full" ] || fail "neither $parent nor $own can be written"
  exit 0
fi
# To the millisecond: names sort by age, and a name that was freed must not come again.
name=meta-backup-$(date +%Y%m%d-%H%M%S-%3N)
path=$place/$name
while [ -e "$path" ]; do path=$path+; done
for old in "$place"/meta-backup-*.partial; do
  [ -f "$old/$marker" ] && rm -rf -- "$old"
done
message=$(mkdir -p -- "$path.partial" 2>&1) || fail "$message"
work=$path.partial
printf '%s\\n' "$meta" >"$work/$marker" || fail "$work cannot be written"
newest() {
  local newest=0 file id
  for file in "$meta"/image/image.* "$meta"/image/v2/image.*; do
    id=\${file##*/image.}
    case $id in *[!0-9]*) continue ;; esac
    if [ "$id" -gt "$newest" ]; then newest=$id; fi
  done
  echo "$newest"
}
state_of() { stat -c '%s %Y %i' -- "$1" 2>/dev/null; }
logs_of() { local file; for file in "$1"/bdb/*.jdb; do echo "\${file##*/}"; done; }
# 0: a good copy; 1: the original moved under it.
copy() {
  local before logs last file state
  rm -rf -- "$work/image" "$work/bdb"
  before=$(newest)
  mkdir -- "$work/bdb" && cp -a -- "$meta/image" "$work/image" 2>/dev/null || return 1
  rm -f -- "$work"/image/*.ckpt "$work"/image/v2/*.ckpt
  logs=$(logs_of "$meta")
  last=$(tail -n 1 <<<"$logs")
  [ -n "$logs" ] || return 1
  for file in $logs; do
    state=$(state_of "$meta/bdb/$file")
    cp -p -- "$meta/bdb/$file" "$work/bdb/$file" 2>/dev/null || return 1
    [ "$file" = "$last" ] || [ "$state" = "$(state_of "$meta/bdb/$file")" ] || return 1
  done
  [ "$(newest)" = "$before" ] && [ "$(logs_of "$meta")" = "$logs" ] || return 1
  for file in $logs; do
    size=$(stat -c %s -- "$work/bdb/$file")
    [ "$(head -c "$size" -- "$meta/bdb/$file" 2>/dev/null | sha256sum)" = "$(sha256sum <"$work/bdb/$file")" ] || return 1
  done
  image=$before
}
image=
for attempt in 1 2 3 4 5 6; do
  if copy; then break; fi
  sleep 0.5
done
[ -n "$image" ] || fail 'it changed under each of six copies'
if [ "$image" -gt 0 ] && [ ! -s "$work/image/image.$image" ] && [ ! -s "$work/image/v2/image.$image" ]; then fail "image $image is missing in the copy"; fi
# An FE loads v2 unless v1 is newer, and refuses it without its checksum; v1 has none.
if [ -e "$work/image/v2/image.$image" ] && [ ! -s "$work/image/v2/checksum.$image" ]; then fail "image/v2/image.$image has no checksum.$image beside it, so no FE would load it"; fi
cluster=$(sed -n 's/^clusterId=//p' "$work/image/VERSION")
[ -n "$cluster" ] || fail 'VERSION names no clusterId'
grep -q '^role=' "$work/image/ROLE" 2>/dev/null || fail 'ROLE names no role'
manifest() {
  local files=() file
  for file in image/** bdb/**; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then files+=("$file"); fi
  done
  sha256sum -- "\${files[@]}" >manifest.sha256
}
(cd -- "$work" && manifest) || fail 'no manifest could be written'
sync -f -- "$work" 2>/dev/null
(cd -- "$work" && sha256sum --quiet -c manifest.sha256 >/dev/null 2>&1) || fail 'it does not read back as it was written'
mv -T -- "$work" "$path" || fail "$path cannot be named"
work=
emit path "$path"
emit files "$(wc -l <"$path/manifest.sha256")"
emit size "$(du -sb -- "$path" | cut -f 1)"
emit image "$image"
emit cluster "$cluster"
emit milliseconds $(($(date +%s%3N) - started))
ours=()
for old in "$place"/meta-backup-*; do
  if [ -f "$old/$marker" ] && [ ! -L "$old" ]; then ours+=("$old"); fi
done
for ((index = 0; index < \${#ours[@]} - keep; index++)); do
  rm -rf -- "\${ours[index]}" && emit removed "\${ours[index]}"
done
`;

/**
 * Copies the metadata of an FE, running or not, image and log, proves that the copy is whole, and removes older backups of ours
 * in the same place. The copy is `<meta_dir>/../meta-backup-<time>` or, where that is closed or another disk,
 * `<home>/meta-backups/meta-backup-<time>`, with a `manifest.sha256` in it.
 */
export const backupMeta = async (
  host: Host,
  metaDir: string,
  { home, keep = 3, limit = 1_800_000, reserve }: MetaBackupOptions,
): Promise<MetaBackup> => {
  const { stdout } = await host.script(
    backupScript,
    [metaDir, String(Math.max(1, keep)), markerName, String(reserve), home],
    {
      limit,
      label: `backup of ${metaDir}`,
    },
  );
  const records = recordsOf(stdout);
  const fields = fieldsOf(records);
  const path = fields.get("path");
  const full = groupsOf(records, "full");
  if (path === undefined && full.length > 0) {
    const wanted = full.map((group) => {
      const size = (key: string): number => integer(group.get(key)) ?? 0;
      const among = size("kept") > 0 ? ` (among them the ${bytes(reserve)} without which an FE does not start)` : "";
      return `${bytes(size("needed"))} are wanted in ${group.get("full")}${among}, but ${bytes(size("free"))} are free`;
    });
    throw new UserError(
      `Expected room on ${host.name} for a backup of the metadata ${metaDir}; ${wanted.join("; ")}. ` +
        "Make room there, or remove old meta-backup folders.",
    );
  }
  if (path === undefined) {
    throw new UserError(
      `The backup of the metadata ${metaDir} on ${host.name} failed: ${fields.get("failed") ?? "it gave no result"}. ` +
        `The run user must be able to read it and to write in ${posix.dirname(metaDir)}, or in ${home}.`,
    );
  }
  return {
    path,
    files: integer(fields.get("files")) ?? 0,
    size: integer(fields.get("size")) ?? 0,
    image: integer(fields.get("image")) ?? 0,
    clusterId: fields.get("cluster") ?? "",
    seconds: (integer(fields.get("milliseconds")) ?? 0) / 1000,
    removed: records.flatMap(([key, value]) => (key === "removed" ? [value] : [])),
  };
};
