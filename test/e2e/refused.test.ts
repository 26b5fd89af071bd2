import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { createStack, type Outcome, type Stack } from "../engine/stack.js";

/** What a program in JavaScript may write: no type has seen it. */
// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the matter of these tests.
type Args = any;

const program = `
const starrocks = require("pulumi-starrocks");
const { readFileSync } = require("node:fs");
new starrocks.Cluster("sr", JSON.parse(readFileSync("cluster.json", "utf8")));
`;

/** Values that only an update will know: outputs of a resource that does not exist yet. */
const programWithUnknowns = `
const pulumi = require("@pulumi/pulumi");
const starrocks = require("pulumi-starrocks");
const { readFileSync } = require("node:fs");
class Machine extends pulumi.dynamic.Resource {
  constructor(name) {
    super({ create: async () => ({ id: "1", outs: { ip: "127.0.0.13", digest: "0", password: "s3cret" } }) }, name, {
      ip: undefined, digest: undefined, password: undefined,
    }, undefined, "test", "Machine");
  }
}
const machine = new Machine("machine");
const args = JSON.parse(readFileSync("cluster.json", "utf8"));
args.frontends.followers[1] = { host: machine.ip, name: "fe-3" };
args.backends.nodes[2] = { ...args.backends.nodes[2], host: machine.ip, name: "be-3" };
args.release.sha256 = machine.digest;
args.sql = { password: machine.password };
new starrocks.Cluster("sr", args);
`;

const programWithoutName = `
const pulumi = require("@pulumi/pulumi");
const starrocks = require("pulumi-starrocks");
const { readFileSync } = require("node:fs");
const args = JSON.parse(readFileSync("cluster.json", "utf8"));
args.frontends.followers[1].host = pulumi.output("127.0.0.13");
new starrocks.Cluster("sr", args);
`;

/** The lines that the engine puts at the end of a preview, each once. */
const told = (outcome: Outcome, severity: "error" | "warning"): readonly string[] => {
  const [, diagnostics = ""] = outcome.stdout.split("\nDiagnostics:\n");
  return diagnostics.split("\n").flatMap((line) => {
    const [, text] = new RegExp(`^ +${severity}: (.*)$`).exec(line) ?? [];
    return text === undefined ? [] : [text];
  });
};

describe("a program that a preview refuses", () => {
  let stack: Stack;
  let server: Server;
  let dialled = 0;

  before(async () => {
    server = createServer((socket) => {
      dialled += 1;
      socket.destroy();
    });
    server.listen(0);
    await once(server, "listening");
    stack = await createStack({ program: { "index.js": program } });
  });
  after(async () => {
    server?.close();
    await stack?.close();
  });

  const args = (): Args => {
    const address = server.address();
    return {
      release: { version: "3.5.7", archive: "/nowhere/StarRocks-3.5.7.tar.gz", sha256: "5".repeat(64) },
      deployDir: "/opt/starrocks",
      connection: { user: "starrocks", password: "hunter22", port: typeof address === "object" && address?.port },
      frontends: { leader: { host: "127.0.0.11" }, followers: [{ host: "127.0.0.12" }, { host: "127.0.0.13" }] },
      backends: {
        nodes: [1, 2, 3].map((n) => ({ host: `127.0.0.2${n}`, storage: ["/disk1/starrocks"] })),
      },
    };
  };

  const preview = async (change: (args: Args) => void, text = program): Promise<Outcome> => {
    const given = args();
    change(given);
    stack.write({ "cluster.json": JSON.stringify(given), "index.js": text });
    dialled = 0;
    const outcome = await stack.start("preview").ended;
    assert.equal(dialled, 0, "a preview asks no host");
    assert.doesNotMatch(outcome.stdout + outcome.stderr, /hunter22|value \{|\n +at /, "no secret, no value, no stack");
    return outcome;
  };

  const refused: readonly {
    readonly what: string;
    readonly change: (args: Args) => void;
    readonly program?: string;
    readonly says: readonly string[];
  }[] = [
    {
      what: "an unknown argument",
      change: (args) => {
        args.relase = args.release;
      },
      says: [
        "Cluster: unknown argument `relase`; it has release, deployDir, connection, sql, frontends, backends, javaHome, direction, acceptHazards, rehearsal, rollout, limits, key",
      ],
    },
    {
      what: "an unknown argument of a node",
      change: ({ frontends }) => {
        frontends.followers[1].metadir = "/data/meta";
      },
      says: [
        "frontends.followers[1]: unknown argument `metadir`; it has host, name, address, deployDir, home, config, connection, javaHome, adopt, metaDir, ports",
      ],
    },
    {
      what: "an unknown argument among credentials, without telling them",
      change: ({ connection }) => {
        connection.knownhosts = "~/.ssh/known_hosts";
      },
      says: [
        "connection: unknown argument `knownhosts`; it has host, port, user, password, privateKey, privateKeyPassword, agentSocketPath, dialErrorLimit, perDialTimeout, dialPause, keepaliveInterval, hostKey, knownHosts, proxy, become, commandLimit",
      ],
    },
    {
      what: "a host that is not known yet, without a name",
      program: programWithoutName,
      change: () => undefined,
      says: ["frontends.followers[1].name: must be given, as `host` is not a plain string"],
    },
    {
      what: "a url without its sha256",
      change: (args) => {
        args.release = { version: "3.5.7", url: "https://releases.starrocks.io/StarRocks-3.5.7.tar.gz" };
      },
      says: ["release.sha256: must be given with `url`: nobody could tell what the hosts have downloaded"],
    },
    {
      what: "an archive that is not here and has no sha256",
      change: ({ release }) => {
        delete release.sha256;
      },
      says: [
        "release.archive: cannot be read: ENOENT: no such file or directory, access '/nowhere/StarRocks-3.5.7.tar.gz'",
      ],
    },
    {
      what: "a text that is no version",
      change: ({ release }) => {
        release.version = "v3.5.7";
      },
      says: [
        'release.version: Expected a StarRocks version such as "3.5.7", got "v3.5.7". Write it without the v: "3.5.7".',
      ],
    },
    {
      what: "a relative deployDir, and a limit that there is none of",
      change: (args) => {
        args.deployDir = "opt/starrocks";
        args.limits = { strat: 60 };
      },
      says: [
        "deployDir: must be an absolute path",
        "limits: unknown argument `strat`; it has command, transfer, unpack, start, stop, alive, turn, lease, leader, tablets, image, backup, decommission, sql, http",
      ],
    },
    {
      what: "a relative metaDir, an unknown port and an unknown argument of `sql`, all at once",
      change: (args) => {
        args.frontends.leader.metaDir = "data/meta";
        args.backends.ports = { heartbeats: 9050 };
        args.sql = { pasword: "hunter22" };
      },
      says: [
        "backends.ports: unknown argument `heartbeats`; it has be, http, heartbeat, brpc, starlet",
        "frontends.leader.metaDir: must be an absolute path",
        "sql: unknown argument `pasword`; it has user, password",
      ],
    },
    {
      what: "storage that StarRocks would misread and settings that arguments say, all at once",
      change: ({ frontends, backends }) => {
        backends.nodes[0].storage = ["disk1", "/data/sr-3.5", "/a;b", "/disk1/sr", "/disk1/sr/more"];
        backends.config = { be_http_port: "8041", sys_log_level: "INFO" };
        frontends.followers[0].config = { http_port: "8031" };
      },
      says: [
        'backends.nodes[0].storage: Storage "disk1": expected an absolute path.',
        'backends.nodes[0].storage: Storage "/data/sr-3.5": StarRocks would read the ending ".5" as the storage medium; say the medium too: { path: "/data/sr-3.5", medium: "HDD" } or "SSD".',
        `backends.nodes[0].storage: Storage "/a;b": has the character ; in it: StarRocks' scripts and conf files would not read that as one path. Expected letters, digits and . _ - + @ = only.`,
        'backends.nodes[0].storage: Storage "/disk1/sr/more" lies inside "/disk1/sr"; give each disk a folder of its own.',
        "backends.config.be_http_port: Expected be_http_port to be said by the argument `ports.http`, not in `config`.",
        "frontends.followers[0].config.http_port: Expected http_port to be said by the argument `ports.http`, not in `config`.",
      ],
    },
    {
      what: "ports, hosts and folders of which two nodes would be in each other's way, each by a line",
      change: ({ frontends, backends }) => {
        frontends.leader.ports = { query: 9020 };
        frontends.followers[0].ports = { http: 8031 };
        frontends.followers.push({ host: "127.0.0.11", name: "again" });
        backends.nodes[1] = { ...backends.nodes[0], name: "again" };
        backends.nodes[2] = { host: "127.0.0.13", storage: ["/opt/starrocks/fe/meta/tablets"], home: "/srv/be" };
        backends.nodes.push({ host: "127.0.0.11", storage: ["/disk1/sr"], ports: { heartbeat: 9010 } });
      },
      says: [
        "frontends.leader.ports.query: 9020 is also ports.rpc: each port of a node is its own",
        "frontends.followers[2].address: 127.0.0.11 has an FE already (frontends.leader): StarRocks allows one FE on a host",
        "backends.nodes[3].ports.heartbeat: 127.0.0.11:9010 is taken by frontends.leader.ports.editLog",
        "backends.nodes[1].ports: be 9060, http 8040, heartbeat 9050, brpc 8060, starlet 9070 on 127.0.0.21 are taken by backends.nodes[0]",
        "frontends.followers[0].ports.http: 8031 differs from 8030 of frontends.leader: all FEs need the same http port (--helper, heartbeat and image push use it)",
        "backends.nodes[1].home: /opt/starrocks/be on 127.0.0.21 is shared with backends.nodes[0].home (/opt/starrocks/be): each node needs folders of its own",
        "frontends.followers[1].home: /opt/starrocks/fe on 127.0.0.13 is shared with backends.nodes[2].storage[0] (/opt/starrocks/fe/meta/tablets): each node needs folders of its own",
      ],
    },
    {
      what: "data folders that hold what is the node's own, each by a line",
      change: ({ frontends, backends }) => {
        frontends.leader.metaDir = "/opt/starrocks/fe";
        backends.nodes[0].storage = ["/disk1/starrocks", "/opt/starrocks/releases"];
      },
      says: [
        "frontends.leader.metaDir: /opt/starrocks/fe is the node's own `home`: data needs a folder of its own",
        "backends.nodes[0].storage: /opt/starrocks/releases is in the way of the releases in /opt/starrocks/releases: data needs a folder of its own",
      ],
    },
    {
      what: "wrong values of how a change is made, by the cluster's arguments",
      change: (args) => {
        args.direction = "up";
        args.backends.rollout = { maxUnavailable: 0, soak: "soon" };
        args.rollout = { verify: [{ sql: "SELECT 1", expect: [1] }] };
      },
      says: [
        'backends.rollout.maxUnavailable: must be a number of nodes from 1 on, or a share such as "25%"',
        'backends.rollout.soak: must be seconds, or a text with its unit such as "90s", "5m" or "1h"',
        'direction: Invalid option: expected one of "upgrade"|"downgrade"',
        "rollout.verify[0]: expected a query, or `{ sql, expect: [[…row…]] }`",
      ],
    },
    {
      what: "an empty password",
      change: (args) => {
        args.sql = { password: "" };
      },
      says: ["sql.password: must not be empty; leave it out where root has none"],
    },
    {
      what: "a leader that is listed twice, and a single BE with three replicas of each tablet",
      change: ({ frontends, backends }) => {
        frontends.followers[0] = { host: "127.0.0.11" };
        backends.nodes.length = 1;
      },
      says: [
        "frontends.followers[0].name: `127.0.0.11` is the leader already: an FE is listed once, in one role",
        "frontends.config.default_replication_num: must be `1` with a single BE: every CREATE TABLE would ask for 3 replicas and fail",
      ],
    },
  ];

  for (const { what, change, program: text, says } of refused) {
    it(what, async () => {
      const outcome = await preview(change, text);
      assert.notEqual(outcome.exitCode, 0);
      const errors = told(outcome, "error").map((line) => line.replace(/^.* resource '.*' has a problem: /, ""));
      assert.deepEqual([...errors].sort(), [...says].sort());
    });
  }

  it("not: an even number of voting FEs, an FE and a BE on one host. It is warned of", async () => {
    const outcome = await preview(({ frontends, backends }) => {
      frontends.followers.pop();
      backends.nodes[0] = { ...backends.nodes[0], host: "127.0.0.11", name: "be-1" };
      backends.rollout = { maxUnavailable: 5 };
    });
    assert.equal(outcome.exitCode, 0, outcome.stdout);
    assert.deepEqual(told(outcome, "warning"), [
      "sql.password is not declared: root of a new cluster will have no password.",
      "2 voting FEs (leader included): an even number bears no more failures than 1. Use an odd number, 3 or more for high availability.",
      "FE and BE on one host (127.0.0.11): a busy BE can starve the FE, on whose metadata everything depends.",
      "backends.rollout.maxUnavailable: 5 spares none of 3 BEs. Only what their tablets can do without keeps them from being down together.",
    ]);
  });

  it("not: hosts, a digest and a password that only the update will know", async () => {
    const outcome = await preview(() => undefined, programWithUnknowns);
    assert.equal(outcome.exitCode, 0, outcome.stdout);
    assert.deepEqual(told(outcome, "error"), []);
    assert.match(outcome.stdout, /starrocks:FeNode +sr-fe-fe-3 +create/);
  });

  it("and nothing of all that is in the state", async () => {
    assert.equal((await stack.export()).deployment.resources, undefined);
  });
});
