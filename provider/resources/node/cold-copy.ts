import { holdsMetadata } from "../../starrocks/folders.js";
import { backupMeta } from "../../starrocks/meta-backup.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { features, versionOf } from "../../starrocks/versions.js";
import { isFe, type NodeContext } from "./context.js";

/**
 * The metadata of an FE that was found down is copied before another release may write it: the gate's backup is of the
 * leader, and there is no gate where nothing runs. Gives the copy's path.
 */
export const copyMetadata = async (
  context: NodeContext,
  { current, data }: ObservedHome,
): Promise<string | undefined> => {
  const { host, limits, spec } = context;
  if (!isFe(context) || current === undefined || current === spec.release.id || !data.some(holdsMetadata)) {
    return undefined;
  }
  const reserve = features(versionOf(spec.release.version)).metaFreeBytes;
  return (await backupMeta(host, context.spec.metaDir, { home: spec.home, limit: limits.backup, reserve })).path;
};
