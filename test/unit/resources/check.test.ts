import assert from "node:assert/strict";
import { unknownValue } from "../../../provider/engine/unknown.js";
import {
  connection,
  contacts,
  handlersOf,
  type Kind,
  kinds,
  newRelease,
  outputsOf,
  sample,
  secrets,
} from "./samples.js";

type Inputs = Readonly<Record<string, unknown>>;

/** The answer of a first check. */
const check = (kind: Kind, changes: Inputs = {}) => handlersOf(kind).check({}, { ...sample(kind), ...changes });

/** Everything that is refused, each by its field. The engine would print the value of a property that it is told. */
const refused = async (kind: Kind, olds: Inputs, news: Inputs): Promise<readonly string[]> => {
  const { failures = [] } = await handlersOf(kind).check(olds, news);
  assert.ok(failures.every(({ property }) => property === ""));
  return failures.map(({ reason }) => reason);
};

/** As in an operation that leaves nothing out: the pre-flight is checked before any node of its cluster. */
const checkPreflight = async ({ cluster }: Inputs): Promise<unknown> =>
  handlersOf("preflight").check({}, { ...sample("preflight"), cluster });

/** Each text is what its pattern says, and there are no others. */
const assertEach = (texts: readonly string[], patterns: readonly RegExp[]): void => {
  assert.equal(texts.length, patterns.length, texts.join("\n"));
  for (const [index, pattern] of patterns.entries()) {
    assert.match(texts[index] ?? "", pattern);
  }
};

const withoutPlan = ({ plan, ...rest }: Inputs): Inputs => rest;

for (const kind of kinds) {
  describe(`check of ${kind}`, () => {
    it("takes what the component gives, and changes nothing of it but the plan", async () => {
      const inputs = sample(kind);
      const { inputs: checked, failures = [] } = await handlersOf(kind).check({}, inputs);
      assert.deepEqual(failures, []);
      assert.deepEqual(withoutPlan(checked), inputs);
    });

    it("takes the provider's text, which the dynamic layer adds", async () => {
      const { failures = [] } = await check(kind, { __provider: "exports.handler = …" });
      assert.deepEqual(failures, []);
    });

    it("refuses an unknown argument by its name", async () => {
      assertEach(await refused(kind, {}, { ...sample(kind), versoin: "3.5.7" }), [
        /^unknown argument `versoin`; it has (\w+, )*cluster, (?!.*__)/,
      ]);
    });

    it("says what must be given, in no words of a library", async () => {
      assertEach(await refused(kind, {}, { ...sample(kind), cluster: undefined }), [/^cluster: must be given$/]);
    });

    it("refuses an unknown field of the connection by its name, and tells no secret", async () => {
      const [failure, ...more] = await refused(
        kind,
        {},
        {
          ...sample(kind),
          connection: { ...connection, passwrod: "hunter2" },
        },
      );
      assert.match(failure ?? "", /^connection: unknown argument `passwrod`; it has host, port, user, password, /);
      assert.deepEqual(more, []);
    });

    it("tells no secret when it is in a field where it is wrong", async () => {
      const found = await refused(
        kind,
        {},
        {
          ...sample(kind),
          connection: { ...connection, privateKey: secrets[2], port: secrets[0] },
        },
      );
      assert.ok(found.length > 0);
      assert.ok(!secrets.some((secret) => found.join("\n").includes(secret)), found.join("\n"));
    });

    it("names no property to the engine, which would print its value", async () => {
      const news = { ...sample(kind), connection: { ...connection, port: "22" }, limits: { strat: 1 } };
      const { failures = [] } = await handlersOf(kind).check({}, news);
      assert.deepEqual(
        failures.map(({ property }) => property),
        ["", ""],
      );
    });

    it("gives the same answer to the same question", async () => {
      const inputs = sample(kind);
      const first = await handlersOf(kind).check({}, inputs);
      assert.deepEqual(await handlersOf(kind).check({}, inputs), first);
      const olds = first.inputs;
      const again = await handlersOf(kind).check(olds, inputs);
      assert.deepEqual(await handlersOf(kind).check(olds, inputs), again);
    });

    it("has no plan where nothing is to be done", async () => {
      const inputs = sample(kind);
      const { inputs: olds } = await handlersOf(kind).check({}, inputs);
      const { inputs: checked, failures = [] } = await handlersOf(kind).check(olds, inputs);
      assert.deepEqual(failures, []);
      assert.equal(checked.plan, undefined);
    });

    for (const key of Object.keys(sample(kind))) {
      it(`does not judge \`${key}\` while it is unknown`, async () => {
        const { inputs, failures = [] } = await check(kind, { [key]: unknownValue });
        assert.deepEqual(failures, []);
        assert.equal(inputs[key], unknownValue);
      });
    }

    it("does not judge parts that are unknown", async () => {
      const inputs = JSON.parse(JSON.stringify(sample(kind))) as Record<string, unknown>;
      const { failures = [] } = await handlersOf(kind).check({}, unknownLeaves(inputs) as Inputs);
      assert.deepEqual(failures, []);
    });

    it("still judges what is known beside an unknown", async () => {
      const found = await refused(kind, {}, { ...sample(kind), connection: unknownValue, versoin: "3.5.7" });
      assertEach(found, [/^unknown argument `versoin`; it has /]);
    });
  });
}

/** Every value but those of the top level replaced, as a preview does it for what a new resource will say. */
const unknownLeaves = (value: unknown, depth = 0): unknown => {
  if (Array.isArray(value)) {
    return value.map((inner) => unknownLeaves(inner, depth + 1));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unknownLeaves(inner, depth + 1)]));
  }
  return depth > 1 ? unknownValue : value;
};

describe("the plan among the inputs", () => {
  for (const kind of ["feNode", "beNode", "feMember", "beMember", "release"] as const) {
    it(`tells in sentences what a first ${kind} does`, async () => {
      const { inputs } = await check(kind);
      const plan = inputs.plan as readonly string[];
      assert.ok(plan.length > 0);
      assert.deepEqual(
        plan.map((step) => Number.parseInt(step, 10)),
        plan.map((_, index) => index + 1),
      );
      assert.ok(!secrets.some((secret) => plan.join("\n").includes(secret)));
    });
  }

  it("tells of a release's url no more than scheme, host and file: it may be a secret", async () => {
    const url = "https://user:hunter2@repo.example.org/a/s.tar.gz?X-Amz-Signature=hunter2";
    const { inputs } = await check("release", { release: { version: "3.5.6", sha256: "a".repeat(64), url } });
    const plan = (inputs.plan as readonly string[]).join("\n");
    assert.match(plan, /bring https:\/\/repo\.example\.org\/…\/s\.tar\.gz to /);
    assert.ok(!plan.includes("hunter2"), plan);
  });

  it("tells what a version change does to a node", async () => {
    const olds = sample("beNode");
    await checkPreflight(olds);
    const { inputs } = await handlersOf("beNode").check(olds, { ...olds, release: newRelease });
    assert.match(
      (inputs.plan as readonly string[]).join("\n"),
      /stop the BE 3\.5\.6.*switch .* from 3\.5\.6 to 3\.5\.7/s,
    );
  });

  for (const status of ["stopped", "failed", "unreachable"]) {
    it(`tells how a node is brought back that a refresh saw ${status}`, async () => {
      const news = sample("beNode");
      const { inputs } = await handlersOf("beNode").check({ ...news, __status: status }, news);
      assert.match((inputs.plan as readonly string[]).join("\n"), /start the BE 3\.5\.6 \(only if it does not run\)/);
      assert.deepEqual(withoutPlan(inputs), news);
    });
  }

  it("tells that a member acts which a refresh saw being decommissioned", async () => {
    const news = sample("beMember");
    const { inputs } = await handlersOf("beMember").check({ ...news, __status: "decommissioned" }, news);
    assert.notEqual(inputs.plan, undefined);
    assert.deepEqual(withoutPlan(inputs), news);
  });

  it("tells how a member is added again that a refresh missed", async () => {
    const news = sample("beMember");
    const { inputs } = await handlersOf("beMember").check({ ...news, __status: "missing" }, news);
    assert.match((inputs.plan as readonly string[]).join("\n"), /ALTER SYSTEM ADD BACKEND/);
    assert.deepEqual(withoutPlan(inputs), news);
  });

  it("is not there for a change of credentials, limits, contacts or place", async () => {
    const olds = sample("beNode");
    const news = {
      ...olds,
      connection: { ...connection, password: "rotated" },
      sql: { user: "root", password: "rotated" },
      limits: { start: 60 },
      frontends: [],
      position: 9,
    };
    assert.equal((await handlersOf("beNode").check(olds, news)).inputs.plan, undefined);
  });
});

describe("check of a node that exists", () => {
  const cases: readonly { what: string; kind: "feNode" | "beNode"; changes: Inputs; found: readonly RegExp[] }[] = [
    {
      what: "a folder that is taken away",
      kind: "beNode",
      changes: { storage: ["/disk2/sr"] },
      found: [/^storage: \/disk1\/sr/],
    },
    { what: "another address", kind: "beNode", changes: { address: "10.0.0.29" }, found: [/^address: cannot change/] },
    {
      what: "another home",
      kind: "feNode",
      changes: { home: "/srv/fe" },
      found: [/^home: cannot change/],
    },
    {
      what: "an observer from a voter",
      kind: "feNode",
      changes: { role: "observer" },
      found: [/^role: an FE stays what it was/],
    },
    { what: "a follower from a leader", kind: "feNode", changes: { role: "follower" }, found: [] },
    { what: "one more folder", kind: "beNode", changes: { storage: ["/disk1/sr", "/disk2/sr"] }, found: [] },
    { what: "a version behind a pre-flight", kind: "beNode", changes: { release: newRelease }, found: [] },
    {
      what: "a version whose pre-flight is left out",
      kind: "beNode",
      changes: { release: newRelease },
      found: [
        /^preflight: of BE be-1 \(3\.5\.6 → [\d.]+\): it is guarded by the Preflight "preflight", which this operation does not include \(--target or --exclude\)/,
      ],
    },
    {
      what: "a restart whose pre-flight is left out",
      kind: "feNode",
      changes: { config: { qe_max_connection: "2000" } },
      found: [/^preflight: of FE fe-1 \(restart for qe_max_connection\): it is guarded by/],
    },
    {
      what: "a restart without a pre-flight",
      kind: "feNode",
      changes: { preflight: undefined, javaHome: "/jdk" },
      found: [],
    },
    {
      what: "a version without a pre-flight",
      kind: "beNode",
      changes: { release: newRelease, preflight: undefined },
      found: [/^preflight: must name a `Preflight` before the version of BE be-1 is changed/],
    },
    {
      what: "a port that it has twice",
      kind: "beNode",
      changes: { ports: { brpc: 8040 } },
      found: [/^ports\.brpc: 8040 is also ports\.http/],
    },
    {
      what: "another http port of one of three FEs",
      kind: "feNode",
      changes: { ports: { query: 9031, http: 8031 } },
      found: [/^ports\.http: cannot change on an existing FE \(recorded `8030`, declared `8031`\)/],
    },
    {
      what: "another http port of an FE that knows of no other any more, but did",
      kind: "feNode",
      changes: { ports: { query: 9031, http: 8031 }, frontends: contacts.slice(0, 1) },
      found: [/^ports\.http: cannot change/],
    },
    {
      what: "another heartbeat port",
      kind: "beNode",
      changes: { ports: { heartbeat: 9051 } },
      found: [/^ports\.heartbeat: cannot change on an existing BE \(recorded `9050`, declared `9051`\)/],
    },
    {
      what: "a misread folder",
      kind: "beNode",
      changes: { storage: ["/disk1/sr", "/disk2/sr.ssd"] },
      found: [/^storage: Storage "\/disk2\/sr\.ssd"/],
    },
    {
      what: "a home that StarRocks' scripts would split, which follows from the deployDir,",
      kind: "feNode",
      changes: { deployDir: "/opt/star rocks" },
      found: [/^deployDir: "\/opt\/star rocks" has a blank in it/, /^deployDir: cannot change/],
    },
    {
      what: "a setting of ours",
      kind: "feNode",
      changes: { config: { edit_log_port: "9011" } },
      found: [/^config\.edit_log_port: .*`ports\.editLog`/],
    },
  ];
  for (const { what, kind, changes, found } of cases) {
    it(`${found.length > 0 ? "refuses" : "takes"} ${what}`, async () => {
      const olds = sample(kind);
      if (found.length === 0) {
        await checkPreflight(olds);
      }
      const seen = await refused(kind, olds, JSON.parse(JSON.stringify({ ...olds, ...changes })));
      assertEach(seen, found);
    });
  }
});

describe("check of the only FE", () => {
  it("takes another http port", async () => {
    const olds = { ...sample("feNode"), frontends: contacts.slice(0, 1) };
    await checkPreflight(olds);
    assert.deepEqual(await refused("feNode", olds, { ...olds, ports: { query: 9031, http: 8031 } }), []);
  });
});

describe("check of members, releases and the topology", () => {
  const cases: readonly { what: string; kind: Kind; changes: Inputs; found: readonly RegExp[] }[] = [
    {
      what: "another heartbeat port of a member",
      kind: "beMember",
      changes: { port: 9051 },
      found: [/^port: cannot change on an existing member \(recorded `9050`, declared `9051`\)/],
    },
    {
      what: "another edit log port of a member",
      kind: "feMember",
      changes: { ports: { query: 9031, editLog: 9011 } },
      found: [/^ports\.editLog: cannot change/],
    },
    { what: "another query port of a member", kind: "feMember", changes: { ports: { query: 9032 } }, found: [] },
    {
      what: "a member without an FE to ask",
      kind: "beMember",
      changes: { frontends: [] },
      found: [/^frontends: wants at least one FE to ask/],
    },
    { what: "another release of a member", kind: "beMember", changes: { release: newRelease }, found: [] },
    {
      what: "another deployDir of a release",
      kind: "release",
      changes: { deployDir: "/srv" },
      found: [],
    },
    {
      what: "folders that StarRocks' scripts would split",
      kind: "release",
      changes: { deployDir: "/opt/star rocks", javaHome: "/opt/my\njdk" },
      found: [/^deployDir: "\/opt\/star rocks" has a blank in it/, /^javaHome: "\/opt\/my\\njdk" has a line break/],
    },
    {
      what: "a folder that StarRocks' scripts would evaluate",
      kind: "rehearsal",
      changes: { deployDir: "/opt/$sr" },
      found: [/^deployDir: "\/opt\/\$sr" has the character \$ in it/],
    },
    {
      what: "a limit that is none",
      kind: "release",
      changes: { limits: { strat: 1 } },
      found: [/^limits: unknown argument `strat`/],
    },
    {
      what: "a password for sudo that would be read as a command's data",
      kind: "beNode",
      changes: { connection: { ...connection, become: { password: "hunter2\nhunter3" } } },
      found: [/^connection\.become\.password: expected the password for sudo, which is one line, got several;/],
    },
    {
      what: "a limit that is none",
      kind: "beMember",
      changes: { limits: { strat: 1 } },
      found: [/^limits: unknown argument `strat`/],
    },
    { what: "a limit that is none", kind: "preflight", changes: { limits: { start: 0 } }, found: [/^limits\.start: /] },
    {
      what: "maxUnavailable 0",
      kind: "preflight",
      changes: { maxUnavailable: 0 },
      found: [/^backends\.rollout\.maxUnavailable: /],
    },
    {
      what: "a memory that is none, by the cluster's argument,",
      kind: "rehearsal",
      changes: { memory: "lots" },
      found: [/^rehearsal\.memory: must be a size/],
    },
    {
      what: "a memory that is none, by its own argument outside of a cluster,",
      kind: "rehearsal",
      changes: { memory: "lots", __clusterUrn: undefined },
      found: [/^memory: must be a size/],
    },
  ];
  for (const { what, kind, changes, found } of cases) {
    it(`of ${kind} ${found.length > 0 ? "refuses" : "takes"} ${what}`, async () => {
      const olds = sample(kind);
      const seen = await refused(kind, olds, { ...olds, ...changes });
      assertEach(seen, found);
    });
  }

  it("of the pre-flight refuses what is wrong with the whole, by the cluster's argument", async () => {
    const inputs = sample("preflight");
    const nodes = inputs.nodes as readonly Inputs[];
    const seen = await refused("preflight", {}, { ...inputs, nodes: [nodes[0], nodes[0], nodes[2]] });
    assert.match(seen[0] ?? "", /^backends\.nodes\[1\]\.name: `be-1` is also the name of backends\.nodes\[0\]/);
  });

  it("of the pre-flight refuses folders that StarRocks' scripts would not read as one, by the cluster's argument", async () => {
    const inputs = sample("preflight");
    const [be, other, fe] = inputs.nodes as readonly Inputs[];
    const nodes = [be, { ...other, home: "/srv/b;e" }, { ...fe, metaDir: '/data/m"eta', javaHome: "/opt/my jdk" }];
    assertEach(await refused("preflight", {}, { ...inputs, nodes }), [
      /^backends\.nodes\[1\]\.home: "\/srv\/b;e" has the character ; in it/,
      /^frontends\.leader\.metaDir: "\/data\/m\\"eta" has the character " in it/,
      /^frontends\.leader\.javaHome: "\/opt\/my jdk" has a blank in it/,
    ]);
  });
});

describe("check of the pre-flight, by the way to a host", () => {
  it("refuses two nodes of one host whatever they are called, but not two hosts of one address behind two proxies", async () => {
    const inputs = sample("preflight");
    const connections = [{ host: "10.1.0.1" }, { host: "10.1.0.1" }, { host: "10.1.0.3" }];
    const seen = await refused("preflight", {}, { ...inputs, connections });
    assert.match(seen[0] ?? "", /^backends\.nodes\[1\]\.ports: .* are taken by backends\.nodes\[0\]/);
    const apart = connections.map((way, index) => ({ ...way, proxy: { host: `jump-${index}` } }));
    assert.deepEqual(await refused("preflight", {}, { ...inputs, connections: apart }), []);
  });
});

describe("check of the pre-flights of a program", () => {
  const at = (parent: string): Inputs => {
    const [__urn, __clusterUrn] = ["Preflight::sr-preflight", "Cluster::sr"].map((name) => `urn:${parent}$${name}`);
    return { __urn, __clusterUrn };
  };

  it("refuses a second cluster of the same key, and names both", async () => {
    const inputs = sample("preflight");
    const [one, other] = ["A", "B"].map((parent) => ({ ...inputs, ...at(parent) })) as [Inputs, Inputs];
    assert.deepEqual(await refused("preflight", {}, one), []);
    const both = [
      `key: must be of one cluster, \`${inputs.cluster}\` is that of two: urn:A$Cluster::sr and urn:B$Cluster::sr. Give one of them another \`key\``,
    ];
    assert.deepEqual(await refused("preflight", {}, other), both);
    assert.deepEqual(await refused("preflight", other, { ...other, sql: unknownValue }), both);
    assert.deepEqual(await refused("preflight", one, one), []);
    assert.deepEqual(await refused("preflight", {}, { ...other, cluster: "lab/dev/another" }), []);
  });

  it("takes one whose key is not known yet, or that has moved: its old URN is not checked", async () => {
    const inputs = sample("preflight");
    for (const parent of ["A", "B"]) {
      assert.deepEqual(await refused("preflight", {}, { ...inputs, ...at(parent), cluster: unknownValue }), []);
    }
    assert.deepEqual(await refused("preflight", { ...inputs, ...at("A") }, { ...inputs, ...at("B") }), []);
  });
});

describe("state of an older release of this package", () => {
  for (const kind of kinds) {
    it(`of ${kind} with a key more and keys less is understood`, async () => {
      const inputs = sample(kind);
      const { position, __urn, maxUnavailable, preflight, ...fewer } = inputs as Record<string, unknown>;
      const retired = { retired: true, connection: { ...connection, retired: true } };
      const { failures = [] } = await handlersOf(kind).check({ ...fewer, ...retired }, inputs);
      assert.deepEqual(failures, []);
      const { __clusterUrn, ...outputs } = outputsOf(kind, fewer) as Record<string, unknown>;
      const { changes } = await handlersOf(kind).diff("id", { ...outputs, retired: true }, inputs);
      assert.equal(changes, maxUnavailable !== undefined);
      await handlersOf(kind).diff("id", { ...outputs, ...retired }, inputs);
    });
  }
});
