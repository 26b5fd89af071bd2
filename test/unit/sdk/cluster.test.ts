import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { hasUnknown } from "../../../provider/engine/unknown.js";
import * as provider from "../../../provider/index.js";
import type { Handlers } from "../../../provider/resources/handlers.js";
import { Cluster, Release } from "../../../sdk/index.js";
import type { Registered } from "./monitor.js";
import { registered } from "./monitor.js";
import { args, clusterOf } from "./program.js";

/** A value that is not known yet; the SDK makes outputs of such values in a preview. */
const { unknown } = pulumi as unknown as { readonly unknown: unknown };

const dynamic = "pulumi-nodejs:dynamic/starrocks:";

/** The kind of a resource: `BeNode`. */
const kindOf = ({ type }: Registered): string => type.replace(dynamic, "").replace("starrocks:index:", "");

const find = (all: readonly Registered[], name: string): Registered => {
  const one = all.find((resource) => resource.name === name);
  assert.ok(one, `no ${name} among ${all.map((resource) => resource.name).join(", ")}`);
  return one;
};

const kinds: Readonly<Record<string, Handlers>> = {
  Release: provider.release,
  Preflight: provider.preflight,
  Rehearsal: provider.rehearsal,
  FeNode: provider.feNode,
  BeNode: provider.beNode,
  FeMember: provider.feMember,
  BeMember: provider.beMember,
  Rollout: provider.rollout,
};

describe("Cluster", () => {
  let all: readonly Registered[];
  // The first serialization of a provider loads a compiler.
  before(async function () {
    this.timeout(30_000);
    all = await clusterOf();
  });

  it("makes each resource once, with names that users' states hold for ever", () => {
    const fe = ["10.0.0.11", "10.0.0.12", "10.0.0.13", "10.0.0.14"];
    const be = ["10.0.0.21", "10.0.0.22", "10.0.0.23"];
    assert.deepEqual(
      all.map(({ name, type }) => `${type} ${name}`).sort(),
      [
        "starrocks:index:Cluster analytics",
        "starrocks:index:FeGroup analytics-fe",
        "starrocks:index:BeGroup analytics-be",
        ...fe.flatMap((host) => [
          `${dynamic}Release analytics-release-fe-${host}`,
          `${dynamic}FeNode analytics-fe-${host}`,
          `${dynamic}FeMember analytics-fe-${host}-member`,
        ]),
        ...be.flatMap((host) => [
          `${dynamic}Release analytics-release-be-${host}`,
          `${dynamic}BeNode analytics-be-${host}`,
          `${dynamic}BeMember analytics-be-${host}-member`,
        ]),
        `${dynamic}Preflight analytics-preflight`,
        `${dynamic}Rehearsal analytics-rehearsal`,
        `${dynamic}Rollout analytics-rollout`,
      ].sort(),
    );
  });

  it("makes nodes children of their group, and all else of the cluster", () => {
    for (const resource of all) {
      const parent = { Cluster: "", FeNode: "analytics-fe", BeNode: "analytics-be" }[kindOf(resource)] ?? "analytics";
      assert.equal(resource.parent, parent, resource.name);
    }
  });

  it("has edges to nodes only: one on a component would mean all its children", () => {
    const components = all.filter(({ type }) => type.startsWith("starrocks:index:")).map(({ name }) => name);
    for (const { name, dependsOn } of all) {
      assert.ok(!dependsOn.some((one) => components.includes(one)), `${name} depends on ${dependsOn.join(", ")}`);
    }
  });

  it("puts releases before the pre-flight, rehearsal, the canary, BEs, observers, followers, leader, members and the rollout", () => {
    const names = (kind: string, role?: string) =>
      all
        .filter((resource) => kindOf(resource) === kind && (role === undefined || resource.inputs.role === role))
        .map(({ name }) => name)
        .sort();
    const preflight = ["analytics-preflight", "analytics-rehearsal"];
    const backends = names("BeNode");
    const observers = names("FeNode", "observer");
    const followers = names("FeNode", "follower");
    const leader = names("FeNode", "leader");
    const edges = (name: string | undefined) => find(all, name ?? "").dependsOn;
    for (const name of names("Release")) {
      assert.deepEqual(edges(name), []);
    }
    assert.deepEqual(edges("analytics-preflight"), names("Release"));
    assert.deepEqual(edges("analytics-rehearsal"), ["analytics-preflight"]);
    const [canary = "", ...others] = backends;
    assert.deepEqual(edges(canary), preflight);
    for (const name of others) {
      assert.deepEqual(edges(name), [canary, ...preflight].sort());
    }
    for (const name of observers) {
      assert.deepEqual(edges(name), [...preflight, ...backends].sort());
    }
    for (const name of followers) {
      assert.deepEqual(edges(name), [...preflight, ...backends, ...observers].sort());
    }
    assert.deepEqual(edges(leader[0]), [...preflight, ...backends, ...observers, ...followers].sort());
    const members = [...names("FeMember"), ...names("BeMember")];
    for (const name of members) {
      assert.deepEqual(edges(name), [...new Set([...leader, name.replace(/-member$/, "")])].sort());
    }
    assert.deepEqual(
      edges("analytics-rollout"),
      [...members, ...backends, ...observers, ...followers, ...leader].sort(),
    );
  });

  it("keeps how hosts and cluster are reached secret, and nothing else", () => {
    for (const resource of all.filter(({ type }) => type.startsWith(dynamic))) {
      const wanted = kindOf(resource) === "Release" ? ["connection"] : ["connection", "sql"];
      assert.deepEqual(resource.secrets, wanted, resource.name);
      assert.deepEqual(resource.additionalSecretOutputs, ["connection", "sql"]);
      const { connection, sql, ...rest } = resource.inputs;
      assert.doesNotMatch(JSON.stringify(rest), /ssh-secret|root-secret/);
    }
  });

  it("replaces nothing before it is deleted, and lets members go with the cluster", () => {
    for (const resource of all.filter(({ type }) => type.startsWith(dynamic))) {
      assert.equal(resource.deleteBeforeReplace, true);
      assert.equal(resource.deletedWith, /Member$/.test(kindOf(resource)) ? "analytics" : "", resource.name);
    }
  });

  it("says to each resource its own URN, and that of the cluster to those that speak of all of it", () => {
    const cluster = find(all, "analytics").urn;
    const speakers = ["Preflight", "Rehearsal", "Rollout"].map((kind) => dynamic + kind);
    for (const { inputs, name, type, urn } of all.filter((resource) => resource.type.startsWith(dynamic))) {
      assert.equal(inputs.__clusterUrn, speakers.includes(type) ? cluster : undefined);
      assert.match(String(inputs.__urn), /^urn:pulumi:dev::lab::starrocks:index:Cluster\$/);
      assert.ok(String(inputs.__urn).endsWith(`${type}::${name}`), `${String(inputs.__urn)} for ${urn}`);
    }
  });

  it("gives plain inputs without a value in a value, which every handler takes", async () => {
    for (const resource of all.filter(({ type }) => type.startsWith(dynamic))) {
      for (const [key, value] of Object.entries(resource.sent)) {
        assert.notEqual(typeof value, "object", `${key} of ${resource.name}`);
      }
      assert.equal(hasUnknown(resource.inputs), false);
      const { failures = [] } = (await kinds[kindOf(resource)]?.check({}, resource.sent)) ?? {};
      assert.deepEqual(failures, [], resource.name);
    }
  });

  it("gives each node its place in the plan, and a guard before its version changes", () => {
    const positions = [
      "be-10.0.0.21",
      "be-10.0.0.22",
      "be-10.0.0.23",
      "fe-10.0.0.14",
      "fe-10.0.0.12",
      "fe-10.0.0.13",
      "fe-10.0.0.11",
    ];
    for (const [index, name] of positions.entries()) {
      const { inputs } = find(all, `analytics-${name}`);
      assert.equal(inputs.position, index);
      assert.equal(inputs.preflight, "analytics-preflight");
    }
  });

  it("tells the pre-flight of every node what the node is told itself", () => {
    const { inputs } = find(all, "analytics-preflight");
    const nodes = inputs.nodes as readonly (Record<string, unknown> & { kind: string; name: string })[];
    assert.equal(nodes.length, 7);
    for (const { kind, ...node } of nodes) {
      const own = find(all, `analytics-${kind}-${node.name}`).inputs;
      assert.deepEqual(node, Object.fromEntries(Object.keys(node).map((key) => [key, own[key]])));
    }
  });
});

describe("a cluster's arguments", () => {
  const byName = async (changes: Parameters<typeof clusterOf>[0], name: string) => find(await clusterOf(changes), name);

  it("merge the group's settings and ports with those of a node, the node's over the group's", async () => {
    const { inputs } = await byName(
      {
        backends: {
          config: { mem_limit: "80%", be_http_num_workers: "48" },
          ports: { http: 18_040 },
          nodes: [
            { host: "10.0.0.21", storage: ["/d"], config: { mem_limit: "60%" }, ports: { brpc: 18_060 } },
            { host: "10.0.0.22", storage: ["/d"] },
          ],
        },
      },
      "analytics-be-10.0.0.21",
    );
    assert.deepEqual(inputs.config, { mem_limit: "60%", be_http_num_workers: "48" });
    assert.deepEqual(inputs.ports, { http: 18_040, brpc: 18_060 });
  });

  it("give a node its own name, address and connection", async () => {
    const all = await clusterOf({
      backends: {
        nodes: [
          { host: "192.0.2.1", address: "10.0.0.21", name: "be-1", storage: ["/d"], connection: { port: 2222 } },
          { host: "10.0.0.22", storage: ["/d"] },
        ],
      },
    });
    const { inputs } = find(all, "analytics-be-be-1");
    assert.equal(inputs.address, "10.0.0.21");
    assert.deepEqual(inputs.connection, {
      user: "starrocks",
      password: "ssh-secret",
      dialErrorLimit: 1,
      host: "192.0.2.1",
      port: 2222,
    });
    const { secrets } = find(all, "analytics-preflight");
    assert.deepEqual(secrets, ["connection", "sql"]);
  });

  it("keep the ways to other nodes secret, where a node has credentials of its own", async () => {
    const all = await clusterOf({
      frontends: { leader: { host: "10.0.0.11", connection: { password: "own-secret" } } },
    });
    for (const resource of all.filter(({ type }) => type.startsWith(dynamic))) {
      const secret = (field: string) => resource.secrets.some((path) => path.startsWith(field));
      const open = Object.entries(resource.inputs).filter(([key]) => !secret(key));
      assert.doesNotMatch(JSON.stringify(open), /own-secret|ssh-secret|root-secret/, resource.name);
    }
  });

  it("stage one release on a host that has an FE and a BE, with both parts", async () => {
    const all = await clusterOf({ backends: { nodes: [{ host: "10.0.0.11", storage: ["/d"] }] } });
    const both = find(all, "analytics-release-10.0.0.11");
    assert.deepEqual(both.inputs.parts, ["be", "fe"]);
  });

  it("pass limits and how many may be down on, and name the cluster by `key`", async () => {
    const all = await clusterOf({
      key: "lab/old-stack/analytics",
      limits: { start: 60 },
      backends: { ...args().backends, rollout: { maxUnavailable: 2 } },
    });
    assert.equal(find(all, "analytics-preflight").inputs.maxUnavailable, 2);
    for (const { inputs } of all.filter(({ type }) => type.startsWith(dynamic))) {
      assert.deepEqual(inputs.limits, { start: 60 });
      assert.equal(inputs.cluster, "lab/old-stack/analytics");
    }
  });

  it("come after what the cluster depends on", async () => {
    const all = await registered(() => {
      const prepared = new Release("prepared", {
        cluster: "c",
        host: "h",
        connection: {},
        deployDir: "/d",
        release: { version: "3.5.7", sha256: "a".repeat(64) },
        parts: ["fe"],
      });
      new Cluster("analytics", args(), { dependsOn: [prepared] });
    });
    assert.deepEqual(find(all, "analytics-release-fe-10.0.0.11").dependsOn, ["prepared"]);
  });

  it("may be values that a preview does not know, where a node has a name", async () => {
    const host = pulumi.output(unknown as string);
    const all = await clusterOf(
      {
        deployDir: host,
        sql: { password: host },
        frontends: { leader: { host, name: "fe-1" }, followers: [{ host: "10.0.0.12", connection: { user: host } }] },
        backends: { nodes: [{ host, name: "be-1", storage: [host] }] },
      },
      true,
    );
    assert.equal(all.length, 15);
    for (const resource of all.filter(({ type }) => type.startsWith(dynamic))) {
      assert.equal(hasUnknown(resource.inputs), true, resource.name);
      const handlers = kinds[kindOf(resource)];
      const { failures = [] } = (await handlers?.check({}, resource.inputs)) ?? {};
      assert.deepEqual(failures, [], resource.name);
      assert.equal((await handlers?.diff("id", resource.inputs, resource.inputs))?.changes, true, resource.name);
    }
  });
});

describe("a cluster's overlay", () => {
  const own = { id: `3.5.7-${"a".repeat(12)}`, version: "3.5.7" };
  const jar = { archive: "./starrocks-fe.jar", sha256: "b".repeat(64), version: "3.5.7-hotfix1" };
  const overlay = { "fe/lib/starrocks-fe.jar": jar };

  it("makes another release of its part alone: nothing of the other part is another", async () => {
    const before = await clusterOf();
    const after = await clusterOf({ release: { ...args().release, overlay } });
    for (const { name, inputs, type } of before.filter((one) => one.type.startsWith(dynamic))) {
      const next = find(after, name).inputs;
      const kind = type.replace(dynamic, "");
      if (["BeNode", "BeMember"].includes(kind) || name.startsWith("analytics-release-be")) {
        assert.deepEqual(next, inputs, name);
      } else if (["FeNode", "FeMember"].includes(kind)) {
        const release = next.release as { readonly id: string; readonly version: string };
        assert.deepEqual({ ...next, release: own }, inputs, name);
        assert.equal(release.version, "3.5.7-hotfix1");
        assert.match(release.id, /^3\.5\.7-hotfix1-[0-9a-f]{12}$/);
      } else if (["Release", "Rehearsal"].includes(kind)) {
        assert.deepEqual(next, { ...inputs, release: { ...(inputs.release as object), overlay } }, name);
      } else {
        assert.deepEqual(next.release, own, name);
      }
    }
  });
});

describe("a cluster's rehearsal", function () {
  this.timeout(30_000);
  const rehearsalOf = async (changes: Parameters<typeof clusterOf>[0] = {}) =>
    (await clusterOf(changes)).find((resource) => kindOf(resource) === "Rehearsal");

  it("is done where the least depends on it, by default for minor and major jumps", async () => {
    const inputs = (await rehearsalOf())?.inputs ?? {};
    assert.equal(inputs.host, "10.0.0.14");
    assert.equal(inputs.when, undefined);
    assert.equal((inputs.connection as { host: string }).host, "10.0.0.14");
  });

  it("is done where it is told to be: at a node by its host, or at another host", async () => {
    for (const host of ["10.0.0.21", "10.0.0.99"]) {
      const inputs = (await rehearsalOf({ rehearsal: { host, memory: "4g" } }))?.inputs ?? {};
      const { connection, memory, when } = inputs as { connection: { host: string }; memory: string; when: string };
      assert.deepEqual([inputs.host, connection.host, memory, when], [host, host, "4g", "always"]);
    }
  });

  it("knows what is declared of fe.conf, as any of the FEs may lead then", async () => {
    const plain = await rehearsalOf();
    assert.deepEqual([plain?.inputs.config, plain?.inputs.ownConfig], [{}, undefined]);
    const { leader } = args().frontends;
    const frontends = {
      leader: { ...leader, config: { JAVA_OPTS: '"-Xmx16g"' } },
      followers: [{ host: "10.0.0.12" }],
      config: { JAVA_OPTS: '"-Xmx8g"', ignore_unknown_log_id: "true" },
    };
    const inputs = (await rehearsalOf({ frontends }))?.inputs;
    assert.deepEqual(inputs?.config, frontends.config);
    assert.deepEqual(inputs?.ownConfig, { "10.0.0.11": frontends.leader.config });
  });

  it("is none where it is declared off", async () => {
    assert.equal(await rehearsalOf({ rehearsal: false }), undefined);
  });
});
