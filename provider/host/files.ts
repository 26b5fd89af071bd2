import { UserError } from "../error.js";
import { CommandError } from "./errors.js";
import { script, type Target } from "./run.js";
import type { WriteOptions } from "./types.js";

/** Conf files, markers and the ends of logs are small; anything larger is not meant to be read whole. */
const readBound = 16 * 1024 * 1024;

const nothingThere = /: (No such file or directory|Not a directory)$/m;

/** Content of a file, or undefined when there is none. A file that may not be read is an error, not an absence. */
export const readFile = async (target: Target, path: string): Promise<string | undefined> => {
  try {
    const { stdout } = await script(target, 'LC_ALL=C exec head -c "$2" -- "$1"', [path, String(readBound + 1)], {
      label: `read ${path}`,
      bound: readBound + 1,
    });
    if (Buffer.byteLength(stdout) > readBound) {
      throw new UserError(`${target.link.name}: ${path} is larger than 16 MiB, the most that is read at once.`);
    }
    return stdout;
  } catch (error) {
    if (error instanceof CommandError && nothingThere.test(error.stderr)) {
      return undefined;
    }
    throw error;
  }
};

/** The name is only taken when every byte has come: a lost connection ends stdin just as the end of the content does. */
const writeScript = `
umask 077
new=$(mktemp -- "$1.new-XXXXXXXXXX") || exit
trap 'rm -f -- "$new"' EXIT
cat > "$new" || exit
size=$(stat -c %s -- "$new") || exit
[ "$size" = "$2" ] || { echo "only $size of $2 bytes arrived" >&2; exit 1; }
mode=$3
if [ -n "$4" ] && [ -f "$1" ]; then
  mode=$(stat -Lc %a -- "$1") || exit
  chown -- ":$(stat -Lc %g -- "$1")" "$new" 2>/dev/null
fi
chmod -- "$mode" "$new" && mv -fT -- "$new" "$1" || exit
trap - EXIT`;

/** Writes atomically, as the run user, and straight from the connection: no copy that others could read lies anywhere. */
export const writeFile = async (
  target: Target,
  path: string,
  content: string,
  { mode = 0o644, keep = false }: WriteOptions = {},
): Promise<void> => {
  const data = Buffer.from(content);
  const args = [path, String(data.length), mode.toString(8).padStart(4, "0"), keep ? "keep" : ""];
  await script(target, writeScript, args, { label: `write ${path}`, stdin: data });
};
