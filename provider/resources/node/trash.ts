import { warn } from "../../engine/log.js";
import { notMet, type Outcome } from "../../rollout/execute.js";
import { readHomeMarker } from "../../starrocks/marker.js";
import { moveToTrash } from "../../starrocks/trash.js";
import { labelOf, type NodeContext } from "./context.js";
import { dataPaths } from "./settings.js";

/**
 * Moves the data of a node that its cluster let go into a dated trash beside it; never deletes any. A node that was only
 * stopped (`pulumi destroy` of the whole cluster) keeps its data where it is.
 */
export const trashData = async (context: NodeContext): Promise<Outcome> => {
  const { host, spec } = context;
  const marker = await readHomeMarker(host, spec.home, spec.kind);
  if (!marker?.left) {
    return notMet("it was only stopped");
  }
  const moved = await moveToTrash(host, dataPaths(spec));
  await warn(
    context.urn,
    `${labelOf(spec)} was ${marker.left.how}; its data was moved, not deleted: ${moved.join(", ") || "there was none"} (on ${host.name}).`,
  );
  return { mark: "done", detail: moved.join(", ") };
};
