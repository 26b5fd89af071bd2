import * as pulumi from "@pulumi/pulumi";
import * as starrocks from "pulumi-starrocks";
import { PreparedHost } from "./prepared-host";

const config = new pulumi.Config();
const user = "starrocks";
const deployDir = "/opt/starrocks";
const storage = ["/data/starrocks"];
const frontends = config.requireObject<string[]>("frontends");
const backends = config.requireObject<string[]>("backends");
const privateKey = config.requireSecret("privateKey");
const publicKey = config.require("publicKey");

/** A login that may become root, for the preparation only. StarRocks runs as a user that may not, and that the key lets in from then on. */
const prepare = (host: string, more: { folders: string[]; jdk?: number }): PreparedHost =>
  new PreparedHost(host, {
    connection: { host, port: config.getNumber("port"), user: config.get("adminUser") ?? "root", privateKey },
    user,
    publicKey,
    ...more,
  });

const prepared = [
  ...frontends.map((host) => prepare(host, { folders: [deployDir], jdk: 17 })),
  ...backends.map((host) => prepare(host, { folders: [deployDir, ...storage] })),
];

const [leader, ...followers] = frontends.map((host) => ({ host }));
if (!leader) {
  throw new pulumi.RunError("frontends: name at least one host");
}

const cluster = new starrocks.Cluster(
  "analytics",
  {
    release: config.requireObject<starrocks.ReleaseSource>("release"),
    deployDir,
    connection: { user, port: config.getNumber("port"), privateKey, knownHosts: config.get("knownHosts") },
    sql: { password: config.requireSecret("rootPassword") },
    frontends: { leader, followers },
    backends: { nodes: backends.map((host) => ({ host, storage })) },
  },
  // Nothing of the cluster is touched before all hosts are ready.
  { dependsOn: prepared },
);

export const endpoints = cluster.queryEndpoints;
