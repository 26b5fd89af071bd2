import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { messageOf, UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { downloadArchive } from "./download.js";
import { nearestFunction } from "./folders.js";
import { incomingArchive, releaseFolder, releasesFolder, sealFile } from "./layout.js";
import { bytes, emitFunction, fieldsOf, groupsOf, integer, recordsOf } from "./records.js";
import { type Seal, sealOf } from "./seal.js";
import { sendFile } from "./send.js";
import { type StageOptions, stageLimits } from "./stage-options.js";
import { unpack } from "./unpack.js";

export type { Seal } from "./seal.js";
export type { StageLimits, StageOptions } from "./stage-options.js";
export { stageLimits } from "./stage-options.js";

/** An unpacked release is about 2.5 times its archive, and the archive lies beside it meanwhile. */
const spaceFactor = { unpacked: 2.5, withArchive: 3.5 } as const;

export interface StagedRelease {
  readonly did: "staged" | "present";
  readonly parts: readonly Seal[];
}

const observeScript = `${emitFunction}${nearestFunction}
release=$1 archive=$2 at=$3
shift 3
for part; do
  emit part "$part"
  if [ -f "$release/$part/${sealFile}" ]; then emit seal "$(<"$release/$part/${sealFile}")"; fi
done
if [ -f "$archive" ]; then emit archive "$(stat -c %s -- "$archive")"; fi
nearest "$at"
{ read -r _; read -r free; } < <(df -k --output=avail -- "$NEAREST")
emit free "$free"
`;

interface Observed {
  readonly seals: readonly Seal[];
  readonly archiveSize?: number;
  readonly freeBytes?: number;
}

const observe = async (
  host: Host,
  {
    deployDir,
    releaseId,
    parts,
    sha256,
  }: Pick<StageOptions, "deployDir" | "releaseId" | "parts"> & { sha256?: string },
): Promise<Observed> => {
  const folder = releaseFolder(deployDir, releaseId);
  const archive = sha256 === undefined ? "" : incomingArchive(deployDir, sha256);
  const { stdout } = await host.script(observeScript, [folder, archive, folder, ...parts], {
    label: `look for release ${releaseId}`,
  });
  const records = recordsOf(stdout);
  const fields = fieldsOf(records);
  const archiveSize = integer(fields.get("archive"));
  const free = integer(fields.get("free")?.trim());
  return {
    seals: groupsOf(records, "part").flatMap((group) => sealOf(group.get("seal"))),
    ...(archiveSize === undefined ? {} : { archiveSize }),
    ...(free === undefined ? {} : { freeBytes: free * 1024 }),
  };
};

/** Which parts of a release are verified and whole on the host. One round trip. */
export const observeRelease = async (host: Host, deployDir: string, releaseId: string): Promise<readonly Seal[]> =>
  (await observe(host, { deployDir, releaseId, parts: ["fe", "be"] })).seals;

/**
 * Brings the wanted parts of a release onto the host, verified: digest of the archive, files that must be there, the
 * version inside. What is whole already is left alone; interrupted anywhere, the next call goes on, and nothing half looks
 * whole. One round trip when all parts are there; else two, and the upload or download.
 */
export const stageRelease = async (host: Host, options: StageOptions): Promise<StagedRelease> => {
  const { deployDir, releaseId, source, sha256 } = options;
  const progress = options.onProgress ?? (() => {});
  const [seen, javaHome] = await Promise.all([observe(host, options), options.javaHome]);
  const missing = options.parts.filter((part) => !seen.seals.some((seal) => seal.part === part));
  if (missing.length === 0) {
    return { did: "present", parts: seen.seals };
  }
  const archive = incomingArchive(deployDir, sha256);
  const transferLimit = options.limits?.transfer ?? stageLimits.transfer;
  if ("archive" in source) {
    const { size } = await stat(source.archive).catch((error) => {
      throw new UserError(
        `\`release.archive\` cannot be read on this machine: ${messageOf(error)}. ${host.name} does not have this release yet, so it is needed here.`,
      );
    });
    requireSpace(host, options, seen, size);
    await sendFile(host, source.archive, archive, {
      sha256: sha256.toLowerCase(),
      limit: transferLimit,
      onProgress: percent(source.archive, progress),
    });
  } else {
    await downloadArchive(host, {
      url: source.url,
      path: archive,
      sha256: sha256.toLowerCase(),
      limit: transferLimit,
      onProgress: progress,
    });
  }
  progress(`unpacking and verifying ${missing.join(" and ")} of ${releaseId}`);
  const staged = await unpack(host, options, { missing, javaHome });
  return { did: "staged", parts: [...seen.seals, ...staged] };
};

const requireSpace = (host: Host, options: StageOptions, seen: Observed, size: number): void => {
  const present = seen.archiveSize === size;
  const wanted = size * (present ? spaceFactor.unpacked : spaceFactor.withArchive);
  if (seen.freeBytes !== undefined && seen.freeBytes < wanted) {
    throw new UserError(
      `Staging StarRocks ${options.version} on ${host.name} needs about ${bytes(wanted)} below ${releasesFolder(options.deployDir)}, ` +
        `but ${bytes(seen.freeBytes)} are free. Nothing was sent. Free some space or choose another \`deployDir\`.`,
    );
  }
};

/** Progress of an upload in whole percent, each told once. */
const percent = (path: string, progress: (message: string) => void): ((sent: number, total: number) => void) => {
  let last = -1;
  return (sent, total) => {
    const now = total === 0 ? 100 : Math.floor((sent / total) * 100);
    if (now !== last) {
      last = now;
      progress(`uploading ${posix.basename(path)}: ${now} % of ${bytes(total)}`);
    }
  };
};
