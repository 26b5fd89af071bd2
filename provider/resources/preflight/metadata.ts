import { UserError } from "../../error.js";
import { hazardsOf } from "../../plan/paths/hazards-of.js";
import { imageBetweenHops } from "../../plan/paths/rows/jumps.js";
import type { FeSpec } from "../../plan/spec.js";
import { notMet, type Outcome } from "../../rollout/execute.js";
import { askLeader } from "../../rollout/leader.js";
import type { Run } from "../../rollout/run.js";
import { backupMeta } from "../../starrocks/meta-backup.js";
import { createImageAndWait, imagesBehind } from "../../starrocks/meta-image.js";
import { isRowOf } from "../../starrocks/rows.js";
import type { Frontend } from "../../starrocks/statements.js";
import { features, parseReported, type Version, versionOf } from "../../starrocks/versions.js";
import { until } from "../../wait.js";
import { isFe, labelOf, type NodeContext } from "../node/context.js";
import { feVersionOf, type Topology } from "./topology.js";

const freeBytes = (version: Version | undefined): number => (version ? features(version).metaFreeBytes : 0);

/** Backups of the leader's metadata that are kept on its host. */
const backupsKept = 3;

/** The group's metadata before a version change: written out as an image, and copied. */
export class Metadata {
  readonly #run: Run;
  readonly #topology: Topology;

  constructor(run: Run, topology: Topology) {
    this.#run = run;
    this.#topology = topology;
  }

  /** `repair` starts the FEs again that went down meanwhile: with one of them the leader may have gone. */
  readonly writeImage = async (report: (seen: string) => void, repair: () => Promise<unknown>): Promise<Outcome> => {
    if (!this.#run.answers) {
      return notMet("there is no cluster yet");
    }
    const [any] = this.#topology.nodes;
    return until<Outcome>(
      async () => {
        const outcome = await this.#writeImageOnce(report);
        // Even where the next leader wrote it: with an FE down since the gate no other one would get its turn.
        await repair();
        return outcome
          ? { done: true, value: outcome }
          : { done: false, seen: "the leader of the FE group went away, once more" };
      },
      {
        what: "an image of the metadata to be written by an FE that goes on to lead",
        limit: any?.limits.image ?? 0,
        onProgress: report,
        advice: "Nothing was stopped. Look at fe.log of the FEs: why do they not stay?",
      },
    );
  };

  /** Undefined when the leader went away meanwhile. */
  async #writeImageOnce(report: (seen: string) => void): Promise<Outcome | undefined> {
    const { node, row } = await this.#leader();
    const version = parseReported(row.version);
    if (version && !features(version).createImage) {
      return notMet(`${version.text} writes images by itself only`);
    }
    const { host, limits, spec } = node;
    const options = { limit: limits.image, sqlLimit: limits.sql, onProgress: report };
    const written = await askLeader(node.frontends, (sql) => createImageAndWait(sql, host, spec.metaDir, options));
    if (!written) {
      return undefined;
    }
    const detail = `image.${written.image}`;
    if (!version || !this.#wantsImageEverywhere(version.text)) {
      return { mark: "done", detail };
    }
    await this.#reachesAll(node, written.image, report);
    return { mark: "done", detail: `${detail} on every FE` };
  }

  /** Some FEs may not take the new line without the image of before; whoever has accepted the row does not wait for it. */
  #wantsImageEverywhere(from: string): boolean {
    const rows = hazardsOf({ from, to: feVersionOf(this.#topology) });
    return rows.some(({ id }) => id === imageBetweenHops) && !this.#run.policy.acceptHazards.includes(imageBetweenHops);
  }

  /** The leader sends its image to the others after it has written it, once. */
  async #reachesAll({ limits }: NodeContext, image: number, report: (seen: string) => void): Promise<void> {
    const frontends = this.#topology.nodes
      .filter(isFe)
      .map(({ host, spec }) => ({ name: labelOf(spec), host, metaDir: spec.metaDir }));
    await until<void>(
      async () => {
        const behind = await imagesBehind(frontends, image);
        return behind.length === 0 ? { done: true, value: undefined } : { done: false, seen: behind.join(", ") };
      },
      {
        what: `image.${image} of the metadata to be on every FE`,
        limit: limits.image,
        every: 500,
        onProgress: report,
        advice:
          "Nothing was stopped. The leader's fe.log says whom it could push the image to; `pulumi up` has another one written. " +
          `To go on without, name it: acceptHazards: ["${imageBetweenHops}"].`,
      },
    );
  }

  readonly backUp = async (report: (seen: string) => void): Promise<Outcome> => {
    if (!this.#run.answers) {
      return notMet("there is no cluster yet");
    }
    const { node, row } = await this.#leader();
    report(`of ${labelOf(node.spec)}`);
    const { path } = await backupMeta(node.host, node.spec.metaDir, {
      keep: backupsKept,
      limit: node.limits.backup,
      reserve: Math.max(...[parseReported(row.version), versionOf(node.spec.release.version)].map(freeBytes)),
    });
    return { mark: "done", detail: `${path} on ${node.host.name}` };
  };

  /** The FE that leads now, wherever that is. */
  async #leader(): Promise<{ readonly node: NodeContext<FeSpec>; readonly row: Frontend }> {
    const nodes = this.#topology.nodes.filter(isFe);
    const [any] = nodes;
    const rows = await any?.frontends.rowsSoon(any.limits.leader);
    const row = rows?.frontends.find(({ role }) => role === "leader");
    const node = row && nodes.find(({ spec }) => isRowOf(spec, row));
    if (!row || !node) {
      throw new UserError(
        `The FE group is led by ${row?.address ?? "nobody"}, which is no FE of this program: its metadata cannot be backed up. ` +
          "Declare that FE, or let a declared one lead.",
      );
    }
    return { node, row };
  }
}
