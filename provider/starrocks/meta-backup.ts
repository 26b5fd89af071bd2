import { posix } from "node:path";
import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { bytes, emitFunction, fieldsOf, integer, recordsOf } from "./records.js";

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
  /** Bytes that must stay free on the disk: an FE that finds less does not start again. */
  readonly reserve: number;
  /** Milliseconds: 10 GB are read three times and written once. */
  readonly limit?: number;
}

/** In each backup; only folders that have it are ever removed. */
const markerName = ".pulumi-starrocks-backup";

// A live BDB appends to its last .jdb file and may delete the first ones, and a new image lets it drop the journal before it.
// So: image first, then the log, oldest file first; good when meanwhile no file but the last changed or went, and no image
// came. What was appended after the copy is later than it, and BDB cuts a torn end off.
const backupScript = `${emitFunction}
meta=$1 keep=$2 marker=$3 reserve=$4
umask 077
export LC_ALL=C
shopt -s globstar nullglob dotglob
parent=$(dirname -- "$meta")
fail() { emit failed "$1"; [ -z "$work" ] || rm -rf -- "$work"; exit 0; }
started=$(date +%s%3N)
[ -r "$meta/image/VERSION" ] || fail "$meta/image/VERSION cannot be read"
size=$(du -sb -- "$meta" | cut -f 1)
free=$(df -B1 --output=avail -- "$parent" | tail -n 1 | tr -d ' ')
needed=$((size + size / 10 + reserve))
if [ "$free" -lt "$needed" ]; then emit needed "$needed"; emit free "$free"; exit 0; fi
# To the millisecond: names sort by age, and a name that was freed must not come again.
name=meta-backup-$(date +%Y%m%d-%H%M%S-%3N)
path=$parent/$name
while [ -e "$path" ]; do path=$path+; done
for old in "$parent"/meta-backup-*.partial; do
  [ -f "$old/$marker" ] && rm -rf -- "$old"
done
message=$(mkdir -- "$path.partial" 2>&1) || fail "$message"
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
for old in "$parent"/meta-backup-*; do
  if [ -f "$old/$marker" ] && [ ! -L "$old" ]; then ours+=("$old"); fi
done
for ((index = 0; index < \${#ours[@]} - keep; index++)); do
  rm -rf -- "\${ours[index]}" && emit removed "\${ours[index]}"
done
`;

/**
 * Copies the metadata of a running FE, image and log, beside it, proves that the copy is whole, and removes older backups of
 * ours. The copy is `<meta_dir>/../meta-backup-<time>` with a `manifest.sha256` in it.
 */
export const backupMeta = async (
  host: Host,
  metaDir: string,
  { keep = 3, limit = 1_800_000, reserve }: MetaBackupOptions,
): Promise<MetaBackup> => {
  const { stdout } = await host.script(
    backupScript,
    [metaDir, String(Math.max(1, keep)), markerName, String(reserve)],
    {
      limit,
      label: `backup of ${metaDir}`,
    },
  );
  const records = recordsOf(stdout);
  const fields = fieldsOf(records);
  const needed = integer(fields.get("needed"));
  if (needed !== undefined) {
    throw new UserError(
      `Expected ${bytes(needed)} free beside ${metaDir} on ${host.name} for a backup of the metadata` +
        `${reserve > 0 ? ` and the ${bytes(reserve)} without which an FE does not start` : ""}, ` +
        `but ${bytes(integer(fields.get("free")) ?? 0)} are. Make room, or remove old meta-backup folders there.`,
    );
  }
  const path = fields.get("path");
  if (path === undefined) {
    throw new UserError(
      `The backup of the metadata ${metaDir} on ${host.name} failed: ${fields.get("failed") ?? "it gave no result"}. ` +
        `The run user must be able to read it and to write in ${posix.dirname(metaDir)}.`,
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
