import { posix } from "node:path";
import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { incomingFunctions, workingFolder } from "./incoming.js";
import { incomingFolder, incomingOverlay, type Part, releaseFolder, releasesFolder, sealFile } from "./layout.js";
import { bytes, emitFunction, fieldsOf, listArguments, recordsOf } from "./records.js";
import { sealFunction } from "./seal.js";
import { sendFile } from "./send.js";
import { type StageLimits, stageLimits } from "./stage-options.js";

export interface ComposeOptions {
  readonly deployDir: string;
  /** The release whose files are kept; verified on the host. */
  readonly base: { readonly id: string; readonly version: string };
  readonly releaseId: string;
  /** What the part must say of itself with these files in it. */
  readonly version: string;
  /** Digest of base and files, for the seal. */
  readonly sha256: string;
  readonly part: Part;
  readonly files: readonly ComposedFile[];
  /** JDK on the host, with which the FE is asked for its version. */
  readonly javaHome?: string;
  readonly onProgress?: (message: string) => void;
  readonly limits?: Partial<StageLimits>;
}

export interface ComposedFile {
  /** Inside the release: `fe/lib/starrocks-fe.jar`. */
  readonly path: string;
  /** The file here that takes its place. */
  readonly archive: string;
  readonly sha256: string;
}

const lookScript = `${emitFunction}
base=$1 target=$2
shift 2
if [ -f "$target/${sealFile}" ]; then emit present 1; exit 0; fi
for path; do
  if [ ! -f "$base/$path" ]; then emit missing "$path"; exit 0; fi
done
`;

// Files that are kept are the base's own by hard links, as nothing ever writes into a sealed release. A file that is
// replaced leaves its name first: written in place, it would change the base too.
const composeScript = `${emitFunction}${incomingFunctions}${sealFunction}
incoming=$1 base=$2 release=$3 part=$4 version=$5 sha256=$6
export JAVA_HOME=$7
[ -n "$JAVA_HOME" ] || unset JAVA_HOME
shift 7
paths=("\${@:2:$1}"); shift $((1 + $1))
sources=("\${@:2:$1}"); shift $((1 + $1))
work=$incoming/compose.$$-$(ticks_of $$).work
folder=$work/$part
${workingFolder}copy() {
  message=$(LC_ALL=C cp "$@" 2>&1) || case $message in
    *'No space left'* | *'quota exceeded'*) fail space "" ;;
    *) fail copy "$(printf '%s' "$message" | tail -n 3)" ;;
  esac
}

if ! cp -al -- "$base/$part" "$folder" 2>/dev/null; then
  discard "$folder"
  copy -a -- "$base/$part" "$folder"
fi
chmod u+w -- "$folder" && rm -f -- "$folder/${sealFile}" || exit 1
for index in "\${!paths[@]}"; do
  target=$work/\${paths[index]}
  mode=$(stat -L -c %a -- "$target") && chmod u+w -- "$(dirname -- "$target")" && rm -f -- "$target" || exit 1
  copy -- "\${sources[index]}" "$target"
  chmod "$mode" -- "$target" || exit 1
done
seal_part "$part" "$folder" "$version" "$sha256"
timeout 300 sync -f "$work" 2>/dev/null
target=$release/$part
if [ -e "$target" ] && [ ! -f "$target/${sealFile}" ]; then
  chmod u+w -- "$target"
  mv -T -- "$target" "$work/replaced" || exit 1
fi
if [ ! -e "$target" ]; then
  mv -T -- "$folder" "$target" || [ -f "$target/${sealFile}" ] || exit 1
  chmod a-w -- "$target"
fi
rm -f -- "\${sources[@]}"
`;

/**
 * Makes a release of one part: the files of the base, which stays as it is, with single ones replaced; sealed when it says
 * the version that is declared for it. Nothing is sent where a file would replace none. One round trip when it is there
 * already; else two, and the uploads.
 */
export const composeRelease = async (host: Host, options: ComposeOptions): Promise<"composed" | "present"> => {
  const { base, deployDir, files, part, releaseId } = options;
  const progress = options.onProgress ?? (() => {});
  const release = releaseFolder(deployDir, releaseId);
  const { stdout: seen } = await host.script(
    lookScript,
    [releaseFolder(deployDir, base.id), posix.join(release, part), ...files.map(({ path }) => path)],
    { label: `look for release ${releaseId}` },
  );
  const found = fieldsOf(recordsOf(seen));
  if (found.has("present")) {
    return "present";
  }
  const missing = found.get("missing");
  if (missing !== undefined) {
    throw new UserError(
      `Cannot put \`release.overlay["${missing}"]\` over StarRocks ${base.version} on ${host.name}: the release has no file ${missing}. ` +
        "An overlay replaces files of the release, it adds none. Correct the path.",
    );
  }
  for (const { archive, sha256 } of files) {
    await sendFile(host, archive, incomingOverlay(deployDir, sha256), {
      sha256: sha256.toLowerCase(),
      limit: options.limits?.transfer ?? stageLimits.transfer,
      onProgress: (sent, total) => progress(`uploading ${posix.basename(archive)}: ${bytes(sent)} of ${bytes(total)}`),
    });
  }
  progress(`composing and verifying ${part} of ${releaseId}`);
  const { stdout } = await host.script(
    composeScript,
    [
      incomingFolder(deployDir),
      releaseFolder(deployDir, base.id),
      release,
      part,
      options.version,
      options.sha256,
      options.javaHome ?? "",
      ...listArguments(files.map(({ path }) => path)),
      ...listArguments(files.map(({ sha256 }) => incomingOverlay(deployDir, sha256))),
    ],
    { limit: options.limits?.unpack ?? stageLimits.unpack, label: `compose release ${releaseId}` },
  );
  const fields = fieldsOf(recordsOf(stdout));
  const failed = fields.get("failed");
  if (failed !== undefined) {
    throw composingError(host, options, failed, fields);
  }
  return "composed";
};

const composingError = (
  host: Host,
  { base, deployDir, files, part, version }: ComposeOptions,
  failed: string,
  fields: ReadonlyMap<string, string>,
): UserError => {
  const detail = fields.get("detail")?.trim() ?? "";
  const named = files.map(({ path }) => `\`release.overlay["${path}"]\``).join(" and ");
  const composing = `Cannot put ${named} over StarRocks ${base.version} on ${host.name}`;
  switch (failed) {
    case "space": {
      const [available, size, ...target] = (fields.get("space") ?? "").trim().split(/\s+/);
      return new UserError(
        `${composing}: no space left on ${target.join(" ")} (${available} of ${size} free after removing what was copied). ` +
          `Free some space below ${releasesFolder(deployDir)}.`,
      );
    }
    case "version":
      return new UserError(
        `${composing}: with it the ${part.toUpperCase()} says ${detail}, declared ${version}. Set its \`version\` to what nodes report, or correct the file.`,
      );
    case "unknown":
      return new UserError(
        `${composing}: ${part}/bin/show_${part}_version.sh should tell the version, but said: ${detail || "nothing"}. ` +
          "Is it the file for this release and this system?",
      );
    default:
      return new UserError(`${composing}: ${detail}`);
  }
};
