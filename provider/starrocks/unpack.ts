import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { incomingFunctions, workingFolder } from "./incoming.js";
import {
  incomingArchive,
  incomingFolder,
  type Part,
  releaseFolder,
  releasesFolder,
  requiredFiles,
  sealFile,
} from "./layout.js";
import { emitFunction, fieldsOf, groupsOf, listArguments, recordsOf } from "./records.js";
import { type Seal, sealFunction, sealOf } from "./seal.js";
import { type StageOptions, stageLimits } from "./stage-options.js";
import { shownUrl } from "./url.js";

// Nothing gets its name before it is verified: unpacked in a working folder, sealed there, renamed. A folder can only be
// renamed by its owner while it is writable, hence the two steps of `chmod`.
const unpackScript = `${emitFunction}${incomingFunctions}${sealFunction}
incoming=$1 release=$2 archive=$3 version=$4 sha256=$5
export JAVA_HOME=$6
[ -n "$JAVA_HOME" ] || unset JAVA_HOME
shift 6
parts=("\${@:2:$1}"); shift $((1 + $1))
required=("$@")
work=$incoming/unpack.$$-$(ticks_of $$).work
${workingFolder}
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
  seal_part "$part" "$folder" "$version" "$sha256"
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

/** Unpacks, verifies and seals the missing parts from the archive that has come in. */
export const unpack = async (
  host: Host,
  options: StageOptions,
  { missing, javaHome = "" }: { readonly missing: readonly Part[]; readonly javaHome?: string | undefined },
): Promise<readonly Seal[]> => {
  const { deployDir, releaseId, sha256 } = options;
  const { stdout } = await host.script(
    unpackScript,
    [
      incomingFolder(deployDir),
      releaseFolder(deployDir, releaseId),
      incomingArchive(deployDir, sha256),
      options.version,
      sha256.toLowerCase(),
      javaHome,
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
  const from = "archive" in options.source ? options.source.archive : shownUrl(options.source.url);
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
