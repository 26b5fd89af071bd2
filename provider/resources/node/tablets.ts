import { UserError } from "../../error.js";
import type { BeSpec } from "../../plan/spec.js";
import { describeRisks, describeUnavoidable, type Verdict } from "../../plan/tablets.js";
import { done, notMet, type Outcome } from "../../rollout/execute.js";
import type { ClusterRows } from "../../rollout/frontends.js";
import { askLeader } from "../../rollout/leader.js";
import { healedSince, tabletsWithout } from "../../rollout/tablets.js";
import { backendName, backendRow } from "../../starrocks/rows.js";
import { parseReported, type Version, versionOf } from "../../starrocks/versions.js";
import { type Look, until } from "../../wait.js";
import { labelOf, type NodeContext, type Report, type StopAsked } from "./context.js";
import { assertRight } from "./right.js";

/** What the FEs run decides which questions they understand. */
export const speaks = (rows: ClusterRows, spec: BeSpec): Version => {
  const leader = rows.frontends.find(({ role }) => role === "leader");
  return parseReported(leader?.version) ?? versionOf(spec.release.version);
};

/**
 * Waits until every tablet can do without this BE, as far as its table's own replication lets it. Those that never can
 * are told, or refused where the user wants that.
 */
export const tabletsAllow = async (
  context: NodeContext<BeSpec>,
  report: Report,
  { down: known = [], failed }: StopAsked = {},
): Promise<Outcome> => {
  const { frontends, limits, run, spec } = context;
  if (!run.answers && !failed) {
    return notMet("there is no cluster yet");
  }
  const own = backendName({ address: spec.address, heartbeatPort: spec.ports.heartbeat });
  run.letStop.delete(own);
  const lookOnce = async (): Promise<Look<Pick<Verdict, "unavoidable">>> => {
    // An hour is long: nobody may want it any more, or another node may have failed.
    await (failed ? assertRight(context) : run.assertGoing(labelOf(spec)));
    if (await failed?.isGone()) {
      return { done: true, value: { unavoidable: [] } };
    }
    const rows = await frontends.rows();
    const row = rows && backendRow(spec, rows.backends);
    if (!rows) {
      return { done: false, seen: "no FE answers" };
    }
    if (!row) {
      return { done: true, value: { unavoidable: [] } };
    }
    // Two that have their turns together and only wait must not wait for each other.
    const stopping = run.backends.rows.filter((name) => name !== own && run.letStop.has(name));
    const others = [...stopping, ...known];
    const down = rows.backends.filter((one) => others.includes(backendName(one)));
    const verdict = await askLeader(frontends, (sql) =>
      tabletsWithout(sql, {
        leaving: [row.id],
        down: down.map(({ id }) => id),
        version: speaks(rows, spec),
        limit: limits.sql,
      }),
    );
    if (!verdict) {
      return { done: false, seen: "no FE answers" };
    }
    if (verdict.waiting.length > 0) {
      if (failed) {
        await assertAwaited(context);
      }
      // While another BE is down, or may be stopped at any moment, its replicas would be made anew elsewhere.
      if (others.length === 0 && rows.backends.every(({ alive }) => alive)) {
        await run.care?.letCatchUp();
      }
      return { done: false, seen: `waiting for tablets: ${describeRisks(verdict.waiting)}` };
    }
    await run.care?.holdStill();
    run.letStop.add(own);
    return { done: true, value: verdict };
  };
  const { unavoidable } = await until<Pick<Verdict, "unavoidable">>(() => run.askingToStop.run(lookOnce), {
    what: `every tablet to be safe without ${labelOf(spec)}`,
    limit: limits.tablets,
    every: 500,
    onProgress: report,
    advice:
      "It was not stopped: these tablets would lose more than their tables' replication allows. Wait for their repair " +
      "(ADMIN SHOW REPLICA STATUS FROM <table>), or raise `limits.tablets`.",
  });
  if (unavoidable.length === 0) {
    return done;
  }
  const tables = describeUnavoidable(unavoidable);
  if (run.policy.singleReplicaTables === "refuse" && !failed) {
    throw new UserError(
      `${labelOf(spec)} is not stopped, as \`singleReplicaTables\` is "refuse" and these tables cannot do without it: ${tables}. ` +
        "Raise their replication_num, or let them be reported.",
    );
  }
  run.unavoidable(unavoidable);
  return { mark: "done", detail: `while it is down ${tables}` };
};

/** It runs as it is, and is left so where nobody waits for the operation any more. */
const assertAwaited = async ({ run, spec }: NodeContext): Promise<void> => {
  const reason = await run.unwanted();
  if (reason !== undefined) {
    throw new UserError(`Tablets cannot do without ${labelOf(spec)} now, and ${reason}`);
  }
};

/** Waits until a BE that was restarted serves its tablets again: then the next one may go. */
export const tabletsHealed = async (
  context: NodeContext<BeSpec>,
  reportBefore: string | undefined,
  /** Fails where the BE has died meanwhile: its tablets would be waited for in vain. */
  assertWell: () => Promise<void>,
  report: Report,
): Promise<Outcome> => {
  const { frontends, limits, run, spec } = context;
  // One that was found down had no gate, which looks for a cluster.
  if (!(run.answers || (await frontends.rows()))) {
    return notMet("there is no cluster yet");
  }
  return until<Outcome>(
    async () => {
      await assertWell();
      const rows = await frontends.rows();
      const row = rows && backendRow(spec, rows.backends);
      if (!rows) {
        return { done: false, seen: "no FE answers" };
      }
      if (!row) {
        return { done: true, value: notMet("the cluster does not know it") };
      }
      const query = { backendId: row.id, reportBefore, version: speaks(rows, spec), limit: limits.sql };
      const answer = await askLeader(frontends, (sql) => healedSince(sql, query));
      if (answer?.healed) {
        return { done: true, value: done };
      }
      // While another BE is down, its replicas would be made anew elsewhere.
      if (rows.backends.every(({ alive }) => alive)) {
        await run.care?.letCatchUp();
      }
      return { done: false, seen: answer?.seen ?? "no FE answers" };
    },
    {
      what: `the tablets of ${labelOf(spec)} to catch up`,
      limit: limits.tablets,
      every: 500,
      onProgress: report,
      advice: "It runs and is Alive. Look at ADMIN SHOW REPLICA STATUS of the table, or raise `limits.tablets`.",
    },
  );
};
