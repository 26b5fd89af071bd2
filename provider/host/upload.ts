import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { messageOf, UserError } from "../error.js";
import { CommandError } from "./errors.js";
import type { Feed } from "./exec.js";
import { commandLimit, script, type Target } from "./run.js";
import type { UploadOptions } from "./types.js";

/** Large enough that reading costs nothing beside encrypting; two of them are small beside everything else in memory. */
const chunkSize = 512 * 1024;
/** Milliseconds between two reports of progress: as often as a person can read. */
const progressEvery = 500;

/** Exit codes of the scripts below, beside 1 for what a program complained about. */
const noRoom = 28;
const wrongSize = 3;
const wrongDigest = 4;

/** `openssl` hashes up to ten times as fast as `sha256sum` does on Debian; it is used where it is found to work. */
const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const hashFunction = `
hash() {
  if [[ "$(openssl dgst -sha256 -r < /dev/null 2> /dev/null)" = ${emptyDigest}* ]]; then
    openssl dgst -sha256 -r
  else
    sha256sum
  fi
}
# The digest of file $1 in DIGEST. Gigabytes take minutes on a slow disk: as long as they are read, it says an empty line a second.
digest() {
  local now seen=
  trap 'exit 1' HUP INT TERM PIPE
  exec 4< "$1" || return 1
  exec 3< <(sum=$(hash <&4) && echo "\${sum%% *}")
  until IFS= read -r -t 1 DIGEST <&3; do
    # Otherwise it has ended without an answer.
    [ $? -gt 128 ] || return 1
    { read -r _ now; } < /proc/$$/fdinfo/4
    if [ "$now" != "$seen" ]; then seen=$now; echo || exit 1; fi
  done
  exec 3<&- 4<&-
}`;

/** Says whether the file is there already; removes what interrupted uploads left (the name ends in their process id). */
const prepareScript = `
export LC_ALL=C
${hashFunction}
folder=\${1%/*}/
mkdir -p -- "$folder" || exit 1
if [ -d "$1" ]; then echo "$1 is a directory" >&2; exit 1; fi
if [ -f "$1" ] && [ "$(stat -Lc %s -- "$1")" = "$3" ]; then
  digest "$1" || exit 1
  if [ "$DIGEST" = "$2" ]; then echo present; exit 0; fi
fi
for part in "$1".part-*; do
  if [ -f "$part" ] && ! [ -d "/proc/\${part##*.}" ]; then rm -f -- "$part"; fi
done
{ read -r _; read -r free; } < <(df -k --output=avail -- "$folder")
if [ "$free" -lt $(($3 / 1024)) ]; then df -h -- "$folder" >&2; exit ${noRoom}; fi`;

/**
 * Takes the file from stdin, proves it, names it. Whatever goes wrong, also a lost connection, the part is removed.
 * What is hashed is what was written: read back from memory it costs a third of a `tee` into a pipe on the way, which
 * would hold up the upload. A full disk ends it early.
 */
const receiveScript = `
export LC_ALL=C
umask 022
${hashFunction}
part="$1.part-$4.$$"
trap 'rm -f -- "$part"' EXIT
cat > "$part" || { df -h -- "\${1%/*}/" >&2; exit 1; }
size=$(stat -c %s -- "$part") || exit 1
[ "$size" = "$3" ] || { echo "$size"; exit ${wrongSize}; }
digest "$part" || exit 1
[ "$DIGEST" = "$2" ] || { echo "$DIGEST"; exit ${wrongDigest}; }
mv -fT -- "$part" "$1" || exit 1
trap - EXIT`;

/** Uploads of the same file to the same host follow each other, so that the second finds it there. */
const underWay = new Map<string, Promise<unknown>>();

export const upload = (
  target: Target,
  localPath: string,
  remotePath: string,
  options: UploadOptions,
): Promise<"sent" | "present"> => {
  const key = `${target.link.name} ${remotePath}`;
  const before = underWay.get(key) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(() => uploadNow(target, localPath, remotePath, options));
  underWay.set(key, mine);
  return mine.finally(() => {
    if (underWay.get(key) === mine) {
      underWay.delete(key);
    }
  });
};

const uploadNow = async (
  target: Target,
  localPath: string,
  remotePath: string,
  { limit, sha256, onProgress = () => undefined }: UploadOptions,
): Promise<"sent" | "present"> => {
  const digest = sha256.toLowerCase();
  const file = await open(localPath).catch((error) => {
    throw new UserError(`Cannot read the file to upload: ${messageOf(error)}`);
  });
  try {
    const { size } = await file.stat();
    const failed = explain(target.link.name, localPath, remotePath, digest, size);
    const label = `upload ${remotePath}`;
    const limits = { idleLimit: commandLimit(target.connection), ...(limit !== undefined && { limit }) };
    const about = [remotePath, digest, String(size)];
    const prepared = await script(target, prepareScript, about, { label, ...limits }).catch(failed);
    if (prepared.stdout.trim() === "present") {
      return "present";
    }
    const args = [...about, randomBytes(6).toString("hex")];
    const feed = streamOf((buffer) => file.read(buffer, 0, buffer.length, null), size, onProgress);
    await script(target, receiveScript, args, { label, feed, ...limits }).catch(failed);
    onProgress(size, size);
    return "sent";
  } finally {
    await file.close();
  }
};

/** Two buffers, one filled while the other is sent: memory does not depend on the file, and the line is kept busy. */
const streamOf =
  (
    read: (buffer: Buffer) => Promise<{ readonly bytesRead: number }>,
    total: number,
    onProgress: (sent: number, total: number) => void,
  ): Feed =>
  async (write) => {
    const fill = async (buffer: Buffer) => ({ buffer, bytesRead: (await read(buffer)).bytesRead });
    let spare: Buffer = Buffer.allocUnsafe(chunkSize);
    let filling = fill(Buffer.allocUnsafe(chunkSize));
    let sent = 0;
    let reported = performance.now();
    for (;;) {
      const { buffer, bytesRead } = await filling;
      if (bytesRead === 0) {
        return;
      }
      filling = fill(spare);
      // What fails is told when it is waited for.
      filling.catch(() => undefined);
      if (!(await write(buffer.subarray(0, bytesRead)))) {
        return;
      }
      spare = buffer;
      sent += bytesRead;
      if (performance.now() - reported >= progressEvery) {
        reported = performance.now();
        onProgress(sent, total);
      }
    }
  };

const megabytes = (bytes: number): string => `${Math.max(1, Math.ceil(bytes / 1_000_000))} MB`;

/** Turns what the scripts say into what happened. */
const explain =
  (host: string, localPath: string, remotePath: string, digest: string, size: number) =>
  (error: unknown): never => {
    if (!(error instanceof CommandError)) {
      throw error;
    }
    const full = error.code === noRoom || /No space left on device|Disk quota exceeded/.test(error.stderr);
    if (full) {
      throw new UserError(
        `${host}: no room for ${remotePath} (${megabytes(size)}); nothing of it was kept. Free some space there:\n${error.stderr}`,
        { cause: error },
      );
    }
    if (error.code === wrongDigest) {
      throw new UserError(
        `${host}: ${localPath} arrived with sha256 ${error.stdout.trim()}, expected ${digest}; it was removed. ` +
          "Either it is not the file that this digest is of, or it was damaged on the way.",
        { cause: error },
      );
    }
    if (error.code === wrongSize) {
      throw new UserError(
        `${host}: only ${error.stdout} of ${size} bytes of ${remotePath} arrived; nothing of it was kept. ` +
          `Was ${localPath} changed meanwhile? Otherwise run again.`,
        { cause: error },
      );
    }
    throw error;
  };
