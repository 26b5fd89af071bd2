import { generateKeyPairSync } from "node:crypto";

/** A cluster of 3 FEs and so many BEs, declared as a user would. */
export const clusterProgram = (backends: number): Record<string, string> => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const args = {
    release: { version: "3.5.7", archive: "/srv/StarRocks-3.5.7-ubuntu-amd64.tar.gz", sha256: "5".repeat(64) },
    deployDir: "/opt/starrocks",
    connection: {
      user: "starrocks",
      privateKey: privateKey.export({ type: "pkcs8", format: "pem" }),
      knownHosts: "./known_hosts",
    },
    sql: { password: "correct horse" },
    frontends: { leader: { host: "10.0.0.11" }, followers: [{ host: "10.0.0.12" }, { host: "10.0.0.13" }] },
    backends: {
      nodes: Array.from({ length: backends }, (_, index) => ({
        host: `10.0.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`,
        storage: ["/disk1/starrocks", "/disk2/starrocks"],
      })),
      config: { mem_limit: "80%" },
    },
  };
  return {
    "cluster.json": JSON.stringify(args),
    "index.js": `
      const starrocks = require("pulumi-starrocks");
      new starrocks.Cluster("sr", JSON.parse(require("node:fs").readFileSync("cluster.json", "utf8")));
    `,
  };
};

/** As many resources of the cheapest dynamic provider, below as many components. */
export const trivialProgram = (resources: number, components: number): Record<string, string> => ({
  "index.js": `
    const pulumi = require("@pulumi/pulumi");
    const provider = {
      create: async (inputs) => ({ id: "trivial", outs: inputs }),
      diff: async () => ({ changes: false }),
    };
    class Trivial extends pulumi.dynamic.Resource {
      constructor(name, props, opts) { super(provider, name, props, opts, "bench", "Trivial"); }
    }
    const parents = Array.from({ length: ${components} }, (_, i) => new pulumi.ComponentResource("bench:index:Group", "group-" + i));
    for (let i = 0; i < ${resources}; i++) {
      new Trivial("trivial-" + i, { value: i }, { parent: parents[i % parents.length] });
    }
  `,
});
