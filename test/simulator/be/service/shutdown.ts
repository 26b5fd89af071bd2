import type { Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { kindOf, type Node } from "./node.js";

const STEPS = [
  "heartbeat server exit successfully",
  "daemon threads exit successfully",
  "exec engine destroy successfully",
  "storage engine exit successfully",
  "staros worker exit successfully",
  "http server exit successfully",
  "brpc server exit successfully",
  "thrift server exit successfully",
  "exec env destroy successfully",
];

const LOOK_FOR_FRAGMENTS_MS = 50;

/** Up to `loop_count_wait_fragments_finish` rounds, as long as queries run. */
const waitForFragments = async (node: Node): Promise<void> => {
  const limit = node.conf.number("loop_count_wait_fragments_finish") * node.options.fragmentWaitMs;
  const until = performance.now() + limit;
  while (node.faults.find("runningFragments") !== undefined && performance.now() < until) {
    await sleep(LOOK_FOR_FRAGMENTS_MS);
  }
};

/** What SIGTERM does: the heartbeat says so first (≥ 3.4), running queries get a chance, then all ends in order. */
export const shutDown = async (node: Node, servers: readonly Server[], ended: () => void): Promise<never> => {
  const kind = kindOf(node);
  let step = 0;
  const log = (text: string): void => {
    step += 1;
    if (node.features.startSteps) {
      node.log.info("starrocks_be.cpp:250", `${kind} exit step ${step}: ${text}`);
    }
  };
  await sleep(node.options.stopDelayMs);
  await waitForFragments(node);
  log("wait exec engine tasks finish successfully");
  for (const server of servers) {
    server.close();
  }
  for (const text of STEPS) {
    log(text);
  }
  node.log.info("starrocks_be.cpp:330", `${kind} exited successfully`);
  ended();
  process.exit(0);
};
