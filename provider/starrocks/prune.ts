import type { Host } from "../host/types.js";
import { incomingFunctions } from "./incoming.js";
import { incomingFolder, releasesFolder } from "./layout.js";
import { emitFunction, groupsOf, recordsOf } from "./records.js";

export interface RemovedRelease {
  readonly releaseId: string;
  readonly removed: boolean;
  /** Homes with a view (current or previous) of it, when it was kept. */
  readonly usedBy: readonly string[];
}

// A release first leaves its name, then its files: nothing half looks whole.
const removeScript = `${emitFunction}${incomingFunctions}
deploy=$1 releases=$2 incoming=$3 mode=$4
shift 4
shopt -s nullglob
discard_leftovers "$incoming"
for folder in "$releases"/*; do
  id=\${folder##*/}
  listed=
  for name; do [ "$name" != "$id" ] || listed=1; done
  case $mode in only) [ -n "$listed" ] || continue ;; except) [ -z "$listed" ] || continue ;; esac
  emit release "$id"
  used=
  for view in "$deploy"/*/views/"$id"; do
    used=1
    home=\${view%/views/*}
    emit "user.$home" "$home"
  done
  if [ -n "$used" ]; then continue; fi
  work=$incoming/removed.$$-$(ticks_of $$).work
  mkdir -p -- "$incoming" && chmod u+w -- "$folder" && mv -T -- "$folder" "$work" || exit 1
  discard "$work"
  emit removed 1
done
rmdir -- "$incoming" "$releases" 2>/dev/null
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
 * Removes a release unless a home on the host (`<deployDir>/*`) has a view of it; views are kept for the current and the previous
 * release. Undefined when there is none. One round trip.
 */
export const removeRelease = async (
  host: Host,
  { deployDir, releaseId }: { readonly deployDir: string; readonly releaseId: string },
): Promise<RemovedRelease | undefined> => (await remove(host, deployDir, "only", [releaseId]))[0];

/** Removes all releases that no home has a view of, except those to keep. One round trip. */
export const pruneReleases = (
  host: Host,
  { deployDir, keep }: { readonly deployDir: string; readonly keep: readonly string[] },
): Promise<readonly RemovedRelease[]> => remove(host, deployDir, "except", keep);
