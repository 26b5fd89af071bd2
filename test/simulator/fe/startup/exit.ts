import { setTimeout as sleep } from "node:timers/promises";
import type { Frontend } from "../frontend.js";
import { hostPort } from "../settings/address.js";

const where = "StarRocksFE$1.run():225";
/** What a JVM says that was ended by SIGTERM. */
const terminated = 143;
const flushMs = 30;

/** `System.exit(code)`, with the hook that a real FE logs. */
export const exitWithHook = async (fe: Pick<Frontend, "log" | "options">, code: number): Promise<never> => {
  fe.log.info(where, "start to execute shutdown hook");
  await sleep(fe.options.stopMs);
  fe.log.info(where, "shutdown hook end");
  process.exit(code);
};

/** Leaves time for an answer that is on its way to the socket, then the process is gone. */
export const exitSoon = (code: number): void => {
  setTimeout(() => process.exit(code), flushMs);
};

const giveLeadershipAway = async (fe: Frontend): Promise<void> => {
  const [target] = fe.group.liveFollowers();
  if (target === undefined) {
    return;
  }
  fe.log.info("StarRocksFE.handleGracefulExit():412", "start to transfer leader");
  fe.group.stepDownQuietly();
  await fe.group.handOver(target, 10_000);
  const { leader } = fe.group;
  const at = leader === undefined ? "" : hostPort(leader.host, leader.port);
  fe.log.info("StarRocksFE.handleGracefulExit():420", `leader is transferred to /${at}`);
};

const mayExitGracefully = (fe: Frontend): boolean => {
  const followers = fe.catalog.state.frontends.filter(({ role }) => role === "FOLLOWER");
  const alive = followers.filter((row) => row.alive || row.name === fe.group.self.name).length;
  return alive - 1 >= Math.floor(followers.length / 2) + 1;
};

/** SIGUSR1: unhealthy at once, leadership elsewhere, connections served for a while longer. */
export const exitGracefully = async (fe: Frontend): Promise<void> => {
  if (fe.lifecycle.exiting) {
    return;
  }
  if (!mayExitGracefully(fe)) {
    fe.log.warn(
      "StarRocksFE.handleGracefulExit():398",
      "The current number of FEs that are alive cannot match graceful exit condition, and can only exit force",
    );
    await exitWithHook(fe, 255);
  }
  fe.lifecycle.exiting = true;
  const since = performance.now();
  if (fe.group.isLeader()) {
    await giveLeadershipAway(fe).catch((error: Error) =>
      fe.log.warn(where, `transfer leader failed: ${error.message}`),
    );
  }
  await sleep(Math.max(0, fe.options.gracefulMinMs - (performance.now() - since)));
  await exitWithHook(fe, 0);
};

export const listenToSignals = (fe: Frontend): void => {
  process.on("SIGTERM", () => {
    exitWithHook(fe, terminated).catch(() => process.exit(terminated));
  });
  process.on("SIGUSR1", () => {
    if (fe.features.gracefulExit) {
      exitGracefully(fe).catch(() => process.exit(1));
    }
  });
};
