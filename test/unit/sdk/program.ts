import { Cluster, type ClusterArgs } from "../../../sdk/index.js";
import { type Registered, registered } from "./monitor.js";

export const sha256 = "a".repeat(64);

/** Three FEs and three BEs, as the README has them. */
export const args = (changes: Partial<ClusterArgs> = {}): ClusterArgs => ({
  release: { version: "3.5.7", archive: "./StarRocks-3.5.7-ubuntu-amd64.tar.gz", sha256 },
  deployDir: "/opt/starrocks",
  connection: { user: "starrocks", password: "ssh-secret", dialErrorLimit: 1 },
  sql: { user: "root", password: "root-secret" },
  frontends: {
    leader: { host: "10.0.0.11", metaDir: "/data/fe/meta" },
    followers: [{ host: "10.0.0.12" }, { host: "10.0.0.13" }],
    observers: [{ host: "10.0.0.14" }],
  },
  backends: {
    nodes: [1, 2, 3].map((n) => ({ host: `10.0.0.2${n}`, storage: ["/disk1/starrocks", "/disk2/starrocks"] })),
  },
  ...changes,
});

/** What a program with this one cluster registers. */
export const clusterOf = (changes: Partial<ClusterArgs> = {}, preview = false): Promise<readonly Registered[]> =>
  registered(() => new Cluster("analytics", args(changes)), preview);
