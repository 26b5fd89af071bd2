import { messageOf, UserError } from "../../error.js";
import type { FeSpec } from "../../plan/spec.js";
import { notMet, type Outcome } from "../../rollout/execute.js";
import { Steady } from "../../rollout/steady.js";
import { handOver } from "../../starrocks/handover.js";
import { isRowOf } from "../../starrocks/rows.js";
import { endpoint, type Frontend } from "../../starrocks/statements.js";
import { runsVersion } from "../../starrocks/versions.js";
import { seconds, until } from "../../wait.js";
import type { NodeContext, Report } from "./context.js";
import { javaHomeOf } from "./start.js";

/**
 * Where this FE leads out of turn, leadership is handed to an FE that is still to be changed, the declared leader first:
 * no old FE shall follow a new one. The process that led ends by itself; its stop finds it gone.
 */
export const handOverLeadership = async (
  context: NodeContext<FeSpec>,
  report: Report,
  /** Called where it is going to be done; may refuse. */
  before: () => Promise<void>,
): Promise<Outcome> => {
  const { frontends, host, limits, run, spec } = context;
  if (!run.answers) {
    return notMet("there is no cluster yet");
  }
  const { frontends: rows } = await frontends.rowsSoon(limits.leader);
  const leader = rows.find(({ role }) => role === "leader");
  if (!leader || !isRowOf(spec, leader)) {
    return notMet(`${leader?.address ?? "nobody"} leads`);
  }
  const target = heir(context, rows, leader);
  if (!target) {
    return notMet("no other voting FE is Alive with the version before");
  }
  await before();
  try {
    const javaHome = (await javaHomeOf(context)) ?? "";
    const handed = await transferLeadership({ frontends, host, limits, report, of: spec, javaHome, leader, target });
    return "refused" in handed
      ? notMet(`refused: ${handed.refused}; the stop elects another one`)
      : { mark: "done", detail: handed.done };
  } catch (error) {
    if (!(error instanceof UserError)) {
      throw error;
    }
    // A stop of the leader elects another one as well, only not a chosen one.
    return notMet(`the hand-over failed (${messageOf(error)}); the stop elects another one`);
  }
};

interface Transfer extends Pick<NodeContext, "frontends" | "host" | "limits"> {
  /** The FE that leads, on whose host the tool of its release is run. */
  readonly of: Pick<FeSpec, "name" | "address" | "ports" | "home">;
  readonly javaHome: string;
  readonly leader: Frontend;
  readonly target: Frontend;
  readonly report: Report;
}

/** Hands leadership over and waits for the election; tells who leads then, or why the tool refused. The process that led ends by itself. */
export const transferLeadership = async (
  transfer: Transfer,
): Promise<{ readonly done: string } | { readonly refused: string }> => {
  const { host, javaHome, leader, limits, of, report, target } = transfer;
  report(`to ${target.address}`);
  const handed = await handOver(host, {
    home: of.home,
    javaHome,
    helper: endpoint(leader.address, leader.editLogPort),
    target: target.name,
    limit: limits.leader,
  });
  if (handed.did === "refused") {
    return { refused: handed.said };
  }
  const now = await elected(transfer);
  const instead = now.name === target.name ? "" : `, though ${target.address} was to`;
  return { done: `${now.address} leads after ${handed.seconds.toFixed(1)} s${instead}` };
};

/** The declared leader, else any other voter, that still runs what this FE ran. */
const heir = (
  { frontends, spec }: NodeContext<FeSpec>,
  rows: readonly Frontend[],
  leader: Frontend,
): Frontend | undefined => {
  const declared = frontends.contacts.find(({ role }) => role === "leader");
  const fit = rows.filter(
    (row) =>
      row !== leader &&
      row.role === "follower" &&
      row.alive &&
      row.join &&
      !runsVersion(row.version, spec.release.version),
  );
  return fit.find(({ address }) => address === declared?.address) ?? fit[0];
};

/** Who leads now: where the vote went to another FE nothing is won by waiting, as old ones may follow a new one. */
const elected = async ({ frontends, limits, of, report, target }: Transfer): Promise<Frontend> => {
  frontends.forget(of);
  const steady = new Steady();
  return until<Frontend>(
    async () => {
      const rows = await frontends.rows(of.name);
      const leader = rows?.frontends.find(({ role }) => role === "leader");
      const other = leader && !isRowOf(of, leader);
      return leader && (leader.name === target.name || (other && steady.note(leader.name)))
        ? { done: true, value: leader }
        : { done: false, seen: `${leader?.address ?? "nobody"} leads` };
    },
    {
      what: `${target.address} to lead the FE group`,
      limit: limits.leader,
      onProgress: report,
      advice: "Look at the fe.log of the voting FEs.",
    },
  );
};

/**
 * Stops an FE that leads; the others, which are a majority, elect another one meanwhile. That is waited for before this
 * one is started again, and how long nobody led is told: writes waited for so long.
 */
export const stopLeader = async (
  context: NodeContext<FeSpec>,
  stop: () => Promise<Outcome>,
  report: Report,
): Promise<Outcome> => {
  const { frontends, limits, spec } = context;
  const done = new AbortController();
  let led = performance.now();
  const election = until<string>(
    async () => {
      const asked = performance.now();
      const rows = await frontends.rows(spec.name);
      const leader = rows?.frontends.find(({ role }) => role === "leader");
      if (leader && !isRowOf(spec, leader)) {
        return {
          done: true,
          value: `${leader.address} leads after ${seconds(performance.now() - led)} without a leader`,
        };
      }
      led = leader ? asked : led;
      return { done: false, seen: `${leader?.address ?? "nobody"} leads` };
    },
    {
      what: "the other FEs to elect a leader",
      limit: limits.stop + limits.leader,
      onProgress: report,
      signal: done.signal,
      advice: "Look at their fe.log.",
    },
  ).catch((error: unknown) => {
    if (!(error instanceof UserError)) {
      throw error;
    }
    // Without it the group has less of a majority still: it is started all the same.
    return messageOf(error);
  });
  // Where the stop fails or was not needed nobody is elected.
  election.catch(() => undefined);
  try {
    const outcome = await stop();
    return outcome.mark === "done"
      ? { ...outcome, detail: [outcome.detail, await election].filter(Boolean).join("; ") }
      : outcome;
  } finally {
    done.abort();
  }
};
