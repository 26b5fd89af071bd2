import { setTimeout as sleep } from "node:timers/promises";
import type { Frontend } from "../frontend.js";

const pollMs = 20;

const hint =
  "It took too much time for FE to transfer to a stable state(LEADER/FOLLOWER/OBSERVER), it maybe caused by one of the following reasons: 1. There are too many BDB logs to replay, because of previous failure of checkpoint. 2. Majority voting members of the BDB group haven't started completely. 3. FE node has multiple IPs, and the current IP may not match the IP used for the first time or the IP in ROLE file. 4. The time deviation between FE nodes is greater than 5s. 5. edit_log_port has been changed. 6. Replayer thread may get stuck.";

const detachedAndGone = async (fe: Frontend): Promise<never> => {
  for (let round = 0; round < fe.options.detachedRounds; round++) {
    fe.log.warn(
      "BDBEnvironment.setupEnvironment():320",
      "this node is DETACHED, please check whether it was dropped from the group",
    );
    await sleep(fe.options.detachedRoundMs);
  }
  fe.log.warn(
    "StarRocksFE.start():141",
    "StarRocksFE start failed: failed to setup environment, this node is DETACHED.",
  );
  process.exit(255);
};

const isReady = (fe: Frontend): boolean => {
  const { state } = fe.group;
  return (state === "LEADER" || state === "FOLLOWER" || state === "OBSERVER") && fe.group.caughtUp();
};

/** Returns once this FE leads or follows and has replayed everything. No port is open until then, however long it takes. */
export const waitForReady = async (fe: Frontend): Promise<void> => {
  const { log, features, options, group } = fe;
  const since = performance.now();
  let loggedAt = since;
  let hinted = false;
  const first = group.applied + 1;
  while (!isReady(fe)) {
    if (group.detached) {
      await detachedAndGone(fe);
    }
    const now = performance.now();
    if (now - loggedAt >= options.readyLogMs) {
      loggedAt = now;
      const type = group.state === "LEADER" ? features.leaderWord : group.state;
      log.info(
        "GlobalStateMgr.waitForReady():1085",
        `wait ${features.catalogWord} to be ready. FE type: ${type}. is ready: false`,
      );
    }
    if (!hinted && now - since >= options.readyHintMs && features.startedLine) {
      hinted = true;
      log.warn("GlobalStateMgr.waitForReady():1101", hint);
    }
    await sleep(pollMs);
  }
  log.info("GlobalStateMgr.replayJournal():1973", `start to replay journal from ${first} to ${group.applied}`);
  log.info(
    "GlobalStateMgr.replayJournal():2003",
    `finish replay from ${first} to ${group.applied} in ${Math.round(performance.now() - since)} msec`,
  );
};
