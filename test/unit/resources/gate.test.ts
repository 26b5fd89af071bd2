import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../../provider/host/types.js";
import { limitsOf } from "../../../provider/plan/limits.js";
import type { Action } from "../../../provider/plan/node.js";
import { defaultPolicy, type Policy } from "../../../provider/plan/policy.js";
import type { NodeSpec } from "../../../provider/plan/spec.js";
import type { NodeContext } from "../../../provider/resources/node/context.js";
import { nodeId, nodeItem } from "../../../provider/resources/node/plan.js";
import { declare, gateOf } from "../../../provider/resources/preflight/gate.js";
import type { Topology } from "../../../provider/resources/preflight/topology.js";
import type { ClusterRows } from "../../../provider/rollout/frontends.js";
import { Run } from "../../../provider/rollout/run.js";
import { markerFile } from "../../../provider/starrocks/layout.js";
import type { Row, Sql } from "../../../provider/starrocks/sql.js";
import type { Backend, Frontend } from "../../../provider/starrocks/statements.js";
import { be, fe } from "../plan/specs.js";
import { inFolder, linesOf } from "../rollout/items.js";
import { localHost } from "../starrocks/local-host.js";

const old = { id: "3.4.5-aaaaaaaaaaaa", version: "3.4.5" };
const next = { id: "3.5.7-bbbbbbbbbbbb", version: "3.5.7" };
const early = { id: "3.0.9-cccccccccccc", version: "3.0.9" };

/** What is otherwise than in a cluster of 3.4.5 that is well, and is to be changed to 3.5.7. */
interface Wrong {
  readonly frontend?: Partial<Frontend>;
  readonly backend?: Partial<Backend>;
  /** BEs that the cluster has besides. */
  readonly others?: readonly Backend[];
  /** Seconds by which the clock of the BE's host is ahead. */
  readonly clock?: number;
  readonly policy?: Partial<Policy>;
  /** What SHOW DATABASES says. */
  readonly databases?: readonly Row[];
  /** Whether nothing is on the host of the BE any more. */
  readonly emptied?: boolean;
  /** The version that the home of the BE says it was proven on. */
  readonly proven?: string;
  readonly declared?: NodeSpec["release"];
  /** The release of the BE in the state, which the plan changes. */
  readonly recorded?: NodeSpec["release"];
}

const backend = (fields: Partial<Backend> = {}): Backend => ({
  id: "10001",
  address: "10.0.0.21",
  heartbeatPort: 9050,
  bePort: 9060,
  httpPort: 8040,
  brpcPort: 8060,
  alive: true,
  decommissioned: false,
  tabletNum: 0,
  version: "3.4.5-0123abc",
  errMsg: "",
  ...fields,
});

const frontend = (fields: Partial<Frontend> = {}): Frontend => ({
  name: "fe-1",
  address: "10.0.0.11",
  editLogPort: 9010,
  httpPort: 8030,
  queryPort: 9030,
  rpcPort: 9020,
  replayedJournalId: 1,
  clusterId: "7",
  role: "leader",
  join: true,
  alive: true,
  version: "3.4.5-0123abc",
  errMsg: "",
  ...fields,
});

describe("the gate before the first stop", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-gate-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** The cluster's rows and answers, and homes on this machine in which nothing runs. */
  const clusterOf = (wrong: Wrong, place = mkdtempSync(join(folder, "cluster-"))) => {
    const home = (name: string): string => join(place, name);
    const meta = join(place, "meta");
    mkdirSync(join(meta, "image"), { recursive: true });
    mkdirSync(join(meta, "bdb"), { recursive: true });
    writeFileSync(join(meta, "image/VERSION"), "clusterId=7\n");
    writeFileSync(join(meta, "image/ROLE"), "role=FOLLOWER\n");
    writeFileSync(join(meta, "bdb/00000000.jdb"), "log");
    const release = wrong.declared ?? next;
    const specs: readonly NodeSpec[] = [
      fe({ home: home("fe"), deployDir: place, metaDir: meta, release }),
      be({ home: home("be"), deployDir: place, storage: [join(place, "storage")], release }),
    ];
    for (const { home: path, kind, name, cluster } of specs) {
      if (kind === "be" && wrong.emptied) {
        continue;
      }
      mkdirSync(join(path, "views", old.id), { recursive: true });
      rmSync(join(path, "current"), { force: true });
      symlinkSync(join("views", old.id), join(path, "current"));
      if (kind === "be" && wrong.proven !== undefined) {
        const releases = [{ ...old, version: wrong.proven, at: "" }];
        const left = { how: "dropped", at: "" };
        writeFileSync(join(path, markerFile), JSON.stringify({ schema: 1, cluster, node: name, kind, releases, left }));
      }
    }
    const rows: ClusterRows = {
      frontends: [frontend(wrong.frontend)],
      backends: [backend(wrong.backend), ...(wrong.others ?? [])],
    };
    const sql: Sql = {
      name: "fe-1",
      query: async (statement) => (/^SHOW DATABASES/.test(statement) ? (wrong.databases ?? []) : []),
      table: async () => [],
      close: () => undefined,
    };
    const frontends = {
      contacts: [{ name: "fe-1", address: "10.0.0.11", role: "leader", ports: { editLog: 9010 } }],
      rows: async () => rows,
      rowsSoon: async () => rows,
      ask: async (question: (sql: Sql) => Promise<unknown>) => question(sql),
      through: async () => sql,
      forget: () => undefined,
    };
    const run = new Run("analytics");
    const policy = { ...defaultPolicy, ...wrong.policy };
    run.declare({ nodes: specs, policy, maxUnavailable: 1 });
    const nodes = specs.map((spec, position): NodeContext => {
      const local = localHost();
      const ahead = spec.kind === "be" ? (wrong.clock ?? 0) : 0;
      const host: Host = {
        ...local,
        run: async (command, options) =>
          command[0] === "date"
            ? { code: 0, stdout: String(Date.now() / 1000 + ahead), stderr: "" }
            : local.run(command, options),
      };
      const limits = { ...limitsOf({}), alive: 0, leader: 0, tablets: 0 };
      return {
        spec,
        host,
        run,
        limits,
        position,
        frontends: frontends as unknown as NodeContext["frontends"],
        preflight: "this",
        progress: () => undefined,
        urn: undefined,
        secrets: [],
      };
    });
    const topology: Topology = {
      cluster: "analytics",
      release,
      maxUnavailable: 1,
      policy,
      nodes,
      position: 0,
      urn: undefined,
      clusterUrn: undefined,
    };
    return { place, run, topology };
  };

  const pass = async (wrong: Wrong, at?: string) => {
    const { run, topology } = clusterOf(wrong, at);
    await run.once("inspect", async () => undefined);
    declare(run, topology);
    const stopping = topology.nodes.find(({ spec }) => spec.name === "be-1");
    assert.ok(stopping);
    for (const { spec } of topology.nodes) {
      const action: Action =
        spec.kind === "be" && wrong.recorded
          ? { type: "version", from: wrong.recorded, to: spec.release, fields: [] }
          : { type: "none" };
      run.items.set(nodeId(spec), nodeItem(action, spec, run.placeOf(spec, 0)));
    }
    await gateOf(stopping)("BE be-1", () => undefined);
    return { run };
  };

  const decommissioned = backend({ id: "10002", address: "10.0.0.29", decommissioned: true });
  // A line that writes images by itself only.
  const well = {
    frontend: { version: "2.5.1-0123abc" },
    backend: { version: "2.5.1-0123abc" },
    declared: { id: "2.5.2-dddddddddddd", version: "2.5.2" },
  };

  it("has the leader's metadata copied beside it before a change of version; the last three copies are kept", () =>
    inFolder(async () => {
      const { place } = clusterOf(well);
      for (const _ of [1, 2, 3, 4]) {
        await pass(well, place);
      }
      const backups = readdirSync(place).filter((name) => name.startsWith("meta-backup-"));
      assert.equal(backups.length, 3);
      for (const name of backups) {
        const files = readdirSync(join(place, name)).sort();
        assert.deepEqual(files, [".pulumi-starrocks-backup", "bdb", "image", "manifest.sha256"]);
      }
    }));

  it("opens to a node that somebody switched to another release, once a refresh has recorded that", () =>
    inFolder(async () => {
      const recorded = { id: "2.5.1-aaaaaaaaaaaa", version: "2.5.1" };
      await pass({ ...well, proven: "2.5.2", recorded });
      await assert.rejects(pass({ ...well, proven: "2.5.2" }), /BE be-1 runs 2\.5\.1-0123abc, expected is 2\.5\.2\./);
    }));

  it("opens in spite of a decommission that the user takes, of whatever size the change is", () =>
    inFolder(async () => {
      const policy = { acceptHazards: ["decommission-under-way"] };
      const { run } = await pass({ ...well, policy, others: [decommissioned] });
      const notes = linesOf(run.journal.path).flatMap(({ note }) => note ?? []);
      assert.deepEqual(notes, ["accepted decommission-under-way: BE 10.0.0.29:9050 is being decommissioned"]);
    }));

  const refusals: readonly { readonly what: string; readonly wrong: Wrong; readonly says: RegExp }[] = [
    {
      what: "clocks that are apart, those of BEs too",
      wrong: { clock: 60 },
      says: /The clock of BE be-1 is 60 s ahead of that of FE fe-1/,
    },
    {
      what: "a BE that is being decommissioned, for which it names the hazard",
      wrong: { others: [decommissioned] },
      says: /BE 10\.0\.0\.29:9050 is being decommissioned: .* Source: upgrade\.md and downgrade\.md.*\. To do it nevertheless.*acceptHazards: \["decommission-under-way"\]/,
    },
    {
      what: "a BE that is not declared and not Alive",
      wrong: { others: [backend({ id: "10002", address: "10.0.0.29", alive: false })] },
      says: /last seen: BE 10\.0\.0\.29:9050 not Alive\. Nothing was stopped\. Bring the nodes named here back/,
    },
    {
      what: "a declared BE of which nothing is on its host any more, and tells at once what brings it back",
      wrong: { emptied: true, backend: { alive: false } },
      says: /Nothing of BE be-1 is on \S+ any more \(\S+ holds no marker\), but its cluster has it, not Alive: .* Nothing was stopped\. First run `pulumi up --refresh` with the program as it was, .* then this change\.$/m,
    },
    {
      what: "versions of which there is no way to the declared one",
      wrong: { frontend: { version: "2.4.1-0123abc" }, backend: { version: "2.4.1-0123abc" } },
      says: /2\.4\.1 → 3\.5\.7: 3\.0 and later take over only clusters of 2\.5.*acceptHazards: \["only-2-5-to-3-0"\]/,
    },
    {
      what: "what it finds in the cluster that stands in the way",
      wrong: { ...well, declared: early, databases: [{ Database: "starrocks" }] },
      says: /Found: `starrocks` in SHOW DATABASES\. .*acceptHazards: \["database-named-starrocks"\]/,
    },
    {
      what: "a node of a version that neither its home nor the program names",
      wrong: { proven: "3.4.5", backend: { version: "3.4.4-0123abc" } },
      says: /last seen: BE be-1 runs 3\.4\.4-0123abc, expected is 3\.4\.5 or 3\.5\.7\. Nothing was stopped\. .*`pulumi up --refresh`/,
    },
    {
      what: "an FE that has metadata and was dropped from the group",
      wrong: { frontend: { address: "10.0.0.19" } },
      says: /FE fe-1 on \S+ has metadata, but SHOW FRONTENDS does not list it: somebody has dropped it\. Nothing was stopped\./,
    },
    {
      what: "a newer version that runs, whatever is recorded",
      wrong: { frontend: { version: "4.0.1-0123abc" } },
      says: /3\.5\.7 is older than 4\.0\.1, which FEs of this cluster run/,
    },
  ];

  for (const { says, what, wrong } of refusals) {
    it(`is closed by ${what}`, () =>
      inFolder(async () => {
        await assert.rejects(pass(wrong), says);
      }));
  }
});
