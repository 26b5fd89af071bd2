import type { Host } from "../../host/types.js";
import { ensureView, prepareHome, switchTo } from "../../starrocks/home.js";
import { findJdk } from "../../starrocks/jdk.js";
import { releaseFolder } from "../../starrocks/layout.js";
import { stageRelease } from "../../starrocks/release.js";
import { versionOf } from "../../starrocks/versions.js";
import type { Inputs } from "./inputs.js";

/** The JDK of the new version on the host of the rehearsal. */
export const javaHomeOf = async (host: Host, { release, javaHome }: Inputs): Promise<string> =>
  (await findJdk(host, { version: versionOf(release.version), ...(javaHome !== undefined && { javaHome }) })).home;

/** The FE part of the release on the host: a rehearsal alone stages what it needs. */
export const stage = async (
  host: Host,
  inputs: Inputs,
  report: (seen: string) => void,
): Promise<"staged" | "present"> => {
  const { deployDir, limits, release, to } = inputs;
  const { did } = await stageRelease(host, {
    deployDir,
    releaseId: to.id,
    version: to.version,
    sha256: release.sha256,
    source: release.url === undefined ? { archive: release.archive ?? "" } : { url: release.url },
    parts: ["fe"],
    javaHome: await javaHomeOf(host, inputs),
    onProgress: report,
    limits: { download: limits.transfer, unpack: limits.unpack },
  });
  return did;
};

/** A home of its own for the FE, as that of a node. */
export const makeHome = async (host: Host, home: string, { deployDir, to }: Inputs): Promise<void> => {
  const options = { home, kind: "fe", releaseId: to.id, releaseFolder: releaseFolder(deployDir, to.id) } as const;
  await prepareHome(host, options);
  await ensureView(host, options);
  await switchTo(host, options);
};
