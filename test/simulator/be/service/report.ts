import { statfsSync } from "node:fs";
import { callThrift } from "../../thrift/rpc.js";
import { report } from "../../thrift/services.js";
import type { Disk } from "../../thrift/structs.js";
import { sourceAddress } from "../settings/address.js";
import type { RootPath } from "../storage/root-path.js";
import type { Node } from "./node.js";

const CALL_TIMEOUT_MS = 5000;
const LOOK_FOR_LEADER_MS = 200;

const diskOf = ({ path, medium }: RootPath, isUsed: boolean): Disk => {
  const { bavail, blocks, bsize } = statfsSync(path);
  return {
    rootPath: path,
    diskTotalCapacity: blocks * bsize,
    dataUsedCapacity: 0,
    used: isUsed,
    diskAvailableCapacity: bavail * bsize,
    pathHash: [...path].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 2 ** 40, 7),
    storageMedium: medium === "SSD" ? 1 : 0,
  };
};

const send = async (node: Node, host: string, port: number): Promise<void> => {
  const { conf, engine, state } = node;
  const localAddress = sourceAddress(node.address);
  const disks = engine.roots.map((root) => diskOf(root, !state.disabledDisks.includes(root.path)));
  await callThrift(
    { host, port, timeoutMs: CALL_TIMEOUT_MS, ...(localAddress === undefined ? {} : { localAddress }) },
    report,
    {
      backend: { host: state.localhost, bePort: conf.number("be_port"), httpPort: conf.number("be_http_port") },
      disks: new Map(disks.map((disk) => [disk.rootPath, disk])),
    },
  );
};

/** Tells the leader of this node's disks: as soon as there is one, and then at intervals. */
export const startReporting = (node: Node): (() => void) => {
  let next = 0;
  const look = (): void => {
    const leader = node.state.master?.networkAddress;
    if (leader === undefined || performance.now() < next) {
      return;
    }
    next = performance.now() + node.options.reportIntervalMs;
    send(node, leader.hostname, leader.port).catch((error: unknown) =>
      node.log.warning(
        "task_worker_pool.cpp:620",
        `Fail to report disk state to ${leader.hostname}:${leader.port}, err=${error}`,
      ),
    );
  };
  const timer = setInterval(look, LOOK_FOR_LEADER_MS);
  return () => clearInterval(timer);
};
