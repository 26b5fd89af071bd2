import { posix } from "node:path";
import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { ensureFolders, type WantedFolder } from "./folders.js";
import { homePaths, homesFolder, kindLayouts, type NodeKind, sealFile } from "./layout.js";
import type { HomeMarker } from "./marker.js";
import { processArguments, processFunctions } from "./process.js";
import { fieldsOf, listArguments, recordsOf } from "./records.js";

interface WantedHome {
  readonly home: string;
  readonly kind: NodeKind;
  readonly node?: string;
  readonly marker?: HomeMarker;
}

/** The home and its own folders, which no release ever replaces. */
export const homeFolders = ({ home, kind, marker, node }: WantedHome): readonly WantedFolder[] => {
  const purpose = `home of ${kind.toUpperCase()}${node === undefined ? "" : ` ${node}`}`;
  const paths = homePaths(home, kind);
  const inside = [posix.dirname(paths.conf), paths.log, paths.state, paths.views];
  return [{ path: home, purpose, ...(marker && { marker }) }, ...inside.map((path) => ({ path, purpose }))];
};

/** Creates the home and its own folders, and proves them writable. One round trip. */
export const prepareHome = (host: Host, wanted: WantedHome): Promise<{ readonly created: readonly string[] }> =>
  ensureFolders(host, homeFolders(wanted));

export interface SwitchOptions {
  readonly home: string;
  readonly kind: NodeKind;
  readonly releaseId: string;
  /** `<deployDir>/releases/<releaseId>`. */
  readonly releaseFolder: string;
}

/** Holds the release's folder once a view is complete; written last. */
export const viewFile = ".complete";

/**
 * Bash: completes `$view`, a real `lib/` with one link per entry of the release's, the node's own folders in it (UDFs, small
 * files, drivers) as links into `state/`, and the user's files from `state/lib/`: a file there wins over the release's of
 * the same name, a folder there (`jni-packages`) is merged with it. Tests of the shell itself (`-ef`) and one `ln` for many
 * links: an FE has some 700 jars.
 */
const completeView = `
shopt -s nullglob dotglob
own=()
for name in "\${states[@]}"; do own+=("$home/state/$name"); done
mkdir -p -- "$view/lib" "$home/state/lib" "\${own[@]}" || exit 1
# Makes link $2 lead to $1; what a process made in its place stays.
link() {
  if [ -L "$2" ]; then
    [ "$2" -ef "$1" ] && return
  elif [ -e "$2" ]; then
    return
  fi
  ln -sfn -- "$1" "$2" || exit 1
}
# Links in folder $1 all further arguments that have nothing there yet.
link_all() {
  local entry folder=$1 missing=()
  shift
  for entry; do
    if [ ! -L "$folder/\${entry##*/}" ] && [ ! -e "$folder/\${entry##*/}" ]; then missing+=("$entry"); fi
  done
  if [ "\${#missing[@]}" -gt 0 ]; then
    ln -s -t "$folder" -- "\${missing[@]}" || exit 1
  fi
}
drop_dangling() {
  local entry
  for entry in "$1"/*; do
    if [ -L "$entry" ] && [ ! -e "$entry" ]; then rm -f -- "$entry"; fi
  done
}

drop_dangling "$view/lib"
for entry in "$view/lib"/*; do
  if [ ! -L "$entry" ] && [ -d "$release/lib/\${entry##*/}" ]; then drop_dangling "$entry"; fi
done
link_all "$view/lib" "\${own[@]}"
for entry in "\${own[@]}"; do link "$entry" "$view/lib/\${entry##*/}"; done
for entry in "$home/state/lib"/*; do
  name=\${entry##*/}
  if [ -d "$entry" ] && [ -d "$release/lib/$name" ]; then
    if [ -L "$view/lib/$name" ]; then rm -f -- "$view/lib/$name"; fi
    mkdir -p -- "$view/lib/$name" || exit 1
    for file in "$entry"/*; do link "$file" "$view/lib/$name/\${file##*/}"; done
    link_all "$view/lib/$name" "$release/lib/$name"/*
  else
    link "$entry" "$view/lib/$name"
  fi
done
link_all "$view/lib" "$release/lib"/*
released=()
for name in "\${linked[@]}"; do
  if [ -e "$release/$name" ]; then released+=("$release/$name"); fi
done
link_all "$view" "\${released[@]}"
for entry in "\${released[@]}"; do link "$entry" "$view/\${entry##*/}"; done
if [ "$(cat -- "$view/${viewFile}" 2>/dev/null)" != "$release" ]; then
  printf '%s\\n' "$release" >"$view/${viewFile}.$$" && mv -f -- "$view/${viewFile}.$$" "$view/${viewFile}" || exit 1
fi
shopt -u nullglob dotglob
`;

const switchScript = `${processFunctions}
select_process "$1" "$2" "$3" "$4" "$5" "$6"
home=$5 id=$7 release=$8 conf=$9
shift 9
linked=("\${@:2:$1}"); shift $((1 + $1))
states=("\${@:2:$1}")
names=(lib "\${linked[@]}")
view=$home/views/$id
fail() { emit failed "$1"; exit 0; }
if [ ! -f "$release/${sealFile}" ]; then emit unverified "$release"; exit 0; fi
if find_process; then emit_process; fail "process $FOUND runs from it"; fi
for name in "\${names[@]}"; do
  if [ -e "$home/$name" ] && [ ! -L "$home/$name" ]; then fail "$home/$name is not a link, so this home was not made by pulumi-starrocks"; fi
done
if [ -e "$home/current" ] && [ ! -L "$home/current" ]; then fail "$home/current is not a link"; fi
# Before the first link leads there: who removes releases must know of this home, wherever it is.
known=\${release%/*/*}/${homesFolder}
name=$(printf %s "$home" | sha256sum) || exit 1
known=$known/\${name%% *}
if [ ! -f "$known" ]; then
  mkdir -p -- "\${known%/*}" && printf '%s\n' "$home" >"$known.$$" && mv -Tf -- "$known.$$" "$known" || exit 1
fi
${completeView}
old=$(readlink -- "$home/current")
old=\${old##*/}

shopt -s nullglob
rm -rf -- "$home"/.bin.* "$home"/.link.* "$home"/.conf.*
# hadoop_env.sh, core-site.xml, …: from then on they are the user's, who may have edited them or taken their place.
for entry in "$release/conf"/*; do
  name=\${entry##*/}
  if [ "$name" = "$conf" ] || [ -e "$home/conf/$name" ] || [ -L "$home/conf/$name" ]; then continue; fi
  cp -R -- "$entry" "$home/.conf.new" && chmod -R u+w -- "$home/.conf.new" && mv -T -- "$home/.conf.new" "$home/conf/$name" || exit 1
done
cp -R -- "$release/bin" "$home/.bin.new" && chmod -R u+w -- "$home/.bin.new" || exit 1
rm -f -- "$home/.bin.new"/*.pid
printf '%s\\n' "$id" >"$home/.bin.new/.release" || exit 1
if [ -e "$home/bin" ]; then mv -T -- "$home/bin" "$home/.bin.old" || exit 1; fi
mv -T -- "$home/.bin.new" "$home/bin" || exit 1
rm -rf -- "$home/.bin.old"

rename_link() { ln -s -- "$1" "$home/.link.new" && mv -Tf -- "$home/.link.new" "$2" || exit 1; }
if [ -n "$old" ] && [ "$old" != "$id" ]; then rename_link "views/$old" "$home/previous"; fi
rename_link "views/$id" "$home/current"
missing=()
for name in "\${names[@]}"; do
  if [ ! -e "$view/$name" ]; then
    if [ -L "$home/$name" ]; then rm -f -- "$home/$name"; fi
  elif [ ! -L "$home/$name" ]; then
    missing+=("current/$name")
  elif [ "$(readlink -- "$home/$name")" != "current/$name" ]; then
    rename_link "current/$name" "$home/$name"
  fi
done
if [ "\${#missing[@]}" -gt 0 ]; then ln -s -t "$home" -- "\${missing[@]}" || exit 1; fi
previous=$(readlink -- "$home/previous")
for entry in "$home/views"/*; do
  case \${entry##*/} in "$id" | "\${previous##*/}") ;; *) rm -rf -- "$entry" ;; esac
done
emit from "$old"
`;

/**
 * Makes a release the home's current one: completes its view in `views/<release>/`, copies its `bin/` and what `conf/` lacks
 * (but the node's own conf file, which is written with its settings), renames `current`, keeps the view before it as `previous` and drops older ones. Refuses while a process runs from the home. Gives the release
 * id that was current before. One round trip; interrupted, it is completed by being called again.
 */
export const switchTo = async (host: Host, options: SwitchOptions): Promise<string | undefined> => {
  const layout = kindLayouts[options.kind];
  const { stdout } = await host.script(
    switchScript,
    [
      ...processArguments(options.kind, options.home),
      options.releaseId,
      posix.join(options.releaseFolder, layout.part),
      layout.conf,
      ...listArguments(layout.linked),
      ...listArguments(layout.state),
    ],
    { label: `switch of ${options.home} to ${options.releaseId}` },
  );
  const fields = fieldsOf(recordsOf(stdout));
  const unverified = fields.get("unverified");
  if (unverified !== undefined) {
    throw new UserError(
      `Cannot prepare ${options.home} on ${host.name}: ${unverified} is not a verified release. Stage the release first.`,
    );
  }
  const failed = fields.get("failed");
  if (failed !== undefined) {
    throw new UserError(
      `Expected to switch ${options.home} on ${host.name} to ${options.releaseId}, but ${failed}. Nothing was changed.`,
    );
  }
  return fields.get("from") || undefined;
};
