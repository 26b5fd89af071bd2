import type { Host } from "../host/types.js";
import { viewFile } from "./home.js";
import { incomingFunctions } from "./incoming.js";
import { expectedFolder, homesFolder, incomingFolder, releasesFolder } from "./layout.js";
import { emitFunction, groupsOf, recordsOf } from "./records.js";

export interface RemovedRelease {
  readonly releaseId: string;
  readonly removed: boolean;
  /** Homes with a view (current or previous) of it, when it was kept. */
  readonly usedBy: readonly string[];
}

/**
 * How long what was staged waits for its operation: for another operator's end, then for its turn to have the lease. Whoever
 * removes releases has the lease himself.
 */
const expectedSeconds = 86_400;

// A release first leaves its name, then its files: nothing half looks whole. Homes are those that a switch has noted; those
// of earlier packages are looked for below the deployDir and, wherever they are, by the processes that run from them.
const removeScript = `${emitFunction}${incomingFunctions}
deploy=$1 releases=$2 incoming=$3 mode=$4
shift 4
expected=$releases/${expectedFolder}
shopt -s nullglob
discard_leftovers "$incoming"
homes=()
for known in "$releases/${homesFolder}"/*; do homes+=("$(<"$known")"); done
for view in "$deploy"/*/views; do homes+=("\${view%/views}"); done
while IFS= read -r -d '' home; do
  homes+=("\${home#*=}")
done < <(LC_ALL=C grep -zahs '^STARROCKS_HOME=' /proc/[0-9]*/environ)
# Whether home $1 has a view of release $id in this folder; one that is being made says nothing yet.
uses() {
  local view=$1/views/$id part
  [ -d "$view" ] || return 1
  { part=$(<"$view/${viewFile}"); } 2>/dev/null || return 0
  [ "$part/.." -ef "$folder" ]
}
# Whether an operation has staged release $1 lately, and may be about to switch to it.
is_expected() {
  local at
  at=$(stat -c %Y -- "$expected/$1" 2>/dev/null) && [ $(($(date +%s) - at)) -lt ${expectedSeconds} ]
}
# What this operation is through with is expected no more.
for name; do rm -f -- "$expected/$name"; done
for folder in "$releases"/*; do
  id=\${folder##*/}
  listed=
  for name; do [ "$name" != "$id" ] || listed=1; done
  case $mode in only) [ -n "$listed" ] || continue ;; except) [ -z "$listed" ] && ! is_expected "$id" || continue ;; esac
  emit release "$id"
  used=
  for home in "\${homes[@]}"; do
    if uses "$home"; then
      used=1
      emit "user.$home" "$home"
    fi
  done
  if [ -n "$used" ]; then continue; fi
  work=$incoming/removed.$$-$(ticks_of $$).work
  mkdir -p -- "$incoming" && chmod u+w -- "$folder" && mv -T -- "$folder" "$work" || exit 1
  discard "$work"
  emit removed 1
done
for entry in "$expected"/*; do
  is_expected "\${entry##*/}" || rm -f -- "$entry"
done
rmdir -- "$incoming" "$expected" 2>/dev/null
left=("$releases"/*)
if [ "\${#left[@]}" -eq 0 ] && [ ! -e "$incoming" ]; then rm -rf -- "$releases/${homesFolder}"; fi
rmdir -- "$releases" 2>/dev/null
true
`;

const remove = async (
  host: Host,
  deployDir: string,
  mode: "only" | "except",
  releaseIds: readonly string[],
): Promise<readonly RemovedRelease[]> => {
  const { stdout } = await host.script(
    removeScript,
    [deployDir, releasesFolder(deployDir), incomingFolder(deployDir), mode, ...releaseIds],
    { limit: removeLimit, label: "remove unused releases" },
  );
  return groupsOf(recordsOf(stdout), "release").map((group) => ({
    releaseId: group.get("release") ?? "",
    removed: group.has("removed"),
    usedBy: [...group].filter(([key]) => key.startsWith("user.")).map(([, home]) => home),
  }));
};

/** Removing 10 GB of files on a busy disk. */
const removeLimit = 600_000;

/**
 * Removes a release unless a home on the host, wherever it is, has a view of it; views are kept for the current and the previous
 * release. Undefined when there is none. One round trip.
 */
export const removeRelease = async (
  host: Host,
  { deployDir, releaseId }: { readonly deployDir: string; readonly releaseId: string },
): Promise<RemovedRelease | undefined> => (await remove(host, deployDir, "only", [releaseId]))[0];

/**
 * Removes all releases that no home has a view of, except those to keep and those that another operation has staged and
 * waits to switch to. Wants the lease on the cluster: who has it may be about to switch to any other. One round trip.
 */
export const pruneReleases = (
  host: Host,
  { deployDir, keep }: { readonly deployDir: string; readonly keep: readonly string[] },
): Promise<readonly RemovedRelease[]> => remove(host, deployDir, "except", keep);

// Where nothing can be written the staging that follows says why.
const expectScript = `folder=$1
shift
{ mkdir -p -- "$folder" && for id; do : >"$folder/$id"; done; } 2>/dev/null
true
`;

/** Says that these releases are going to be switched to, before they are looked for. One round trip. */
export const expectReleases = async (
  host: Host,
  { deployDir, releaseIds }: { readonly deployDir: string; readonly releaseIds: readonly string[] },
): Promise<void> => {
  await host.script(expectScript, [`${releasesFolder(deployDir)}/${expectedFolder}`, ...releaseIds], {
    label: `expect ${releaseIds.join(" and ")}`,
  });
};
