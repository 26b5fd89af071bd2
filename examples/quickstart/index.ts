import * as pulumi from "@pulumi/pulumi";
import * as starrocks from "pulumi-starrocks";

const config = new pulumi.Config();
const [leader, ...followers] = config.requireObject<starrocks.FrontendArgs[]>("frontends");
if (!leader) {
  throw new pulumi.RunError("frontends: name at least one host");
}

// How long the first BE of a change, and afterwards all nodes, are watched. Default: a minute each.
const watch = config.get("watch");

const cluster = new starrocks.Cluster("quickstart", {
  release: config.requireObject<starrocks.ReleaseSource>("release"),
  deployDir: config.get("deployDir") ?? "/opt/starrocks",
  javaHome: config.get("javaHome"),
  connection: {
    user: config.get("user"),
    // Without it: the keys of the SSH agent.
    privateKey: config.getSecret("privateKey"),
    knownHosts: config.get("knownHosts"),
  },
  sql: { password: config.requireSecret("rootPassword") },
  frontends: { leader, followers },
  backends: { nodes: config.requireObject<starrocks.BackendArgs[]>("backends"), rollout: { soak: watch } },
  rollout: { observe: watch },
});

/** Where MySQL clients connect. */
export const endpoints = cluster.queryEndpoints;
