import assert from "node:assert/strict";
import type { NodeSpec } from "../../../provider/plan/spec.js";
import { inspectTopology } from "../../../provider/plan/topology.js";
import { be, fe } from "./specs.js";

const leader = fe();
const followers = [2, 3].map((n) => fe({ name: `fe-${n}`, address: `10.0.0.1${n}`, role: "follower" }));
const backends = [1, 2, 3].map((n) => be({ name: `be-${n}`, address: `10.0.0.2${n}` }));
const [firstBe, ...otherBes] = backends as [NodeSpec, ...NodeSpec[]];

const problems = (nodes: readonly NodeSpec[]) =>
  inspectTopology(nodes).problems.map(({ property, reason }) => `${property}: ${reason}`);

describe("inspectTopology", () => {
  it("has nothing to say about three FEs and three BEs on hosts of their own", () => {
    assert.deepEqual(inspectTopology([...backends, ...followers, leader]), { problems: [], warnings: [] });
  });

  const table: readonly { what: string; nodes: readonly NodeSpec[]; found: readonly RegExp[] }[] = [
    {
      what: "two BEs of one name",
      nodes: [firstBe, be({ name: "be-1", address: "10.0.0.29" }), leader],
      found: [/^backends\.nodes\[1\]\.name: `be-1` is also the name of backends\.nodes\[0\]/],
    },
    {
      what: "a leader that is listed as a follower too",
      nodes: [...backends, fe({ role: "follower" }), leader],
      found: [/^frontends\.followers\[0\]\.name: `fe-1` is the leader already: an FE is listed once/],
    },
    {
      what: "two FEs on one host, even with ports and folders of their own",
      nodes: [
        ...backends,
        ...followers,
        leader,
        fe({
          name: "fe-4",
          address: "10.0.0.11",
          role: "observer",
          home: "/opt/starrocks/fe2",
          ports: { rpc: 9021, query: 9031, editLog: 9011 },
        }),
      ],
      found: [
        /^frontends\.observers\[0\]\.address: 10\.0\.0\.11 has an FE already \(frontends\.leader\): StarRocks allows one FE/,
      ],
    },
    {
      what: "two BEs on one address and port",
      nodes: [firstBe, be({ name: "be-9", home: "/srv/be9", storage: ["/disk9/sr"], ports: otherPorts(1) }), leader],
      found: [
        /^backends\.nodes\[1\]\.ports\.heartbeat: 10\.0\.0\.21:9050 is taken by backends\.nodes\[0\]\.ports\.heartbeat/,
      ],
    },
    {
      what: "a port of an FE that a BE on the same host has",
      nodes: [...backends, be({ name: "be-4", address: "10.0.0.11", ports: { http: 8030 } }), leader],
      found: [/^backends\.nodes\[3\]\.ports\.http: 10\.0\.0\.11:8030 is taken by frontends\.leader\.ports\.http/],
    },
    {
      what: "two BEs that have all ports alike, in one line",
      nodes: [firstBe, be({ name: "be-9", home: "/srv/be9", storage: ["/disk9/sr"] }), leader],
      found: [
        /^backends\.nodes\[1\]\.ports: be 9060, http 8040, heartbeat 9050, brpc 8060, starlet 9070 on 10\.0\.0\.21 are taken by backends\.nodes\[0\]$/,
      ],
    },
    {
      what: "an http port that differs between FEs",
      nodes: [...backends, fe({ name: "fe-2", address: "10.0.0.12", role: "follower", ports: { http: 8031 } }), leader],
      found: [/ports\.http: .* differs from .*: all FEs need the same http port/],
    },
    {
      what: "one home for two BEs of a host",
      nodes: [firstBe, be({ name: "be-9", storage: ["/disk9/sr"], ports: otherPorts() }), leader],
      found: [
        /^backends\.nodes\[1\]\.home: \/opt\/starrocks\/be on 10\.0\.0\.21 is shared with backends\.nodes\[0\]\.home/,
      ],
    },
    {
      what: "a data folder inside that of another BE",
      nodes: [
        firstBe,
        be({ name: "be-9", home: "/srv/be9", storage: ["/disk1/starrocks/more"], ports: otherPorts() }),
        leader,
      ],
      found: [
        /^backends\.nodes\[1\]\.storage\[0\]: \/disk1\/starrocks\/more .* shared with backends\.nodes\[0\]\.storage\[0\] \(\/disk1\/starrocks\)/,
      ],
    },
    {
      what: "a home that holds another node's data folder",
      nodes: [...backends, be({ name: "be-4", address: "10.0.0.11", storage: ["/opt/starrocks/fe/tablets"] }), leader],
      found: [
        /^backends\.nodes\[3\]\.storage\[0\]: \/opt\/starrocks\/fe\/tablets on 10\.0\.0\.11 is shared with frontends\.leader\.home/,
      ],
    },
    {
      what: "a single BE without default_replication_num",
      nodes: [firstBe, leader],
      found: [/^frontends\.config\.default_replication_num: must be `1` with a single BE/],
    },
    {
      what: "a single BE where one FE says otherwise",
      nodes: [firstBe, ...followers, fe({ config: { default_replication_num: "1" } })],
      found: [/^frontends\.config\.default_replication_num: /],
    },
    {
      what: "several things at once",
      nodes: [firstBe, be({ name: "be-1", address: "10.0.0.29" }), fe({ role: "follower" }), leader],
      found: [/^backends\.nodes\[1\]\.name: /, /^frontends\.followers\[0\]\.name: /],
    },
  ];
  for (const { what, nodes, found } of table) {
    it(`refuses ${what}`, () => {
      const seen = problems(nodes);
      for (const pattern of found) {
        assert.ok(
          seen.some((text) => pattern.test(text)),
          `${pattern} is not among\n${seen.join("\n")}`,
        );
      }
    });
  }

  const allowed: readonly { what: string; nodes: readonly NodeSpec[] }[] = [
    {
      what: "two BEs on one host with ports, homes and folders of their own",
      nodes: [firstBe, be({ name: "be-9", home: "/srv/be9", storage: ["/disk9/sr"], ports: otherPorts() }), leader],
    },
    { what: "an FE and a BE of one name", nodes: [...otherBes, be({ name: "fe-1" }), leader] },
    { what: "equal folders on different hosts", nodes: [...backends, leader] },
    {
      what: "folders whose names only begin alike",
      nodes: [
        firstBe,
        be({ name: "be-9", home: "/opt/starrocks/be-9", storage: ["/disk1/starrocks2"], ports: otherPorts() }),
        leader,
      ],
    },
    { what: "a metaDir inside its own FE's home", nodes: [...backends, fe({ metaDir: "/opt/starrocks/fe/meta" })] },
    { what: "a single BE with one replica", nodes: [firstBe, fe({ config: { default_replication_num: "1" } })] },
    { what: "no BE at all", nodes: [leader] },
  ];
  for (const { what, nodes } of allowed) {
    it(`allows ${what}`, () => assert.deepEqual(problems(nodes), []));
  }

  it("has one line for two FEs on one host, whatever else they have alike", () => {
    assert.deepEqual(problems([...backends, fe({ name: "fe-2", role: "follower" }), leader]), [
      "frontends.followers[0].address: 10.0.0.11 has an FE already (frontends.leader): StarRocks allows one FE on a host",
    ]);
  });

  it("takes names that differ in case only for one host", () => {
    const named = (leaderAddress: string, followerAddress: string, beAddress: string) => [
      ...backends,
      be({ name: "be-4", address: beAddress, home: "/srv/be", storage: ["/disk4/sr"], ports: { http: 8030 } }),
      fe({ name: "fe-2", address: followerAddress, role: "follower" }),
      fe({ address: leaderAddress }),
    ];
    assert.deepEqual(problems(named("FE1.example.org", "fe1.example.org", "Fe1.Example.org")), [
      "frontends.followers[0].address: fe1.example.org has an FE already (frontends.leader): StarRocks allows one FE on a host",
      "backends.nodes[3].ports.http: Fe1.Example.org:8030 is taken by frontends.leader.ports.http",
    ]);
    assert.deepEqual(problems(named("FE1.example.org", "fe2.example.org", "be1.example.org")), []);
  });

  it("names a leader that is listed twice once, and by what is wrong", () => {
    assert.deepEqual(
      inspectTopology([...backends, fe({ role: "follower" }), leader]).problems.map(({ property }) => property),
      ["frontends.followers[0].name"],
    );
  });
});

describe("warnings of inspectTopology", () => {
  const warnings = (nodes: readonly NodeSpec[]) => inspectTopology(nodes).warnings;
  const observer = fe({ name: "fe-9", address: "10.0.0.19", role: "observer" });

  it("tells that an even number of voters bears no more failures than one less", () => {
    const [follower] = followers as [NodeSpec];
    assert.match(warnings([...backends, follower, leader])[0] ?? "", /^2 voting FEs .* no more failures than 1\./);
    assert.deepEqual(warnings([...backends, ...followers, leader, observer]), []);
  });

  it("names the hosts that have both an FE and a BE", () => {
    const mixed = be({ name: "be-4", address: "10.0.0.11" });
    assert.match(warnings([...backends, mixed, leader])[0] ?? "", /^FE and BE on one host \(10\.0\.0\.11\)/);
  });
});

/** Ports of a second BE on a host; the first `same` of them are those of the first BE's heartbeat. */
function otherPorts(same = 0): Readonly<Record<string, number>> {
  const ports = { be: 19_060, http: 18_040, heartbeat: 19_050, brpc: 18_060, starlet: 19_070 };
  return same > 0 ? { ...ports, heartbeat: 9050 } : ports;
}

describe("inspectTopology of nodes by the way to their hosts", () => {
  const ways = ["h1", "h2", "h3", "h4", "h5", "h6"];
  const cluster = [...backends, ...followers, leader];
  const found = (nodes: readonly NodeSpec[], given: readonly string[]) =>
    inspectTopology(nodes, given).problems.map(({ property, reason }) => `${property}: ${reason}`);

  it("has nothing to say where each has a way of its own", () => {
    assert.deepEqual(inspectTopology(cluster, ways), { problems: [], warnings: [] });
  });

  it("refuses two FEs on one host that go by two addresses", () => {
    const [problem, ...more] = found(cluster, [...ways.slice(0, 4), "h4", "h6"]);
    assert.match(
      problem ?? "",
      /^frontends\.followers\[1\]\.connection: goes to the host of frontends\.followers\[0\], though/,
    );
    assert.deepEqual(more, []);
  });

  it("refuses two FEs on one host whose name is written in two ways", () => {
    const seen = found(cluster, [...ways.slice(0, 4), "H6", "h6"]);
    assert.match(
      seen[0] ?? "",
      /^frontends\.followers\[1\]\.connection: goes to the host of frontends\.leader, though/,
    );
    assert.equal(seen.length, 1);
  });

  it("refuses ports and folders that two BEs on one host have alike", () => {
    const seen = found(cluster, ["h1", "h1", ...ways.slice(2)]);
    assert.match(seen[0] ?? "", /^backends\.nodes\[1\]\.ports: be 9060, .* are taken by backends\.nodes\[0\]$/);
    assert.match(seen[1] ?? "", /^backends\.nodes\[1\]\.home: .* is shared with backends\.nodes\[0\]\.home/);
    assert.equal(seen.length, 2);
  });

  it("warns of a BE on the host of an FE", () => {
    const beside = be({ name: "be-3", address: "10.0.0.23", home: "/srv/be", storage: ["/disk3/sr"] });
    const nodes = [...backends.slice(0, 2), beside, ...followers, leader];
    assert.match(inspectTopology(nodes, ["h1", "h2", "h6", "h4", "h5", "h6"]).warnings.join(), /FE and BE on one host/);
  });
});
