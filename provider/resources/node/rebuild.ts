import { explained, UserError } from "../../error.js";
import type { BeSpec } from "../../plan/spec.js";
import { describeRisks, type TabletRisk } from "../../plan/tablets.js";
import type { Outcome } from "../../rollout/execute.js";
import { askLeader } from "../../rollout/leader.js";
import { isSteady, Steady } from "../../rollout/steady.js";
import { everyTabletElsewhere, tabletsNotWhole, tabletsOn } from "../../rollout/tablets.js";
import { ensureFolders } from "../../starrocks/folders.js";
import { readHomeMarker, writeHomeMarker } from "../../starrocks/marker.js";
import { observeProcess } from "../../starrocks/process.js";
import { backendRow } from "../../starrocks/rows.js";
import { addBackend, dropBackend } from "../../starrocks/statements.js";
import { moveToTrash } from "../../starrocks/trash.js";
import { runsVersion } from "../../starrocks/versions.js";
import { until } from "../../wait.js";
import { type Before, restore } from "./back.js";
import { BeDied } from "./be.js";
import { labelOf, type NodeContext, type Report } from "./context.js";
import { workOf } from "./kind-work.js";
import { assertMayBringUp, assertRight } from "./right.js";
import { dataPaths } from "./settings.js";
import { speaks } from "./tablets.js";
import { dataFolders } from "./works.js";

/** What the cluster knows of the BE while it still has it. */
interface Known {
  readonly id: string;
  readonly tablets: ReadonlySet<string>;
  /** Tablets that would miss its replica: none, or it is not dropped. */
  readonly risks: readonly TabletRisk[];
}

/** A rebuild that failed on its way: the BE's data is not where it was. */
export class HalfRebuilt extends UserError {}

/**
 * Gives a BE that starts with no release on its data an empty life with the old one: the cluster lets it go, its data is
 * moved aside, and its tablets are copied back from the others. Only where the others have every one of them.
 */
export const rebuild = async (
  context: NodeContext<BeSpec>,
  before: Before<BeSpec>,
  failure: unknown,
  report: Report,
): Promise<Outcome> => {
  const { host, limits, run, spec } = context;
  const old: NodeContext<BeSpec> = { ...context, spec: before.spec };
  await assertLost(context, failure);
  const { tablets } = await spared(context, report);
  // That may have taken an hour, in which somebody may have mended the BE, or taken the cluster in hand.
  await assertLost(context, failure);
  assertRight(context);
  const told: string[] = [];
  try {
    const { address, ports } = spec;
    await context.frontends.tell((sql) => dropBackend(sql, address, ports.heartbeat, {}, limits.sql));
    told.push("it was dropped from the cluster");
    await assertLost(context, failure);
    assertRight(context);
    await forgetData(old);
    const moved = await moveToTrash(host, dataPaths(spec));
    told.push(`its data was moved, not deleted, to ${moved.join(", ")}`);
    await ensureFolders(host, dataFolders(old));
    await assertMayBringUp(old);
    await restore(old, before);
    const work = workOf(old);
    // The cluster does not know it now: it is proven by itself.
    await work.note();
    await assertMayBringUp(old);
    await work.start();
    await work.prove(report);
    told.push(`${before.spec.release.version} runs on empty folders`);
    assertRight(context);
    await context.frontends.tell((sql) => addBackend(sql, address, ports.heartbeat, limits.sql));
    told.push("it was added again");
    await joined(old, report);
    await run.care?.letRepair();
    told.push(await copied(old, tablets, report));
  } catch (error) {
    throw new HalfRebuilt(
      `${explained(error).message}\nDone so far: ${told.join("; ") || "nothing"}. ` +
        "Bring it to an end with `pulumi up --refresh` once the cause is mended: it starts the BE and adds it where it is missing.",
    );
  }
  return { mark: "done", detail: told.join("; ") };
};

/** Whoever comes after a rebuild that was killed half-way must not take its empty folders for disks that are not mounted. */
const forgetData = async ({ host, spec }: NodeContext<BeSpec>): Promise<void> => {
  const marker = await readHomeMarker(host, spec.home, spec.kind);
  if (marker) {
    await writeHomeMarker(host, spec.home, { ...marker, data: [] });
  }
};

/** Data is given up only where it may be why the BE does not start: it was seen to die of nothing else, and does not run now. */
const assertLost = async ({ host, spec }: NodeContext<BeSpec>, failure: unknown): Promise<void> => {
  if (!(failure instanceof BeDied)) {
    throw new UserError("It was not seen to die on its data, so that is not given up.");
  }
  if (!failure.mayBeItsData) {
    throw new UserError(
      `Its log names another cause than its data (${failure.verdict.meaning}), so that is not given up.`,
    );
  }
  const process = await observeProcess(host, "be", spec.home);
  if (process) {
    throw new UserError(`Its process ${process.pid} runs on its data, so that is not given up.`);
  }
};

/** Waits until every tablet of the BE is whole elsewhere; what no repair can bring about is refused at once. */
const spared = async (context: NodeContext<BeSpec>, report: Report): Promise<Known> => {
  const { limits, run, spec } = context;
  return until<Known>(
    async () => {
      if (await run.isOrphaned()) {
        throw new UserError("The operation is over: nothing was dropped.");
      }
      const known = await knownOf(context);
      if (!known) {
        return { done: false, seen: "no FE answers" };
      }
      const lost = known.risks.filter(({ left }) => left === 0);
      if (lost.length > 0) {
        throw new UserError(
          `It is not dropped, as no other BE has a healthy replica of these tablets: ${describeRisks(lost)}. ` +
            "What its folders hold is all that there is of them.",
        );
      }
      return known.risks.length === 0
        ? { done: true, value: known }
        : { done: false, seen: `not whole elsewhere: ${describeRisks(known.risks)}` };
    },
    {
      what: `every tablet of ${labelOf(spec)} to have its other replicas healthy elsewhere, before it is dropped`,
      limit: limits.tablets,
      every: 500,
      onProgress: report,
      advice: "It was not dropped. Wait for the repair of these tablets (ADMIN SHOW REPLICA STATUS FROM <table>).",
    },
  );
};

const knownOf = async ({ frontends, limits, spec }: NodeContext<BeSpec>): Promise<Known | undefined> => {
  const rows = await frontends.rows();
  const row = rows && backendRow(spec, rows.backends);
  if (!rows) {
    return undefined;
  }
  if (!row) {
    return { id: "", tablets: new Set(), risks: [] };
  }
  const query = { version: speaks(rows, spec), limit: limits.sql };
  return askLeader(frontends, async (sql) => ({
    id: row.id,
    risks: await everyTabletElsewhere(sql, row.id, query),
    tablets: await tabletsOn(sql, row.id, query),
  }));
};

const joined = async ({ frontends, limits, spec }: NodeContext<BeSpec>, report: Report): Promise<void> => {
  const steady = new Steady();
  await until<void>(
    async () => {
      const rows = await frontends.rows();
      const row = rows && backendRow(spec, rows.backends);
      if (row?.alive && runsVersion(row.version, spec.release.version)) {
        return isSteady(steady, "Alive");
      }
      steady.reset();
      const missing = row ? `not Alive${row.errMsg ? `: ${row.errMsg}` : ""}` : "not in SHOW BACKENDS";
      return { done: false, seen: rows ? missing : "no FE answers" };
    },
    {
      what: `${labelOf(spec)} to be Alive with ${spec.release.version} in SHOW BACKENDS again`,
      limit: limits.alive,
      onProgress: report,
      advice: "It was added with empty folders; look at ErrMsg in SHOW BACKENDS.",
    },
  );
};

/** Waits for the cluster's own repair, as long as somebody waits for us: it goes on without us as well. */
const copied = (
  { frontends, limits, run, spec }: NodeContext<BeSpec>,
  tablets: ReadonlySet<string>,
  report: Report,
): Promise<string> =>
  until<string>(
    async () => {
      if (await run.isOrphaned()) {
        return { done: true, value: "the cluster goes on copying its tablets" };
      }
      const rows = await frontends.rows();
      const query = rows && { version: speaks(rows, spec), limit: limits.sql };
      const missing = query && (await askLeader(frontends, (sql) => tabletsNotWhole(sql, tablets, query)));
      if (!missing) {
        return { done: false, seen: "no FE answers" };
      }
      return missing.length === 0
        ? { done: true, value: `its ${tablets.size} tablets are whole again` }
        : { done: false, seen: `${missing.length} of ${tablets.size} tablets left to copy` };
    },
    {
      what: `the ${tablets.size} tablets of ${labelOf(spec)} to be whole again`,
      limit: limits.decommission,
      every: 1000,
      onProgress: report,
      advice: "The cluster goes on copying them; look at SHOW PROC '/cluster_balance'.",
    },
  );
