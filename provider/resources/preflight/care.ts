import { onEnd } from "../../engine/end.js";
import { progressOf } from "../../engine/log.js";
import { messageOf, UserError } from "../../error.js";
import { pointNow } from "../../plan/point-of-no-return.js";
import { balancing } from "../../plan/preflight.js";
import type { NodeSpec } from "../../plan/spec.js";
import { BalancePause, balanceOptions } from "../../rollout/balance.js";
import { done, Execution, notMet, type Outcome } from "../../rollout/execute.js";
import { healthOf } from "../../rollout/health.js";
import { nodeLines } from "../../rollout/node-states.js";
import type { Care, Run } from "../../rollout/run.js";
import { isRunning } from "../../starrocks/process.js";
import { compareVersions, parseReported } from "../../starrocks/versions.js";
import { labelOf } from "../node/context.js";
import { nodeId } from "../node/plan.js";
import { verifyThroughAny } from "../verify.js";
import { nodesNow } from "./nodes-now.js";
import { startDownFrontends } from "./repair.js";
import { anyNode, type Topology } from "./topology.js";

type Report = (seen: string) => void;

/** Milliseconds for what could not be restored before, while the process ends: the lease is still to be given back. */
const lastTry = 1000;

/** What is done around the changes of a cluster's nodes: balancing stands still while BEs go down and come back. */
export class ClusterCare implements Care {
  readonly #run: Run;
  readonly #topology: Topology;
  #pause: BalancePause | undefined;
  #paused: Promise<void> | undefined;
  /** The attempt to restore that is under way, or has succeeded. */
  #restored: Promise<void> | undefined;
  #unrestored: string | undefined;

  constructor(run: Run, topology: Topology) {
    this.#run = run;
    this.#topology = topology;
  }

  async beforeStop(kind: NodeSpec["kind"]): Promise<void> {
    if (kind === "be") {
      if (!this.#run.answers) {
        return;
      }
      await this.#restored;
      this.#paused ??= this.#pauseNow();
      await this.#paused;
      await this.#pause?.reapply();
    } else {
      // The edges of the program have all BEs behind them (or, in a downgrade, before them).
      await this.#restoreOnce();
    }
  }

  async changed(spec: NodeSpec): Promise<void> {
    const ended = (node: NodeSpec): boolean => {
      const id = nodeId(node);
      const item = this.#run.items.get(id);
      return item !== undefined && (!item.stops || this.#run.journal.ended(id));
    };
    const backends = this.#topology.nodes.map((node) => node.spec).filter(({ kind }) => kind === "be");
    if (spec.kind === "be" && backends.every(ended)) {
      await this.#restoreOnce();
    }
  }

  async letCatchUp(): Promise<void> {
    // Where another operator may have the cluster, how it balances is their business.
    if (this.#run.lease?.isLost !== true) {
      await this.#pause?.allowRepair();
    }
  }

  async holdStill(): Promise<void> {
    // Since its turn it may have waited for an hour, in which an FE came to lead that has the values of its fe.conf.
    await this.#pause?.reapply();
  }

  letRepair(): Promise<void> {
    return this.#restore();
  }

  get unrestored(): string | undefined {
    return this.#unrestored;
  }

  async end(): Promise<void> {
    await this.#restore();
    await this.#recover();
    const rows = this.#run.answers
      ? await anyNode(this.#topology)
          .frontends.rows()
          .catch(() => undefined)
      : undefined;
    if (rows) {
      this.#run.journal.health("after", healthOf(rows));
    }
  }

  async now(): Promise<readonly string[]> {
    const rows = await anyNode(this.#topology)
      .frontends.rows()
      .catch(() => undefined);
    const leader = rows?.frontends.find(({ role }) => role === "leader")?.version;
    return [
      ...nodeLines(await nodesNow(this.#run, this.#topology, rows)),
      ...pointNow([...this.#run.items.values()], parseReported(leader)?.text),
    ];
  }

  async gone(kind: NodeSpec["kind"], butFor: string): Promise<readonly NodeSpec[]> {
    const asked = this.#topology.nodes.filter(({ spec }) => {
      const label = labelOf(spec);
      return spec.kind === kind && label !== butFor && !this.#run.proven.has(label);
    });
    const running = await Promise.all(asked.map(({ host, spec }) => isRunning(host, spec.kind, spec.home)));
    return asked.flatMap(({ spec }, index) => (running[index] ? [] : [spec]));
  }

  async startFrontends(butFor: string, report: Report): Promise<void> {
    const item = this.#run.items.get(butFor);
    const nodes = this.#topology.nodes.filter(({ spec }) => spec.kind === "fe" && labelOf(spec) !== butFor);
    if (item) {
      await startDownFrontends(this.#run, this.#topology, { item, report }, nodes);
    }
  }

  verify(report: Report): Promise<Outcome> {
    return verifyThroughAny(this.#topology, report);
  }

  async #pauseNow(): Promise<void> {
    await this.#execute(balancing.paused, "pause", async (report) => {
      const { frontends, limits } = anyNode(this.#topology);
      const rows = await frontends.rows();
      const versions = (rows?.frontends ?? []).flatMap(({ version }) => parseReported(version) ?? []);
      const [oldest] = versions.sort(compareVersions);
      this.#pause = new BalancePause({
        ...balanceOptions({ frontends, limits, run: this.#run }, report),
        version: oldest?.text ?? this.#topology.release.version,
      });
      // Also where this process ends in between, or could not do it before: then there is only a moment for it.
      onEnd(() => this.#restore(this.#unrestored === undefined ? undefined : lastTry));
      await this.#pause.pause();
      return done;
    });
  }

  /** Only what was paused here. What could not be restored is tried again with the next call. */
  async #restore(limit?: number): Promise<void> {
    if (this.#paused) {
      this.#restored ??= this.#restoreNow(this.#paused, limit);
      await this.#restored;
    }
  }

  /** Without another try of what is going to be tried at the end: each takes its time, and FEs wait. */
  async #restoreOnce(): Promise<void> {
    if (this.#unrestored === undefined) {
      await this.#restore();
    }
  }

  async #restoreNow(paused: Promise<void>, limit: number | undefined): Promise<void> {
    // A pause that failed half-way has its own error; what it had set must not stay.
    await paused.catch(() => undefined);
    const restored = await this.#attempt(() =>
      this.#execute(balancing.restored, "restore", async () =>
        (await this.#pause?.restore(limit)) ? done : notMet("nothing was paused"),
      ),
    );
    this.#restored = undefined;
    if (restored) {
      // A BE that is changed once more is behind a pause of its own.
      this.#paused = undefined;
    }
  }

  /** What an interrupted operation had left, and could not be restored at the beginning of this one as no FE answered. */
  async #recover(): Promise<void> {
    if (this.#run.leftPaused) {
      const { frontends, limits } = anyNode(this.#topology);
      const run = this.#run;
      await this.#attempt(async () => {
        const { mark } = await BalancePause.recover(balanceOptions({ frontends, limits, run }, () => undefined));
        if (mark === "left") {
          throw new UserError(
            "Balancing is still paused by an interrupted operation: no FE answers. The next operation on this cluster restores it.",
          );
        }
        run.leftPaused = false;
      });
    }
  }

  /** Whether it was done; if not, the saved values stay on the FE hosts. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#unrestored = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof UserError)) {
        throw error;
      }
      this.#unrestored = messageOf(error);
      this.#run.journal.note(this.#unrestored);
      return false;
    }
  }

  async #execute(
    item: (typeof balancing)[keyof typeof balancing],
    verb: "pause" | "restore",
    work: (report: Report) => Promise<Outcome>,
  ): Promise<void> {
    const { journal, answers } = this.#run;
    const act = async (): Promise<Outcome> => (answers ? work(execution.report) : notMet("there is no cluster yet"));
    const execution: Execution = new Execution(item, { [verb]: act }, journal, progressOf(this.#topology.clusterUrn));
    await execution.run();
  }
}
