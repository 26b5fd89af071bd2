import { onEnd } from "../../engine/end.js";
import { progressOf } from "../../engine/log.js";
import { messageOf, UserError } from "../../error.js";
import { balancing } from "../../plan/preflight.js";
import type { NodeSpec } from "../../plan/spec.js";
import { BalancePause, balanceOptions } from "../../rollout/balance.js";
import { done, Execution, notMet, type Outcome } from "../../rollout/execute.js";
import { healthOf } from "../../rollout/health.js";
import type { Care, Run } from "../../rollout/run.js";
import { compareVersions, parseReported } from "../../starrocks/versions.js";
import { nodeId } from "../node/plan.js";
import { verifyThroughAny } from "../verify.js";
import { anyNode, type Topology } from "./topology.js";

type Report = (seen: string) => void;

/** What is done around the changes of a cluster's nodes: balancing stands still while BEs go down and come back. */
export class ClusterCare implements Care {
  readonly #run: Run;
  readonly #topology: Topology;
  #pause: BalancePause | undefined;
  #paused: Promise<void> | undefined;
  #restored: Promise<void> | undefined;

  constructor(run: Run, topology: Topology) {
    this.#run = run;
    this.#topology = topology;
  }

  async beforeStop(kind: NodeSpec["kind"]): Promise<void> {
    if (kind === "be") {
      this.#paused ??= this.#pauseNow();
      await this.#paused;
      // An FE that leads since has the values of its fe.conf.
      await this.#pause?.reapply();
    } else {
      // The edges of the program have all BEs behind them (or, in a downgrade, before them).
      await this.#restore();
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
      await this.#restore();
    }
  }

  async letCatchUp(): Promise<void> {
    await this.#pause?.allowRepair();
  }

  async holdStill(): Promise<void> {
    await this.#pause?.forbidRepair();
  }

  letRepair(): Promise<void> {
    return this.#restore();
  }

  async end(): Promise<void> {
    await this.#restore();
    const rows = this.#run.answers
      ? await anyNode(this.#topology)
          .frontends.rows()
          .catch(() => undefined)
      : undefined;
    if (rows) {
      this.#run.journal.health("after", healthOf(rows));
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
      // Also where this process ends in between.
      onEnd(() => this.#restore());
      await this.#pause.pause();
      return done;
    });
  }

  /** Once, and only what was paused here: what a pause has set before it failed as well. */
  async #restore(): Promise<void> {
    if (this.#paused) {
      const paused = this.#paused.catch(() => undefined);
      this.#restored ??= paused.then(() => this.#restoreNow());
      await this.#restored;
    }
  }

  async #restoreNow(): Promise<void> {
    try {
      await this.#execute(balancing.restored, "restore", async () =>
        (await this.#pause?.restore()) ? done : notMet("nothing was paused"),
      );
    } catch (error) {
      if (!(error instanceof UserError)) {
        throw error;
      }
      // The journal has it as failed; the saved values stay on the FE hosts for the next operation.
      this.#run.journal.note(messageOf(error));
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
