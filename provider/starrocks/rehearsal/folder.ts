import { posix } from "node:path";
import { UserError } from "../../error.js";
import type { Host } from "../../host/types.js";
import { observeProcess } from "../process.js";
import { emitFunction, fieldsOf, integer, recordsOf } from "../records.js";
import type { StartOptions } from "../start.js";
import { stopProcess } from "../stop.js";
import { features, type Version } from "../versions.js";

/** In a rehearsal's folder: the cluster it was made for. Nothing without it is ever removed. */
const markFile = ".rehearsal";

/** `rehearsal-3.5.8-20261123T020539`, below the folder of releases and homes. */
export const rehearsalFolder = (deployDir: string, version: string, at: Date): string =>
  posix.join(deployDir, `rehearsal-${version}-${at.toISOString().replaceAll(/[-:]|\..*/g, "")}`);

/** Closed to all others: it is going to hold the metadata of the cluster, with its users. */
export const makeFolder = async (host: Host, folder: string, cluster: string): Promise<void> => {
  const script = 'umask 077; mkdir -- "$1" && printf "%s\\n" "$2" >"$1/$3"';
  await host.script(script, [folder, cluster, markFile], { label: `make ${folder}` });
};

const earlierScript = `${emitFunction}
shopt -s nullglob
for folder in "$1"/rehearsal-*/; do
  folder=\${folder%/}
  if [ "$(cat -- "$folder/$3" 2>/dev/null)" = "$2" ]; then emit folder "$folder"; fi
done
`;

const earlierFolders = async (host: Host, deployDir: string, cluster: string): Promise<readonly string[]> => {
  const { stdout } = await host.script(earlierScript, [deployDir, cluster, markFile], { label: "look for rehearsals" });
  return recordsOf(stdout).map(([, folder]) => folder);
};

export const stopRehearsal = async (host: Host, folder: string, seconds: number): Promise<void> => {
  await stopProcess(host, "fe", folder, { graceful: false, timeoutSeconds: seconds });
};

// A release's files are sealed against writing; links to them are not followed. A copy that was cut short may still be
// written when it is removed: its tar ends with the folder that it stands in.
const removeScript = `
[ -f "$1/$2" ] || exit 0
chmod -R u+w -- "$1" 2>/dev/null
rm -rf -- "$1" || rm -rf -- "$1"
`;

/** Removes a rehearsal whose process is gone. */
export const removeFolder = async (host: Host, folder: string): Promise<void> => {
  await host.script(removeScript, [folder, markFile], { label: `remove ${folder}` });
};

export interface RemovalOptions {
  readonly cluster: string;
  readonly stopSeconds: number;
  /** What becomes of one whose FE runs. It may be another operator's, so only who has the lease may stop it. */
  readonly running: "stopped" | "left";
}

/**
 * Removes what earlier rehearsals of this cluster left on the host: kept after a failure, or cut short. Gives the folders
 * that were left.
 */
export const removeEarlier = async (
  host: Host,
  deployDir: string,
  { cluster, running, stopSeconds }: RemovalOptions,
): Promise<readonly string[]> => {
  const left: string[] = [];
  for (const folder of await earlierFolders(host, deployDir, cluster)) {
    if (running === "left" && (await observeProcess(host, "fe", folder))) {
      left.push(folder);
    } else {
      await stopRehearsal(host, folder, stopSeconds);
      await removeFolder(host, folder);
    }
  }
  return left;
};

// clusterId and token go from variable to file inside bash: what identifies a cluster is in no argument list.
const identityScript = `${emitFunction}
cd -- "$1/image" || exit 1
umask 077
old= new= run_mode= host_type=
while IFS='=' read -r key value || [ -n "$key" ]; do
  case $key in clusterId) old=$value ;; runMode) run_mode=$value ;; esac
done <VERSION
while IFS='=' read -r key value || [ -n "$key" ]; do
  case $key in hostType) host_type=$value ;; esac
done <ROLE
while [ -z "$new" ] || [ "$new" = "$old" ]; do
  new=$(($(od -An -N4 -tu4 /dev/urandom) % 2147483646 + 1))
done
read -r token </proc/sys/kernel/random/uuid
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    clusterId=*) line=clusterId=$new ;;
    token=*) line=token=$token ;;
  esac
  printf '%s\\n' "$line"
done <VERSION >VERSION.new && mv -f -- VERSION.new VERSION || exit 1
emit old "$old"
emit new "$new"
emit runMode "$run_mode"
emit hostType "$host_type"
`;

export interface CopyIdentity {
  /** Another one than that of the cluster it was copied from. */
  readonly clusterId: number;
  readonly runMode?: string;
  readonly byName: boolean;
}

/**
 * How the FE of a copy is told to call itself: alone in its namespace it finds no name for its address, and an FE whose ROLE
 * says FQDN would end.
 */
export const hostTypeOf = (
  { byName }: Pick<CopyIdentity, "byName">,
  version: Version,
): Pick<StartOptions, "hostType"> => (byName && features(version).fqdn ? { hostType: "IP" } : {});

/** Makes a copy of metadata that of another cluster: new `clusterId` and `token` in `image/VERSION`. */
export const changeIdentity = async (host: Host, metaDir: string): Promise<CopyIdentity> => {
  const { stdout } = await host.script(identityScript, [metaDir], { label: `change ${metaDir}/image/VERSION` });
  const fields = fieldsOf(recordsOf(stdout));
  const clusterId = integer(fields.get("new"));
  if (clusterId === undefined || integer(fields.get("old")) === undefined) {
    throw new UserError(
      `${metaDir}/image/VERSION on ${host.name} has no clusterId: the copy is not that of an FE's metadata.`,
    );
  }
  const runMode = fields.get("runMode");
  return { clusterId, byName: fields.get("hostType") === "FQDN", ...(runMode && { runMode }) };
};
