import { z } from "zod";
import { sealFile } from "./layout.js";

const sealSchema = z.object({
  version: z.string(),
  commit: z.string(),
  sha256: z.string(),
  part: z.enum(["fe", "be"]),
});
/** What a verified part of a release says of itself. */
export type Seal = z.infer<typeof sealSchema>;

/** What a seal's text says, if it is one. */
export const sealOf = (text: string | undefined): readonly Seal[] => {
  try {
    return [sealSchema.parse(JSON.parse(text ?? ""))];
  } catch {
    // A file that is not a seal seals nothing: the part is staged again.
    return [];
  }
};

/**
 * Bash function: asks part $1, unpacked in folder $2, for its version, and seals it with digest $4 when that is $3.
 * Wants `emit`, and a `fail` that ends the script.
 */
export const sealFunction = `
# Whether $1 is version $2, or that and a commit: what a node is held to later, when it is proven.
is_build() {
  local rest=\${1#"$2"}
  [ "$2$rest" = "$1" ] && [[ $rest =~ ^(-[0-9A-Fa-f]{7,40})?$ ]]
}
seal_part() {
  local part=$1 folder=$2 version=$3 sha256=$4 said line inside= commit= seal
  emit part "$part"
  said=$(cd -- "$folder" && timeout -k 5 120 bash "bin/show_\${part}_version.sh" </dev/null 2>&1 | head -c 65536 | tr -d '\\0')
  while IFS= read -r line; do
    line=\${line%$'\\r'}
    case $line in
      'Build version: '*) [ -n "$inside" ] || inside=\${line#*: } ;;
      'Commit hash: '*) commit=\${line#*: } ;;
      [0-9]*.[0-9]*.[0-9]*) if [ "$part" = be ] && [ -z "$inside" ]; then inside=$line; fi ;;
    esac
  done <<<"$said"
  case $inside in '' | *[!A-Za-z0-9._+-]*) fail unknown "$said" ;; esac
  is_build "$inside" "$version" || is_build "$inside-$commit" "$version" || fail version "$inside"
  case $inside in *-*) [ -n "$commit" ] || commit=\${inside##*-} ;; esac
  case $commit in *[!A-Za-z0-9._+-]*) commit= ;; esac
  seal="{\\"version\\":\\"$inside\\",\\"commit\\":\\"$commit\\",\\"sha256\\":\\"$sha256\\",\\"part\\":\\"$part\\"}"
  { printf '%s\\n' "$seal" >"$folder/${sealFile}"; } 2>/dev/null || fail space ""
  emit seal "$seal"
  chmod -R a-w,a+rX -- "$folder" && chmod u+w -- "$folder" || exit 1
}
`;
