import type { Host } from "../host/types.js";
import { digestOfConf } from "./conf.js";
import { type DataFolder, dataFoldersOf, inspectFunction } from "./folders.js";
import { viewFile } from "./home.js";
import { homePaths, type NodeKind, sealFile } from "./layout.js";
import { type HomeMarker, parseHomeMarker } from "./marker.js";
import { type ObservedProcess, processArguments, processFunctions, processOf } from "./process.js";
import { fieldsOf, integer, recordsOf, slurpFunction } from "./records.js";

export interface ObservedHome {
  readonly exists: boolean;
  readonly marker?: HomeMarker;
  /** A path in the home where something else than a link stands: it was not made here. */
  readonly foreign?: string;
  /** Release id that `current` names. */
  readonly current?: string;
  readonly previous?: string;
  /** The current view is complete, leads to a sealed release and has no dangling link. */
  readonly viewComplete: boolean;
  /** Release id that `bin/` was copied from. Unlike `current` after an interrupted switch: switch again before a start. */
  readonly binRelease?: string;
  /** `modifiedAt` in epoch seconds. */
  readonly conf?: { readonly text: string; readonly sha256: string; readonly modifiedAt: number };
  /** Where there is no conf file: that of the release which was asked for. */
  readonly template?: string;
  readonly process?: ObservedProcess;
  readonly data: readonly DataFolder[];
  /** Host's clock, epoch milliseconds. */
  readonly at: number;
}

const observeScript = `${processFunctions}${slurpFunction}${inspectFunction}
select_process "$1" "$2" "$3" "$4" "$5" "$6"
home=$5 conf=$7 marker=$8 template=$9
shift 9
emit at "$(date +%s%3N)"
if [ -d "$home" ]; then emit exists 1; fi
for entry in current lib; do
  if [ -e "$home/$entry" ] && [ ! -L "$home/$entry" ]; then emit foreign "$home/$entry"; fi
done
if [ -f "$marker" ]; then slurp "$marker"; emit home.marker "$TEXT"; fi
if [ -L "$home/current" ]; then
  current=$(readlink -- "$home/current") || exit 1
  emit current "\${current##*/}"
  complete=
  if slurp "$home/current/${viewFile}" && [ -f "$TEXT/${sealFile}" ]; then
    complete=1
    shopt -s nullglob dotglob
    for entry in "$home/current"/* "$home/current/lib"/* "$home/current/lib"/*/*; do
      if [ -L "$entry" ] && [ ! -e "$entry" ]; then complete=; break; fi
    done
    shopt -u nullglob dotglob
  fi
  emit complete "$complete"
fi
if [ -L "$home/previous" ]; then previous=$(readlink -- "$home/previous"); emit previous "\${previous##*/}"; fi
if slurp "$home/bin/.release"; then emit bin "$TEXT"; fi
if [ -f "$conf" ]; then
  emit conf.modified "$(stat -L -c %Y -- "$conf")"
  printf 'conf.text\\0'
  tr -d '\\0' <"$conf"
  printf '\\0'
elif [ -f "$template" ]; then
  printf 'template\\0'
  tr -d '\\0' <"$template"
  printf '\\0'
fi
if find_process; then emit_process; fi
for path; do inspect_folder "$path"; done
`;

/** All that is on the host about one node, in one round trip. */
export const observeHome = async (
  host: Host,
  {
    home,
    kind,
    dataFolders = [],
    template = "",
  }: {
    readonly home: string;
    readonly kind: NodeKind;
    readonly dataFolders?: readonly string[];
    /** The conf file of a release, wanted where the home has none. */
    readonly template?: string;
  },
): Promise<ObservedHome> => {
  const paths = homePaths(home, kind);
  const { stdout } = await host.script(
    observeScript,
    [...processArguments(kind, home), paths.conf, paths.marker, template, ...dataFolders],
    { label: `look at ${home}` },
  );
  const records = recordsOf(stdout);
  const fields = fieldsOf(records);
  const marker = fields.get("home.marker");
  const process = processOf(records);
  const text = fields.get("conf.text");
  const current = fields.get("current");
  const previous = fields.get("previous");
  const binRelease = fields.get("bin");
  const released = fields.get("template");
  const foreign = fields.get("foreign");
  return {
    exists: fields.has("exists"),
    ...(marker === undefined ? {} : { marker: parseHomeMarker(marker, `${paths.marker} on ${host.name}`) }),
    ...(foreign === undefined ? {} : { foreign }),
    ...(current === undefined ? {} : { current }),
    ...(previous === undefined ? {} : { previous }),
    ...(binRelease === undefined ? {} : { binRelease }),
    viewComplete: fields.get("complete") === "1",
    ...(text === undefined
      ? {}
      : { conf: { text, sha256: digestOfConf(text), modifiedAt: integer(fields.get("conf.modified")) ?? 0 } }),
    ...(released === undefined ? {} : { template: released }),
    ...(process ? { process } : {}),
    data: dataFoldersOf(host, records),
    at: integer(fields.get("at")) ?? 0,
  };
};
