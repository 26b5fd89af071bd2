import { UserError } from "../../error.js";
import { hazardsOf } from "../../plan/paths/hazards-of.js";
import { imageBetweenHops } from "../../plan/paths/rows/jumps.js";
import type { FeSpec } from "../../plan/spec.js";
import { notMet, type Outcome } from "../../rollout/execute.js";
import { askLeader } from "../../rollout/leader.js";
import type { Run } from "../../rollout/run.js";
import { backupMeta } from "../../starrocks/meta-backup.js";
import { createImageAndWait, imagesBehind } from "../../starrocks/meta-image.js";
import { frontendRow, isRowOf } from "../../starrocks/rows.js";
import type { Frontend } from "../../starrocks/statements.js";
import { features, parseReported, type Version, versionOf } from "../../starrocks/versions.js";
import { type Look, until } from "../../wait.js";
import { isFe, labelOf, type NodeContext } from "../node/context.js";
import { feVersionOf, type Topology } from "./topology.js";

const freeBytes = (version: Version | undefined): number => (version ? features(version).metaFreeBytes : 0);

/** Milliseconds in which the leader has sent an image to the others; a big one takes its time. */
const sentWithin = 60_000;

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
        const look = await this.#writeImageOnce(report);
        // Even where the next leader wrote it: with an FE down since the gate no other one would get its turn.
        await repair();
        return look;
      },
      {
        what: "an image of the metadata to be written by an FE that goes on to lead, and to reach those that need it",
        limit: any?.limits.image ?? 0,
        onProgress: report,
        advice:
          "Nothing was stopped. Look at fe.log of the FEs: why do they not stay, and whom could the leader push the image to? " +
          `To go on with an image on the leader alone, name it: acceptHazards: ["${imageBetweenHops}"].`,
      },
    );
  };

  async #writeImageOnce(report: (seen: string) => void): Promise<Look<Outcome>> {
    const { node, row, rows } = await this.#leader();
    const version = parseReported(row.version);
    if (version && !features(version).createImage) {
      return { done: true, value: notMet(`${version.text} writes images by itself only`) };
    }
    const { host, limits, spec } = node;
    const options = { limit: limits.image, sqlLimit: limits.sql, onProgress: report };
    const written = await askLeader(node.frontends, (sql) => createImageAndWait(sql, host, spec.metaDir, options));
    if (!written) {
      return { done: false, seen: "the leader of the FE group went away, once more" };
    }
    const detail = `image.${written.image}`;
    if (!this.#wantsImageEverywhere(version?.text)) {
      return { done: true, value: { mark: "done", detail } };
    }
    const behind = await this.#behind(node, rows, written.image, report);
    return behind.length === 0
      ? { done: true, value: { mark: "done", detail: `${detail} on every FE` } }
      : { done: false, seen: `${detail} written, but ${behind.join(", ")}` };
  }

  /** Some FEs may not take the new line without the image of before; whoever has accepted the row does not wait for it. */
  #wantsImageEverywhere(from: string | undefined): boolean {
    if (this.#run.policy.acceptHazards.includes(imageBetweenHops)) {
      return false;
    }
    // An FE that has just begun to lead may not have told its version yet.
    return (
      from === undefined ||
      hazardsOf({ from, to: feVersionOf(this.#topology) }).some(({ id }) => id === imageBetweenHops)
    );
  }

  /**
   * Which FEs the image has not reached, after a while: the leader sends it once, and an FE whose journal is not so far yet
   * refuses it for good. The next image gets there. One that is not in the group gets the newest when it joins.
   */
  async #behind(
    { limits }: NodeContext,
    rows: readonly Frontend[],
    image: number,
    report: (seen: string) => void,
  ): Promise<readonly string[]> {
    const frontends = this.#topology.nodes
      .filter(isFe)
      .filter(({ spec }) => frontendRow(spec, rows)?.join)
      .map(({ host, spec }) => ({ name: labelOf(spec), host, metaDir: spec.metaDir }));
    const ends = performance.now() + Math.min(sentWithin, limits.image / 4);
    return until<readonly string[]>(
      async () => {
        const behind = await imagesBehind(frontends, image);
        return behind.length === 0 || performance.now() > ends
          ? { done: true, value: behind }
          : { done: false, seen: behind.join(", ") };
      },
      {
        what: `image.${image} of the metadata to be on every FE`,
        limit: limits.image,
        every: 500,
        onProgress: report,
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
      home: node.spec.home,
      keep: backupsKept,
      limit: node.limits.backup,
      reserve: Math.max(...[parseReported(row.version), versionOf(node.spec.release.version)].map(freeBytes)),
    });
    return { mark: "done", detail: `${path} on ${node.host.name}` };
  };

  /** The FE that leads now, wherever that is. */
  async #leader(): Promise<{
    readonly node: NodeContext<FeSpec>;
    readonly row: Frontend;
    readonly rows: readonly Frontend[];
  }> {
    const nodes = this.#topology.nodes.filter(isFe);
    const [any] = nodes;
    const rows = (await any?.frontends.rowsSoon(any.limits.leader))?.frontends ?? [];
    const row = rows.find(({ role }) => role === "leader");
    const node = row && nodes.find(({ spec }) => isRowOf(spec, row));
    if (!row || !node) {
      throw new UserError(
        `The FE group is led by ${row?.address ?? "nobody"}, which is no FE of this program: its metadata cannot be backed up. ` +
          "Declare that FE, or let a declared one lead.",
      );
    }
    return { node, row, rows };
  }
}
