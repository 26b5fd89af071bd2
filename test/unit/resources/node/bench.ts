import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TransientError } from "../../../../provider/error.js";
import { UnreachableError } from "../../../../provider/host/errors.js";
import type { Host } from "../../../../provider/host/types.js";
import { limitsOf } from "../../../../provider/plan/limits.js";
import { type Action, decide } from "../../../../provider/plan/node.js";
import type { BeSpec } from "../../../../provider/plan/spec.js";
import type { NodeContext } from "../../../../provider/resources/node/context.js";
import { converge } from "../../../../provider/resources/node/converge.js";
import { nodeItem } from "../../../../provider/resources/node/plan.js";
import { type ClusterRows, Frontends } from "../../../../provider/rollout/frontends.js";
import { Run } from "../../../../provider/rollout/run.js";
import { stageRelease } from "../../../../provider/starrocks/release.js";
import type { Backend, Frontend } from "../../../../provider/starrocks/show.js";
import type { Row, Sql } from "../../../../provider/starrocks/sql.js";
import { type BuiltRelease, buildRelease, type ReleaseOptions } from "../../../simulator/release.js";
import { be, fe } from "../../plan/specs.js";
import { localHost } from "../../starrocks/local-host.js";
import { killQuietly, processesOf } from "../../starrocks/toy.js";

/** A host whose connection can be lost. */
export interface CutHost extends Host {
  /** How often a start script was run. */
  readonly starts: number;
  /** Loses the connection during the next command of this label; the command goes on there. It is back after so many refusals. */
  cutAt(label: RegExp, refusals: number): void;
}

const cutHost = (): CutHost => {
  const local = localHost();
  let cut: { readonly label: RegExp; readonly refusals: number } | undefined;
  let refusals = 0;
  let starts = 0;
  const guarded =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (refusals > 0) {
        refusals -= 1;
        throw new TransientError("be: connection refused");
      }
      return call(...args);
    };
  return {
    ...local,
    name: "be",
    get starts() {
      return starts;
    },
    run: guarded(local.run),
    readFile: guarded(local.readFile),
    writeFile: guarded(local.writeFile),
    script: guarded(async (text, args, options) => {
      starts += options?.label?.startsWith("start of") ? 1 : 0;
      if (!cut?.label.test(options?.label ?? "")) {
        return local.script(text, args, options);
      }
      refusals = cut.refusals;
      cut = undefined;
      void local.script(text, args, options).catch(() => undefined);
      throw new UnreachableError("be: the connection was lost", "lost");
    }),
    cutAt: (label, count) => {
      cut = { label, refusals: count };
    },
  };
};

let benches = 0;

/** The row of the one FE that tests declare. */
export const leader: Frontend = {
  name: "fe-1",
  address: "10.0.0.11",
  editLogPort: 9010,
  httpPort: 8030,
  queryPort: 9030,
  role: "leader",
  join: true,
  alive: true,
  errMsg: "",
  rpcPort: 9020,
  replayedJournalId: 1,
  clusterId: "1",
  version: "3.5.7-d2da301",
};

/** A row of SHOW BACKENDS. */
const shown = (backend: Backend): Row => ({
  BackendId: backend.id,
  IP: backend.address,
  HeartbeatPort: String(backend.heartbeatPort),
  BePort: String(backend.bePort),
  HttpPort: String(backend.httpPort),
  BrpcPort: String(backend.brpcPort),
  Alive: String(backend.alive),
  SystemDecommissioned: String(backend.decommissioned),
  Version: backend.version ?? "",
  LastStartTime: backend.lastStartTime ?? "",
  Status: `{"lastSuccessReportTabletsTime":"${backend.tabletReport ?? "N/A"}"}`,
});

/** One BE of a simulated release on this machine, and what the work on it needs: no SSH, and no FE but what a test says. */
export class BeBench {
  readonly host = cutHost();
  readonly run = new Run(`bench-${process.pid}-${benches}`);
  readonly folder = mkdtempSync(join(tmpdir(), "be-bench-"));
  readonly address: string;
  /** What the cluster says; undefined: no FE answers. */
  rows: (() => ClusterRows) | undefined;
  /** Statements that a declared FE was given. */
  readonly statements: string[] = [];
  /** What it answers; what it says of BEs by default. */
  answer = (statement: string): readonly Row[] =>
    statement === "SHOW BACKENDS" ? (this.rows?.().backends ?? []).map(shown) : [];
  readonly #cwd = process.cwd();

  constructor() {
    benches += 1;
    this.address = `127.${50 + (process.pid % 150)}.77.${benches}`;
    // The journal is written there.
    process.chdir(this.folder);
  }

  /** A release, staged on the host. */
  async release(version: string, habits: ReleaseOptions["be"] = {}): Promise<{ id: string; version: string }> {
    const options = { startDelayMs: 0, stopDelayMs: 50, openFilesLimit: 65_535, ...habits.options };
    const directory = mkdtempSync(join(this.folder, "archive-"));
    const built: BuiltRelease = await buildRelease({ version, directory, parts: ["be"], be: { ...habits, options } });
    const id = `${version}-${built.sha256.slice(0, 12)}`;
    await stageRelease(this.host, {
      deployDir: join(this.folder, "opt"),
      releaseId: id,
      version,
      sha256: built.sha256,
      source: { archive: built.archive },
      parts: ["be"],
    });
    return { id, version };
  }

  spec(release: { readonly id: string; readonly version: string }, fields: Record<string, unknown> = {}): BeSpec {
    return be({
      cluster: this.run.cluster,
      address: this.address,
      deployDir: join(this.folder, "opt"),
      storage: [join(this.folder, "disk")],
      release,
      ...fields,
    });
  }

  context(spec: BeSpec): NodeContext<BeSpec> {
    const limits = limitsOf({ start: 5, stop: 10, alive: 5, leader: 1, tablets: 5 });
    const contacts = [{ ...fe({ address: leader.address }), connection: {} }];
    const frontends = new Frontends({
      cluster: "lab",
      contacts,
      connection: { host: "none" },
      sql: { user: "root" },
      limits,
    });
    const sql: Sql = {
      name: "the leader",
      query: async (statement) => {
        this.statements.push(statement);
        return this.answer(statement);
      },
      table: async () => [],
      close: () => undefined,
    };
    Object.assign(frontends, {
      rows: async () => this.rows?.(),
      rowsSoon: async () => this.rows?.(),
      through: async () => sql,
      tell: async (statement: (sql: Sql) => Promise<unknown>) => statement(sql),
    });
    return {
      spec,
      frontends,
      limits,
      host: this.host,
      run: this.run,
      position: 0,
      preflight: undefined,
      progress: () => undefined,
      urn: undefined,
      secrets: [],
    };
  }

  /** Brings the BE from what is recorded to what is declared. */
  async bring(recorded: BeSpec | undefined, declared: BeSpec, action = this.action(recorded, declared)): Promise<void> {
    const context = this.context(declared);
    const item = nodeItem(action, declared, this.run.placeOf(declared, 0));
    await converge(context, action, item, async () => undefined, recorded);
  }

  /** The row of a BE that is well. */
  rowOf(version: string, more: Partial<Backend> = {}): Backend {
    const ports = { heartbeatPort: 9050, bePort: 9060, httpPort: 8040, brpcPort: 8060 };
    const state = { alive: true, decommissioned: false, tabletNum: 0, errMsg: "", version };
    return {
      id: "10001",
      address: this.address,
      ...ports,
      ...state,
      lastStartTime: `2026-11-22 20:00:${10 + this.host.starts}`,
      tabletReport: `2026-11-22 20:00:${10 + this.host.starts}`,
      ...more,
    };
  }

  action(recorded: BeSpec | undefined, declared: BeSpec): Action {
    return decide(recorded && { spec: recorded, status: "running" }, declared);
  }

  /** Ends what still runs. */
  close(): void {
    process.chdir(this.#cwd);
    for (const pid of processesOf(this.folder)) {
      killQuietly(pid);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
