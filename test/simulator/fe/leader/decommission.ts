import { replicasOn } from "../catalog/state.js";
import { type Frontend, propose } from "../frontend.js";

const where = "SystemHandler.runAfterCatalogReady():132";

const round = async (fe: Frontend): Promise<void> => {
  for (const { id, kind, decommissioned } of [...fe.catalog.state.nodes]) {
    if (kind !== "backend" || !decommissioned) {
      continue;
    }
    const left = replicasOn(fe.catalog.state, id);
    if (left > 0) {
      fe.log.info(where, `backend ${id} lefts ${left} replicas to decommission`);
    } else if (fe.config.flag("drop_backend_after_decommission")) {
      await propose(fe, { type: "dropNode", id });
      fe.log.info(where, `no tablet on decommission backend ${id}, drop it`);
    }
  }
};

/** Drops backends that were decommissioned and hold nothing any more. */
export const startDecommissions = (fe: Frontend): (() => void) => {
  const timer = setInterval(() => {
    if (fe.group.isLeader() && fe.lifecycle.ready) {
      round(fe).catch(() => undefined);
    }
  }, fe.options.decommissionCheckMs);
  return () => clearInterval(timer);
};
