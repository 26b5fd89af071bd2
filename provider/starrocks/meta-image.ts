import type { Host } from "../host/types.js";
import { until } from "../wait.js";
import { emitFunction, fieldsOf, integer, recordsOf } from "./records.js";
import { showFrontends } from "./show.js";
import type { Sql } from "./sql.js";
import { createImage } from "./statements.js";
import { features, parseReported, type Version } from "./versions.js";

// An image gets its name when it is whole. v2 (`image/v2/`) has its checksum beside it, without which no FE loads it; v1
// (`image/`) has none in any version (persist/ImageWriter.java, ImageLoader.java).
const newestScript = `${emitFunction}
shopt -s nullglob
newest=0
v1=("$1"/image/image.[0-9]*)
if [ "$2" = v2 ]; then v1=(); fi
for file in "\${v1[@]}" "$1"/image/v2/image.[0-9]*; do
  id=\${file##*/image.}
  case $id in *[!0-9]*) continue ;; esac
  case $file in */v2/*) [ -s "\${file%/*}/checksum.$id" ] || continue ;; esac
  if [ -s "$file" ] && [ "$id" -gt "$newest" ]; then newest=$id; fi
done
emit newest "$newest"
`;

/**
 * The journal id up to which the newest whole image on a host goes; 0 for none. Of an FE that is told to be of a version
 * that writes v2, only that counts: it is written after v1, whose writing may fail there, and its checksum proves more.
 */
export const newestImage = async (host: Host, metaDir: string, writer?: Version): Promise<number> => {
  const format = writer && features(writer).imageV2 ? "v2" : "any";
  const { stdout } = await host.script(newestScript, [metaDir, format], { label: `look for images in ${metaDir}` });
  return integer(fieldsOf(recordsOf(stdout)).get("newest")) ?? 0;
};

/**
 * Which of these FEs' images do not reach up to this one, for people: `fe-2 has image.31`; none when all do. Of either
 * format: an FE of before v2 takes v1 from any leader, and every FE loads the newer of the two.
 */
export const imagesBehind = async (
  frontends: readonly { readonly name: string; readonly host: Host; readonly metaDir: string }[],
  image: number,
): Promise<readonly string[]> => {
  const newest = await Promise.all(frontends.map(({ host, metaDir }) => newestImage(host, metaDir)));
  return frontends.flatMap(({ name }, index) => {
    const found = newest[index] ?? 0;
    return found >= image ? [] : [`${name} has ${found === 0 ? "none" : `image.${found}`}`];
  });
};

export interface ImageOptions {
  /** Milliseconds. Default: a checkpoint cycle of a minute and time to write a big image. */
  readonly limit?: number;
  /** Milliseconds for each statement. */
  readonly sqlLimit?: number;
  readonly onProgress?: (seen: string) => void;
}

/** The leader looks every 60 s whether an image is due; 30 and 42 s were seen, for a small one. */
const imageLimit = 300_000;

/**
 * Has an image of the metadata written and waits until it is on the leader's disk. The statement only rolls the log; an image
 * that holds all of the journal already counts, as none is written then.
 */
export const createImageAndWait = async (
  sql: Sql,
  leaderHost: Host,
  metaDir: string,
  { limit = imageLimit, sqlLimit, onProgress }: ImageOptions = {},
): Promise<{ readonly image: number }> => {
  const leader = (await showFrontends(sql, sqlLimit)).find(({ role }) => role === "leader");
  const writer = parseReported(leader?.version);
  const before = await newestImage(leaderHost, metaDir, writer);
  const journal = leader?.replayedJournalId ?? Number.POSITIVE_INFINITY;
  await createImage(sql, sqlLimit);
  const image = await until<number>(
    async () => {
      const newest = await newestImage(leaderHost, metaDir, writer);
      if (newest > before || (newest > 0 && newest >= journal)) {
        return { done: true, value: newest };
      }
      // An FE that went away writes no image: its silence must not be waited for.
      await showFrontends(sql, sqlLimit);
      return { done: false, seen: newest === 0 ? "no image yet" : `image ${newest}, the journal is at ${journal}` };
    },
    {
      what: `a new image of the metadata in ${metaDir} on ${leaderHost.name} after ALTER SYSTEM CREATE IMAGE`,
      limit,
      every: 500,
      ...(onProgress && { onProgress }),
      advice:
        'Look for "checkpoint" in fe.log of the leader; a full disk or too little memory keeps it from being written.',
    },
  );
  return { image };
};
