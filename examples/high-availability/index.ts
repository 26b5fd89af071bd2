import * as pulumi from "@pulumi/pulumi";
import * as starrocks from "pulumi-starrocks";

const config = new pulumi.Config();

/**
 * Addresses by node. The names are part of the resources' names. Neither changes while a node exists, as its cluster knows it by its
 * address: declare another node, and remove the old one when the new one has joined.
 */
const hosts = config.requireObject<Record<"fe1" | "fe2" | "fe3" | "be1" | "be2" | "be3", string>>("hosts");

const frontend = (name: "fe1" | "fe2" | "fe3"): starrocks.FrontendArgs => ({
  name,
  host: hosts[name],
  // On a disk of its own: a full log disk must not stop the metadata.
  metaDir: "/data/fe/meta",
});

const backend = (name: "be1" | "be2" | "be3"): starrocks.BackendArgs => ({
  name,
  host: hosts[name],
  storage: ["/disk1/starrocks", "/disk2/starrocks"],
});

const cluster = new starrocks.Cluster("analytics", {
  // Every host downloads it. A digest is needed, as nobody else could tell what came.
  release: {
    version: config.require("version"),
    url: config.require("releaseUrl"),
    sha256: config.require("releaseSha256"),
  },
  deployDir: "/opt/starrocks",
  connection: {
    user: config.get("user") ?? "starrocks",
    privateKey: config.requireSecret("privateKey"),
    privateKeyPassword: config.getSecret("privateKeyPassword"),
    knownHosts: config.get("knownHosts"),
  },
  sql: { password: config.requireSecret("rootPassword") },
  frontends: {
    leader: frontend("fe1"),
    followers: [frontend("fe2"), frontend("fe3")],
    config: { qe_max_connection: "4096" },
  },
  backends: {
    nodes: [backend("be1"), backend("be2"), backend("be3")],
    config: { mem_limit: "80%" },
    // With three replicas of each tablet, one BE may be down at a time.
    rollout: { maxUnavailable: 1 },
  },
});

/** Where MySQL clients connect; any of them will do. */
export const endpoints = cluster.queryEndpoints;
