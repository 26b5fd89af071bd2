import { UserError } from "../../error.js";
import { kindLayouts } from "../../starrocks/layout.js";
import { observeRelease } from "../../starrocks/release.js";
import type { NodeContext } from "./context.js";

/** Before a running node is stopped: what it is going to be started on is on its host, whatever was seen there before. */
export const assertStaged = async ({ host, spec }: NodeContext): Promise<void> => {
  const seals = await observeRelease(host, spec.deployDir, spec.release.id);
  if (!seals.some(({ part }) => part === kindLayouts[spec.kind].part)) {
    throw new UserError(
      `${spec.release.id} (${spec.kind}) is not staged in ${spec.deployDir}/releases on ${host.name}, so nothing is stopped for it. ` +
        "Its `Release` brings it there; where it did so before, with `pulumi up --refresh`.",
    );
  }
};
