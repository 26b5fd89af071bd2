import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { z } from "zod";
import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { downloadArchive } from "./download.js";
import {
  incomingArchive,
  incomingFolder,
  type Part,
  releaseFolder,
  releasesFolder,
  requiredFiles,
  sealFile,
} from "./layout.js";
import { bytes, emitFunction, fieldsOf, groupsOf, integer, listArguments, recordsOf } from "./records.js";

const sealSchema = z.object({
  version: z.string(),
  commit: z.string(),
  sha256: z.string(),
  part: z.enum(["fe", "be"]),
});
/** What a verified part of a release says of itself. */
export type Seal = z.infer<typeof sealSchema>;

export interface StageOptions {
  readonly deployDir: string;
  readonly releaseId: string;
  /** As declared: `3.5.7`, or with the commit `3.5.7-d2da301`. */
  readonly version: string;
  readonly sha256: string;
  readonly source: { readonly archive: string } | { readonly url: string };
  readonly parts: readonly Part[];
  /** JDK on the host, with which the FE is asked for its version. */
  readonly javaHome?: string;
  readonly onProgress?: (message: string) => void;
  readonly limits?: Partial<StageLimits>;
}

export interface StageLimits {
  /** Milliseconds for a download by the host. */
  readonly download: number;
  /** Milliseconds for unpacking and verifying. */
  readonly unpack: number;
}

/** A release is 3 to 4 GB packed: an hour is 1 MB/s; unpacking takes 1 to 3 minutes on a slow disk. */
export const stageLimits: StageLimits = { download: 3_600_000, unpack: 1_200_000 };

/** An unpacked release is about 2.5 times its archive, and the archive lies beside it meanwhile. */
const spaceFactor = { unpacked: 2.5, withArchive: 3.5 } as const;

export interface StagedRelease {
  readonly did: "staged" | "present";
  readonly parts: readonly Seal[];
}

// A name ends in pid and start time of the script that uses the folder, so that leftovers of a dead one are known as such.
const incomingFunctions = `
discard() {
  if [ -e "$1" ]; then chmod -R u+w -- "$1" 2>/dev/null; rm -rf -- "$1"; fi
}
ticks_of() {
  local stat=
  { IFS= read -r -d '' stat <"/proc/$1/stat"; } 2>/dev/null
  set -- \${stat##*) }
  echo "\${20}"
}
discard_leftovers() {
  local entry owner
  for entry in "$1"/*.work; do
    owner=\${entry%.work}
    owner=\${owner##*.}
    if [ "$(ticks_of "\${owner%-*}")" != "\${owner#*-}" ]; then discard "$entry"; fi
  done
}
`;

const observeScript = `${emitFunction}
release=$1 archive=$2 at=$3
shift 3
for part; do
  emit part "$part"
  if [ -f "$release/$part/${sealFile}" ]; then emit seal "$(cat -- "$release/$part/${sealFile}")"; fi
done
if [ -f "$archive" ]; then emit archive "$(stat -c %s -- "$archive")"; fi
while [ ! -e "$at" ] && [ "$at" != / ]; do at=$(dirname -- "$at"); done
emit free "$(df -k --output=avail -- "$at" | tail -n 1)"
`;

interface Observed {
  readonly seals: readonly Seal[];
  readonly archiveSize?: number;
  readonly freeBytes?: number;
}

const observe = async (
  host: Host,
  {
    deployDir,
    releaseId,
    parts,
    sha256,
  }: Pick<StageOptions, "deployDir" | "releaseId" | "parts"> & { sha256?: string },
): Promise<Observed> => {
  const folder = releaseFolder(deployDir, releaseId);
  const archive = sha256 === undefined ? "" : incomingArchive(deployDir, sha256);
  const { stdout } = await host.script(observeScript, [folder, archive, folder, ...parts], {
    label: `look for release ${releaseId}`,
  });
  const records = recordsOf(stdout);
  const fields = fieldsOf(records);
  const archiveSize = integer(fields.get("archive"));
  const free = integer(fields.get("free")?.trim());
  return {
    seals: groupsOf(records, "part").flatMap((group) => sealOf(group.get("seal"))),
    ...(archiveSize === undefined ? {} : { archiveSize }),
    ...(free === undefined ? {} : { freeBytes: free * 1024 }),
  };
};

const sealOf = (text: string | undefined): readonly Seal[] => {
  try {
    return [sealSchema.parse(JSON.parse(text ?? ""))];
  } catch {
    // A file that is not a seal seals nothing: the part is staged again.
    return [];
  }
};

/** Which parts of a release are verified and whole on the host. One round trip. */
export const observeRelease = async (host: Host, deployDir: string, releaseId: string): Promise<readonly Seal[]> =>
  (await observe(host, { deployDir, releaseId, parts: ["fe", "be"] })).seals;

// Nothing gets its name before it is verified: unpacked in a working folder, sealed there, renamed. A folder can only be
// renamed by its owner while it is writable, hence the two steps of `chmod`.
const unpackScript = `${emitFunction}${incomingFunctions}
incoming=$1 release=$2 archive=$3 version=$4 sha256=$5
export JAVA_HOME=$6
[ -n "$JAVA_HOME" ] || unset JAVA_HOME
shift 6
parts=("\${@:2:$1}"); shift $((1 + $1))
required=("$@")
work=$incoming/unpack.$$-$(ticks_of $$).work
fail() {
  emit failed "$1"
  emit detail "$2"
  discard "$work"
  emit space "$(df -h --output=avail,size,target -- "$incoming" | tail -n 1)"
  exit 0
}
trap 'discard "$work"' EXIT
trap 'exit 1' HUP INT TERM PIPE
shopt -s nullglob
discard_leftovers "$incoming"
mkdir -p -- "$work" "$release" || exit 1
umask 022

top= first=
while IFS= read -r entry; do
  case $entry in . | ./) continue ;; ./*) top=./ entry=\${entry#./} ;; esac
  first=\${entry%%/*}
  case $first in fe | be | apache_hdfs_broker | LICENSE.txt | NOTICE.txt) ;; *) top=$top$first/ ;; esac
  break
done < <(tar -tzf "$archive" 2>/dev/null)
[ -n "$first" ] || fail archive "$(LC_ALL=C tar -tzf "$archive" 2>&1 >/dev/null | tail -n 3)"

members=()
for part in "\${parts[@]}"; do members+=("$top$part"); done
message=$(LC_ALL=C tar -xzf "$archive" -C "$work" --no-same-owner -- "\${members[@]}" 2>&1) || {
  case $message in
    *'No space left'* | *'quota exceeded'*) fail space "" ;;
    *) fail archive "$(printf '%s' "$message" | tail -n 3)" ;;
  esac
}

for part in "\${parts[@]}"; do
  folder=$work/$top$part
  for file in "\${required[@]}"; do
    case $file in "$part":*) [ -e "$folder/\${file#*:}" ] || fail missing "$part/\${file#*:}" ;; esac
  done
  emit part "$part"
  said=$(cd -- "$folder" && timeout -k 5 120 bash "bin/show_\${part}_version.sh" </dev/null 2>&1 | head -c 65536 | tr -d '\\0')
  inside= commit=
  while IFS= read -r line; do
    line=\${line%$'\\r'}
    case $line in
      'Build version: '*) [ -n "$inside" ] || inside=\${line#*: } ;;
      'Commit hash: '*) commit=\${line#*: } ;;
      [0-9]*.[0-9]*.[0-9]*) if [ "$part" = be ] && [ -z "$inside" ]; then inside=$line; fi ;;
    esac
  done <<<"$said"
  case $inside in '' | *[!A-Za-z0-9._+-]*) fail unknown "$said" ;; esac
  case $inside in
    "$version" | "$version"-*) ;;
    *) case $inside-$commit in "$version" | "$version"-*) ;; *) fail version "$inside" ;; esac ;;
  esac
  case $inside in *-*) [ -n "$commit" ] || commit=\${inside##*-} ;; esac
  case $commit in *[!A-Za-z0-9._+-]*) commit= ;; esac
  seal="{\\"version\\":\\"$inside\\",\\"commit\\":\\"$commit\\",\\"sha256\\":\\"$sha256\\",\\"part\\":\\"$part\\"}"
  { printf '%s\\n' "$seal" >"$folder/${sealFile}"; } 2>/dev/null || fail space ""
  emit seal "$seal"
  chmod -R a-w,a+rX -- "$folder" && chmod u+w -- "$folder" || exit 1
done
# A power loss after the rename must not leave a sealed part with empty files. Old coreutils ignore -f and write all.
timeout 300 sync -f "$work" 2>/dev/null
for part in "\${parts[@]}"; do
  target=$release/$part
  if [ -f "$target/${sealFile}" ]; then continue; fi
  if [ -e "$target" ]; then chmod u+w -- "$target"; mv -T -- "$target" "$work/replaced.$part" || exit 1; fi
  mv -T -- "$work/$top$part" "$target" || [ -f "$target/${sealFile}" ] || exit 1
  chmod a-w -- "$target"
done
rm -f -- "$archive"
`;

/**
 * Brings the wanted parts of a release onto the host, verified: digest of the archive, files that must be there, the
 * version inside. What is whole already is left alone; interrupted anywhere, the next call goes on, and nothing half looks
 * whole. One round trip when all parts are there; else two, and the upload or download.
 */
export const stageRelease = async (host: Host, options: StageOptions): Promise<StagedRelease> => {
  const { deployDir, releaseId, source, sha256 } = options;
  const progress = options.onProgress ?? (() => {});
  const seen = await observe(host, options);
  const missing = options.parts.filter((part) => !seen.seals.some((seal) => seal.part === part));
  if (missing.length === 0) {
    return { did: "present", parts: seen.seals };
  }
  const archive = incomingArchive(deployDir, sha256);
  if ("archive" in source) {
    const { size } = await stat(source.archive);
    requireSpace(host, options, seen, size);
    await host.upload(source.archive, archive, {
      sha256: sha256.toLowerCase(),
      onProgress: percent(source.archive, progress),
    });
  } else {
    await downloadArchive(host, {
      url: source.url,
      path: archive,
      sha256: sha256.toLowerCase(),
      limit: options.limits?.download ?? stageLimits.download,
      onProgress: progress,
    });
  }
  progress(`unpacking and verifying ${missing.join(" and ")} of ${releaseId}`);
  const staged = await unpack(host, options, missing);
  return { did: "staged", parts: [...seen.seals, ...staged] };
};

const unpack = async (host: Host, options: StageOptions, missing: readonly Part[]): Promise<readonly Seal[]> => {
  const { deployDir, releaseId, sha256 } = options;
  const { stdout } = await host.script(
    unpackScript,
    [
      incomingFolder(deployDir),
      releaseFolder(deployDir, releaseId),
      incomingArchive(deployDir, sha256),
      options.version,
      sha256.toLowerCase(),
      options.javaHome ?? "",
      ...listArguments(missing),
      ...missing.flatMap((part) => requiredFiles[part].map((file) => `${part}:${file}`)),
    ],
    { limit: options.limits?.unpack ?? stageLimits.unpack, label: `unpack release ${releaseId}` },
  );
  const records = recordsOf(stdout);
  const failed = fieldsOf(records).get("failed");
  if (failed !== undefined) {
    throw stagingError(host, options, failed, fieldsOf(records), groupsOf(records, "part").at(-1)?.get("part"));
  }
  return groupsOf(records, "part").flatMap((group) => sealOf(group.get("seal")));
};

const stagingError = (
  host: Host,
  options: StageOptions,
  failed: string,
  fields: ReadonlyMap<string, string>,
  part: string | undefined,
): UserError => {
  const detail = fields.get("detail")?.trim() ?? "";
  const from = "archive" in options.source ? options.source.archive : options.source.url;
  const staging = `Cannot stage StarRocks ${options.version} on ${host.name}`;
  switch (failed) {
    case "space": {
      const [available, size, ...target] = (fields.get("space") ?? "").trim().split(/\s+/);
      return new UserError(
        `${staging}: no space left on ${target.join(" ")} (${available} of ${size} free after removing what was unpacked). ` +
          `Free some space below ${releasesFolder(options.deployDir)} or choose another \`deployDir\`.`,
      );
    }
    case "version":
      return new UserError(
        `${staging}: archive says ${detail}, declared ${options.version} (${part} of ${from}). Correct \`release.version\` or the archive.`,
      );
    case "missing":
      return new UserError(`${staging}: ${from} has no ${detail}. Is it a StarRocks release?`);
    case "unknown": {
      const advice =
        part === "fe"
          ? "It needs a JDK that suits this version: install one, or set `javaHome` to where it is."
          : "Does the release suit the host's system (ubuntu or centos, amd64)?";
      return new UserError(
        `${staging}: ${part}/bin/show_${part}_version.sh should tell the version, but said: ${detail || "nothing"}. ${advice}`,
      );
    }
    default:
      return new UserError(
        `${staging}: cannot unpack ${options.parts.join(" and ")} from ${from}: ${detail || "not a .tar.gz archive"}.`,
      );
  }
};

const requireSpace = (host: Host, options: StageOptions, seen: Observed, size: number): void => {
  const present = seen.archiveSize === size;
  const wanted = size * (present ? spaceFactor.unpacked : spaceFactor.withArchive);
  if (seen.freeBytes !== undefined && seen.freeBytes < wanted) {
    throw new UserError(
      `Staging StarRocks ${options.version} on ${host.name} needs about ${bytes(wanted)} below ${releasesFolder(options.deployDir)}, ` +
        `but ${bytes(seen.freeBytes)} are free. Nothing was sent. Free some space or choose another \`deployDir\`.`,
    );
  }
};

/** Progress of an upload in whole percent, each told once. */
const percent = (path: string, progress: (message: string) => void): ((sent: number, total: number) => void) => {
  let last = -1;
  return (sent, total) => {
    const now = total === 0 ? 100 : Math.floor((sent / total) * 100);
    if (now !== last) {
      last = now;
      progress(`uploading ${posix.basename(path)}: ${now} % of ${bytes(total)}`);
    }
  };
};

export { incomingFunctions };
