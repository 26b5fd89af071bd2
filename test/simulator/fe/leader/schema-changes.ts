import { type Frontend, propose } from "../frontend.js";

const round = async (fe: Frontend): Promise<void> => {
  const now = Date.now();
  const kept = fe.config.number("history_job_keep_max_second") * 1000;
  for (const { id, state, createdAt, finishedAt } of [...fe.catalog.state.schemaChanges]) {
    if (state === "RUNNING" && now - createdAt >= fe.options.schemaChangeMs) {
      await propose(fe, { type: "endSchemaChange", id, state: "FINISHED", at: now });
    } else if (finishedAt !== null && now - finishedAt >= kept) {
      await propose(fe, { type: "forgetSchemaChange", id });
    }
  }
};

/** Finishes ALTER jobs, and forgets those that ended long ago; the same scheduler looks after decommissions. */
export const startSchemaChanges = (fe: Frontend): (() => void) => {
  const timer = setInterval(() => {
    if (fe.group.isLeader() && fe.lifecycle.ready) {
      round(fe).catch(() => undefined);
    }
  }, fe.options.decommissionCheckMs);
  return () => clearInterval(timer);
};
