import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { until } from "../wait.js";
import { bytes, emitFunction, fieldsOf, integer, recordsOf } from "./records.js";
import { shownUrl, withShownUrls } from "./url.js";

export interface DownloadOptions {
  readonly url: string;
  /** Where the archive gets its name once its digest is right. */
  readonly path: string;
  readonly sha256: string;
  readonly limit: number;
  readonly onProgress: (message: string) => void;
}

// The tool runs in the background and the script says a byte each second: when the SSH channel is gone that kills the script
// (SIGPIPE) and with it the tool, so that no orphan writes into the file that the next run resumes. The url, which may be
// the key to the archive, comes by stdin and goes on by stdin: every user of a host can read its processes' arguments.
const downloadScript = `${emitFunction}
path=$1 wanted=$2
IFS= read -r url
part=$path.part
digest() { local sum; sum=$(sha256sum <"$1") || exit 1; printf '%s' "\${sum%% *}"; }
if [ -f "$path" ]; then
  if [ "$(digest "$path")" = "$wanted" ]; then exit 0; fi
  rm -f -- "$path"
fi
mkdir -p -- "$(dirname -- "$path")" || exit 1
if command -v curl >/dev/null 2>&1; then tool=curl
elif command -v wget >/dev/null 2>&1; then tool=wget
else emit failed tool; exit 0
fi
fetch() {
  local log=$part.log code ticks=0
  (umask 077; : >"$log")
  if [ $tool = curl ]; then
    curl -fsSL --connect-timeout 30 --speed-limit 1 --speed-time 120 --retry 3 -C - -o "$part" -K - < <(printf 'url = "%s"\\n' "$url") 2>"$log" &
  else
    wget -nv -c --timeout=120 --tries=3 -O "$part" -i - < <(printf '%s\\n' "$url") 2>"$log" &
  fi
  child=$!
  trap 'kill "$child" 2>/dev/null' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  while kill -0 "$child" 2>/dev/null; do
    if [ $((ticks % 10)) = 0 ]; then printf '.\\0.\\0' || exit 1; fi
    ticks=$((ticks + 1))
    sleep 0.1
  done
  wait "$child"
  code=$?
  trap - EXIT HUP INT TERM PIPE
  said=$(tail -n 3 -- "$log")
  rm -f -- "$log"
  return $code
}
resumed=
if [ -s "$part" ]; then
  resumed=1
  [ "$(digest "$part")" != "$wanted" ] || { mv -f -- "$part" "$path"; exit 0; }
fi
if ! fetch; then
  if [ -n "$resumed" ]; then rm -f -- "$part"; fetch; else false; fi || {
    emit failed fetch
    emit detail "$tool: $said"
    emit space "$(df -h --output=avail,target -- "$(dirname -- "$path")" | tail -n 1)"
    exit 0
  }
fi
got=$(digest "$part")
if [ "$got" != "$wanted" ] && [ -n "$resumed" ]; then
  rm -f -- "$part"
  fetch && got=$(digest "$part")
fi
if [ "$got" != "$wanted" ]; then
  rm -f -- "$part"
  emit failed digest
  emit detail "$got"
  exit 0
fi
mv -f -- "$part" "$path" || exit 1
`;

const sizeScript = `${emitFunction}
emit size "$(stat -c %s -- "$1.part" 2>/dev/null)"
`;

/** In one line, and without the characters that mean something within the quotes of curl's configuration. */
const encoded = (url: string): string => new URL(url).href.replaceAll("\\", "%5C");

/** The host downloads the archive itself (curl or wget), resuming what an earlier run got, and verifies its digest. */
export const downloadArchive = async (host: Host, options: DownloadOptions): Promise<void> => {
  const { path, sha256 } = options;
  const url = shownUrl(options.url);
  let settled = false;
  const download = host
    .script(downloadScript, [path, sha256], {
      stdin: `${encoded(options.url)}\n`,
      limit: options.limit,
      label: `download of ${url}`,
    })
    .finally(() => {
      settled = true;
    });
  const watch = until(
    async () => {
      if (settled) {
        return { done: true, value: undefined };
      }
      const { stdout } = await host.script(sizeScript, [path]);
      const size = integer(fieldsOf(recordsOf(stdout)).get("size"));
      return { done: false, seen: `downloading ${url}${size === undefined ? "" : `: ${bytes(size)}`}` };
    },
    { what: `the download of ${url}`, limit: options.limit, every: 1000, onProgress: options.onProgress },
  ).catch(() => {
    // Only the download itself decides; its size is for people.
  });
  const { stdout } = await download;
  void watch;
  const fields = fieldsOf(recordsOf(stdout));
  const detail = withShownUrls(fields.get("detail") ?? "");
  switch (fields.get("failed")) {
    case "tool":
      throw new UserError(
        `Expected curl or wget on ${host.name} to download ${url}, but there is neither. Install one, or use \`release.archive\` to upload.`,
      );
    case "fetch":
      throw new UserError(
        `Cannot download ${url} on ${host.name}: ${detail} (free space and mount point: ${fields.get("space")?.trim()}).`,
      );
    case "digest":
      throw new UserError(
        `The download of ${url} on ${host.name} has sha256 ${detail}, declared ${sha256}; it was removed. Correct \`release.sha256\` or the url.`,
      );
    default:
  }
};
