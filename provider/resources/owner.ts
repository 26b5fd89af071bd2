import { TransientError } from "../error.js";
import type { Host } from "../host/types.js";
import type { FolderOwner } from "../starrocks/folders.js";
import { isMarkerOf, readHomeMarker } from "../starrocks/marker.js";

/**
 * Who has a node's home now, for people: a node that was declared under another name and took it over has the process, the data
 * and the place in the cluster that were this one's. Undefined where it is still its own, or nobody can tell.
 */
export const otherOwner = async (
  host: Host,
  home: string,
  { cluster, kind, node }: FolderOwner & { readonly kind: "fe" | "be" },
): Promise<string | undefined> => {
  try {
    const marker = await readHomeMarker(host, home, kind);
    return marker && !isMarkerOf(marker, { cluster, node })
      ? `${marker.kind.toUpperCase()} ${marker.node}${marker.cluster === cluster ? "" : ` of cluster ${marker.cluster}`}`
      : undefined;
  } catch (error) {
    if (!(error instanceof TransientError)) {
      throw error;
    }
    return undefined;
  }
};
