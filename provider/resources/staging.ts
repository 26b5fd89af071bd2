import type { Host } from "../host/types.js";
import type { Limits } from "../plan/limits.js";
import { composedDigest, filesOf, releaseOfPart } from "../plan/overlay.js";
import { releaseIdOf } from "../plan/release-id.js";
import type { ReleaseSpec } from "../plan/spec.js";
import { runOf } from "../rollout/run.js";
import { composeRelease } from "../starrocks/compose.js";
import { findJdk, findRuntime, type Runtime } from "../starrocks/jdk.js";
import type { Part } from "../starrocks/layout.js";
import { stageRelease } from "../starrocks/release.js";
import { versionOf } from "../starrocks/versions.js";

export interface Staging {
  readonly cluster: string;
  readonly deployDir: string;
  readonly release: ReleaseSpec;
  readonly parts: readonly Part[];
  readonly javaHome?: string | undefined;
  readonly limits: Pick<Limits, "transfer" | "unpack">;
}

interface JavaWish {
  readonly cluster: string;
  readonly release: Pick<ReleaseSpec, "version">;
  readonly javaHome?: string | undefined;
}

/** The JDK with which an FE of the release runs on the host; looked for once in an operation. */
export const javaHomeFor = (host: Host, { cluster, release, javaHome }: JavaWish): Promise<string> =>
  runOf(cluster).javaHomes.get(JSON.stringify([host.name, release.version, javaHome]), async () => {
    const version = versionOf(release.version);
    const jdk = await findJdk(host, { version, ...(javaHome !== undefined && { javaHome }) });
    return jdk.home;
  });

/** The Java with which a BE of the release runs on the host; looked for once in an operation. */
export const runtimeFor = (host: Host, { cluster, release, javaHome }: JavaWish): Promise<Runtime> =>
  runOf(cluster).runtimes.get(JSON.stringify([host.name, release.version, javaHome]), () =>
    findRuntime(host, { version: versionOf(release.version), ...(javaHome !== undefined && { javaHome }) }),
  );

/** A BE's part is unpacked without a JDK. */
const jdkFor = (host: Host, staging: Staging): { readonly javaHome?: Promise<string> } =>
  staging.parts.includes("fe") ? { javaHome: javaHomeFor(host, staging) } : {};

/** Brings the release, as its archive has it, onto the host. */
export const stageParts = async (
  host: Host,
  staging: Staging,
  report: (seen: string) => void,
): Promise<"staged" | "present"> => {
  const { deployDir, limits, parts, release } = staging;
  const { did } = await stageRelease(host, {
    deployDir,
    releaseId: releaseIdOf(release.version, release.sha256),
    version: release.version,
    sha256: release.sha256,
    source: release.url === undefined ? { archive: release.archive ?? "" } : { url: release.url },
    parts,
    ...jdkFor(host, staging),
    onProgress: report,
    limits: { transfer: limits.transfer, unpack: limits.unpack },
  });
  return did;
};

/** Composes those parts that have an overlay; gives the ids of what was not there yet. */
export const composeParts = async (
  host: Host,
  staging: Staging,
  report: (seen: string) => void,
): Promise<readonly string[]> => {
  const { deployDir, limits, parts, release } = staging;
  const composed: string[] = [];
  for (const part of parts) {
    const sha256 = composedDigest(release, part);
    if (sha256 === undefined) {
      continue;
    }
    const { id, version } = releaseOfPart(release, part);
    const did = await composeRelease(host, {
      deployDir,
      base: { id: releaseIdOf(release.version, release.sha256), version: release.version },
      releaseId: id,
      version,
      sha256,
      part,
      files: filesOf(release.overlay, part).map(([path, file]) => ({ ...file, path })),
      ...(part === "fe" && { javaHome: await javaHomeFor(host, staging) }),
      onProgress: report,
      limits: { transfer: limits.transfer, unpack: limits.unpack },
    });
    composed.push(...(did === "composed" ? [id] : []));
  }
  return composed;
};
