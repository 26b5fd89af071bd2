import type { Host } from "../host/types.js";
import { emitFunction, recordsOf } from "./records.js";

// A folder that is a mount point cannot be renamed: then its content goes into a dated folder inside it.
const trashScript = `${emitFunction}
stamp=$(date +%Y%m%d-%H%M%S)
for path; do
  [ -d "$path" ] || continue
  trash=$path.trash-$stamp
  if mv -T -- "$path" "$trash" 2>/dev/null; then emit moved "$trash"; continue; fi
  trash=$path/.trash-$stamp
  mkdir -- "$trash" || exit 1
  for entry in "$path"/* "$path"/.[!.]*; do
    [ -e "$entry" ] || [ -L "$entry" ] || continue
    case \${entry##*/} in .trash-* | lost+found) continue ;; esac
    mv -- "$entry" "$trash/" || exit 1
  done
  emit moved "$trash"
done
`;

/** Moves data folders into dated ones beside them (inside them, where they are mount points). Gives the new paths. */
export const moveToTrash = async (host: Host, paths: readonly string[]): Promise<readonly string[]> => {
  const { stdout } = await host.script(trashScript, paths);
  return recordsOf(stdout).map(([, path]) => path);
};
