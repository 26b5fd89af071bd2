import { warn } from "../../engine/log.js";
import { messageOf, UserError } from "../../error.js";
import { UnreachableError } from "../../host/errors.js";
import type { NodeSpec } from "../../plan/spec.js";
import { notMet, type Outcome, skipped, type Work } from "../../rollout/execute.js";
import type { ClusterRows } from "../../rollout/frontends.js";
import { nodeRow } from "../../starrocks/rows.js";
import { describeStop, stopProcess } from "../../starrocks/stop.js";
import { otherOwner } from "../owner.js";
import { labelOf, type NodeContext } from "./context.js";
import { ownerOf } from "./data.js";
import { trashData } from "./trash.js";

/** How a node is stopped for good, on a host that may be gone for ever. */
export const removalWorks = (context: NodeContext): Readonly<Record<"stop" | "trash", Work>> => {
  const { host, spec } = context;
  let lost = false;
  let asked: Promise<string | undefined> | undefined;
  const unlessLost =
    (unproven: string, work: () => Promise<Outcome>): Work =>
    async () => {
      if (lost) {
        return notMet("its host is lost");
      }
      try {
        asked ??= otherOwner(host, spec.home, ownerOf(spec));
        const owner = await asked;
        return owner === undefined ? await work() : skipped(`its home is ${owner}'s now`);
      } catch (error) {
        if (!(error instanceof UnreachableError)) {
          throw error;
        }
        await assertLetGo(context, error, unproven);
        lost = true;
        return skipped("its host cannot be reached, and the cluster let it go");
      }
    };
  return {
    stop: unlessLost("that its process is gone", () => stopForGood(context)),
    trash: unlessLost("whether its data was to be moved away", () => trashData(context)),
  };
};

const stopForGood = async ({ host, limits, spec }: NodeContext): Promise<Outcome> => {
  const result = await stopProcess(host, spec.kind, spec.home, {
    // A leader that hands over and an FE that drains take 15 s each; here the whole group goes, or this one was dropped.
    graceful: spec.kind === "be",
    timeoutSeconds: limits.stop / 1000,
    version: spec.release.version,
  });
  return { mark: "done", detail: describeStop(result) };
};

/** Only a node that the cluster does without may be forgotten unseen: what it holds is elsewhere, and what it runs is nobody's. */
const assertLetGo = async (context: NodeContext, error: UnreachableError, unproven: string): Promise<void> => {
  const { frontends, host, spec, urn } = context;
  const label = labelOf(spec);
  const rows = await frontends.rows().catch(() => undefined);
  if (!rows || knows(rows, spec)) {
    throw new UserError(
      `${label} cannot be removed, as its host cannot be reached: ${messageOf(error)}\n` +
        `Not proven: ${unproven}. ${rows ? "Its cluster still has it." : "No FE answers that could tell whether the cluster still has it."} ` +
        `Bring ${host.name} back and run the same again. If it is gone for ever: ` +
        `\`pulumi state delete '${urn ?? "the node's URN"}'\` forgets the node (and nothing else), then run the same again.`,
      { cause: error },
    );
  }
  await warn(
    urn,
    `${label} is removed, as its cluster let it go, but its host cannot be reached: ${messageOf(error)} Not proven: ${unproven}. ` +
      `Should ${host.name} come back, stop what runs from ${spec.home} and move its data away before a node is declared there again.`,
  );
};

const knows = (rows: ClusterRows, spec: NodeSpec): boolean => nodeRow(spec, rows) !== undefined;
