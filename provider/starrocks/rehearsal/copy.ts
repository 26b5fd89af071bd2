import { finished, pipeline } from "node:stream/promises";
import { UserError } from "../../error.js";
import { CommandError } from "../../host/errors.js";
import type { Host } from "../../host/types.js";
import { bytes, emitFunction, fieldsOf, integer, recordsOf } from "../records.js";

export interface Place {
  readonly host: Host;
  readonly folder: string;
}

/** Exit code of the source when what it read was changed under it in a way that a copy does not bear. */
const changedMeanwhile = 75;

/**
 * Metadata that is written while it is read, as a tar stream. BDB's log is only ever appended to, so its files taken in
 * their order, each up to where it reached then, are the log as it was at one moment. The image comes first: the log goes
 * on from it. Not borne: a new image (the log before it is dropped), a log file that was cleaned away, its live records
 * being in files not yet there when the copy began. Then the copy is made again.
 */
const sourceScript = `
export LC_ALL=C
shopt -s globstar nullglob dotglob
cd -- "$1" || exit 1
[ -f image/VERSION ] && [ -f image/ROLE ] || { echo "$1 holds no metadata of an FE (image/VERSION, image/ROLE)" >&2; exit 1; }
list() {
  FIRST=() IMAGES=
  local file
  for file in **; do
    [ -f "$file" ] || continue
    case $file in
      bdb/* | *.ckpt | .pulumi-* | *.new) ;;
      *) FIRST+=("$file") ;;
    esac
    case $file in image/*image.[0-9]*) IMAGES="$IMAGES $file" ;; esac
  done
}
list; images=$IMAGES files=("\${FIRST[@]}")
if [ -f bdb/je.properties ]; then files+=(bdb/je.properties); fi
logs=(bdb/*.jdb)
[ "\${#logs[@]}" -gt 0 ] || { echo "$1/bdb holds no log" >&2; exit 1; }
printf '%s\\0' "\${files[@]}" "\${logs[@]}" | tar --null -T - -cf - 2>/dev/null
code=\${PIPESTATUS[1]}
list
[ "$images" = "$IMAGES" ] || exit ${changedMeanwhile}
for log in "\${logs[@]}"; do [ -f "$log" ] || exit ${changedMeanwhile}; done
# 1 says that a file grew while it was read: the last log always may.
[ "$code" -le 1 ] || exit "$code"
`;

/** Into an empty folder, whatever was there of an earlier attempt. tar goes at the end of the archive, not of the stream. */
const sinkScript = `
umask 077
rm -rf -- "$1" && mkdir -- "$1" || exit 1
tar -xf - -C "$1" --no-same-owner; code=$?
cat >/dev/null
exit "$code"
`;

const localScript = `
set -o pipefail
bash --norc -c "$1" copy "$3" | bash --norc -c "$2" copy "$4"
exit "\${PIPESTATUS[0]}"
`;

const sizeScript = `${emitFunction}
size=$(du -sk -- "$1") && emit size "\${size%%[^0-9]*}"
`;
const freeScript = `${emitFunction}
emit free "$(df -k --output=avail -- "$1" | tail -n 1)"
`;

const kilobytes = async (host: Host, script: string, path: string, key: string): Promise<number | undefined> => {
  const { stdout } = await host.script(script, [path], { label: `look at ${path}`, accept: "any" });
  return integer(fieldsOf(recordsOf(stdout)).get(key)?.trim());
};

/** Size of the metadata in bytes; throws where the copy would not fit. */
const assertRoom = async (from: Place, to: Place, { below, reserve }: CopyOptions): Promise<number> => {
  const size = (await kilobytes(from.host, sizeScript, from.folder, "size")) ?? 0;
  const free = await kilobytes(to.host, freeScript, below, "free");
  if (free !== undefined && free * 1024 < size * 1024 * 1.2 + reserve) {
    throw new UserError(
      `The metadata takes ${bytes(size * 1024)}${reserve > 0 ? `, and an FE does not start with less than ${bytes(reserve)} free` : ""}; below ${below} on ${to.host.name} are only ${bytes(free * 1024)} free. ` +
        "Free some space there, or name another host with `rehearsal.host`.",
    );
  }
  return size * 1024;
};

export interface CopyOptions {
  /** Both places are on one machine. */
  readonly local: boolean;
  /** An existing folder above the target. */
  readonly below: string;
  /** Bytes that must stay free for an FE to start there. */
  readonly reserve: number;
  /** Milliseconds for one attempt. */
  readonly limit: number;
  readonly report: (seen: string) => void;
}

/** An image is written at most once a minute: the next attempt falls between two. */
const attempts = 4;

/** Copies the metadata of an FE that runs. From host to host it goes through here, as a stream. Gives its size in bytes. */
export const copyMetadata = async (from: Place, to: Place, options: CopyOptions): Promise<number> => {
  const size = await assertRoom(from, to, options);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await (options.local ? copyLocally(from, to, options) : copyThrough(from, to, size, options));
      return size;
    } catch (error) {
      if (!(error instanceof CommandError && error.code === changedMeanwhile)) {
        throw error;
      }
      if (attempt === attempts) {
        throw new UserError(
          `The metadata of ${from.host.name} (${from.folder}) could not be copied: each of ${attempts} times an image was written or a log cleaned meanwhile. Run again at a quieter time.`,
        );
      }
      options.report(`it was changed meanwhile; attempt ${attempt + 1}`);
    }
  }
};

const copyLocally = async (from: Place, to: Place, { limit }: CopyOptions): Promise<void> => {
  await from.host.script(localScript, [sourceScript, sinkScript, from.folder, to.folder], {
    limit,
    label: `copy ${from.folder}`,
  });
};

const copyThrough = async (from: Place, to: Place, size: number, { limit, report }: CopyOptions): Promise<void> => {
  const bash = ["bash", "--norc", "-c"] as const;
  const source = await from.host.stream([...bash, sourceScript, "copy", from.folder], { label: `read ${from.folder}` });
  const sink = await to.host
    .stream([...bash, sinkScript, "copy", to.folder], { label: `write ${to.folder}` })
    .catch((error) => {
      source.destroy();
      throw error;
    });
  const counted = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let sent = 0;
    for await (const chunk of chunks) {
      sent += chunk.length;
      report(`${bytes(sent)} of about ${bytes(size)}`);
      yield chunk;
    }
  };
  sink.resume();
  const signal = AbortSignal.timeout(limit);
  const written = finished(sink);
  written.catch(() => undefined);
  try {
    await pipeline(source, counted, sink, { signal });
    await written;
  } catch (error) {
    throw signal.aborted
      ? new UserError(`Copying ${from.folder} of ${from.host.name} took longer than ${limit / 1000} s.`)
      : error;
  } finally {
    source.destroy();
    sink.destroy();
  }
};
