import { messageOf, TransientError, UserError } from "../../error.js";
import { closesBdb, type Failed, mayBeTooLate, noWayBack } from "../../plan/back.js";
import { versionOfId } from "../../plan/release-id.js";
import type { NodeSpec } from "../../plan/spec.js";
import type { Outcome } from "../../rollout/execute.js";
import type { Contact, Frontends } from "../../rollout/frontends.js";
import { observeHome } from "../../starrocks/observe.js";
import { isRunning, observeProcess } from "../../starrocks/process.js";
import { endpoint } from "../../starrocks/statements.js";
import { stopProcess } from "../../starrocks/stop.js";
import { compareVersions, versionOf } from "../../starrocks/versions.js";
import { until } from "../../wait.js";
import { BeDied } from "./be.js";
import { labelOf, type NodeContext, type Report } from "./context.js";
import { type KindWork, workOf } from "./kind-work.js";
import { untilSpared } from "./others.js";
import { assertMayBringUp, assertRight } from "./right.js";
import { look, switchRelease, writeConf } from "./works.js";

/** The node as it was before the change. */
export interface Before<S extends NodeSpec = NodeSpec> {
  /** As it was declared then: its proof asks for nothing that is new, and its start takes nothing. */
  readonly spec: S;
  /** Its conf file; undefined where that was not written. */
  readonly conf: string | undefined;
  /** Whether the release that failed may have opened its data: it was started, now or by an operation that was cut short. */
  readonly opened: boolean;
}

/** For people: what a node is taken back to. */
export const wordsOf = ({ spec }: NodeContext, before: Before): string =>
  before.spec.release.id === spec.release.id ? "its settings before" : before.spec.release.version;

/** Takes a node that failed after its stop back to its old release and settings, and proves it there. */
export const takeBack = async (
  context: NodeContext,
  work: KindWork,
  before: Before,
  report: Report,
): Promise<Outcome> => {
  const reason = await whyNot(context, work, before);
  if (reason !== undefined) {
    throw new UserError(`It is not taken back to ${wordsOf(context, before)}: ${reason}.`);
  }
  const old: NodeContext = { ...context, spec: before.spec };
  const oldWork = workOf(old, work);
  await assertMayBringUp(old);
  await stopAgain(context, report, work);
  // Without an answer of the cluster a BE is proven by itself.
  await oldWork.note().catch(() => undefined);
  await assertMayBringUp(old);
  await restoreStopped(old, before, report);
  await assertMayBringUp(old);
  await oldWork.start();
  await oldWork.prove(report);
  return { mark: "done", detail: `it runs with ${wordsOf(context, before)} again and is proven` };
};

/**
 * What failed may serve all the same, and others may have died since it was let stop: it is asked for as before any other stop.
 * What was not proven may be no more than one that is down already; only its tablets are asked for.
 */
const maySpare = async (context: NodeContext, work: KindWork, report: Report): Promise<void> => {
  const { frontends, host, run, spec } = context;
  const isGone = async (): Promise<boolean> => (await isRunning(host, spec.kind, spec.home)) === false;
  if ((await isGone()) || !(run.answers || (await frontends.rows()))) {
    return;
  }
  const down = async (): Promise<readonly string[]> => {
    const { ended, unseen } = await run.proven.look(labelOf(spec));
    return [...new Set([...ended.map(({ row }) => row), ...unseen, ...(await work.down())])].sort();
  };
  const failed = { isGone };
  if (work.proven) {
    const advice = `Bring them back; where ${labelOf(spec)} is why they are down, stop it by hand.`;
    await untilSpared(context, work, { down, failed, report, advice });
  } else {
    await work.mayStop(report, { down: await down(), failed });
  }
};

/** What failed may be the connection: its host may be there again a moment later, and meanwhile end a stop that was sent. */
const stopAgain = async (
  context: NodeContext,
  report: Report,
  /** The work that has failed, where what it left may be of use to the cluster. */
  work?: KindWork,
): Promise<void> => {
  const { host, limits, spec } = context;
  await until<void>(
    async () => {
      try {
        if (work) {
          await maySpare(context, work, report);
        }
        await stopProcess(host, spec.kind, spec.home, {
          graceful: work?.proven ?? false,
          timeoutSeconds: limits.stop / 1000,
          version: spec.release.version,
        });
        return { done: true, value: undefined };
      } catch (error) {
        if (!(error instanceof TransientError)) {
          throw error;
        }
        return { done: false, seen: messageOf(error) };
      }
    },
    {
      what: `${host.name} to be reached again`,
      limit: limits.stop,
      onProgress: report,
      advice: "Bring the host back; `pulumi up` goes on from there.",
    },
  );
};

/** A start whose answer was lost goes on without us: what it has come to meanwhile is stopped, too. */
const restoreStopped = (old: NodeContext, before: Before, report: Report): Promise<void> => {
  const { host, limits, spec } = old;
  return until<void>(
    async () => {
      try {
        await restore(old, before);
        return { done: true, value: undefined };
      } catch (error) {
        if (!(await observeProcess(host, spec.kind, spec.home).catch(() => undefined))) {
          throw error;
        }
        // It may be another operator's, who found the node down.
        assertRight(old);
        await stopAgain(old, report);
        return { done: false, seen: messageOf(error) };
      }
    },
    {
      what: `${labelOf(spec)} to stay stopped`,
      limit: limits.stop,
      onProgress: report,
      advice: "Something starts it again (systemd, another operator): end that.",
    },
  );
};

/** Puts release and conf file back; nothing runs. */
export const restore = async (old: NodeContext, { conf }: Before): Promise<void> => {
  await switchRelease(old, await look(old));
  if (conf !== undefined) {
    await writeConf(old, conf);
  }
};

const whyNot = async (context: NodeContext, work: KindWork, before: Before): Promise<string | undefined> => {
  const { frontends, limits, spec } = context;
  const failed = failedIn(context, before);
  if (!mayBeTooLate(failed)) {
    return undefined;
  }
  const others = frontends.contacts.filter(({ name, role }) => name !== spec.name && role !== "observer");
  const voters = others.length + (spec.kind === "fe" && spec.role !== "observer" ? 1 : 0);
  // Where the others are a majority they elect a leader soon; else there is none before this one is back.
  const asking = others.length * 2 > voters ? frontends.rowsSoon(limits.leader, spec.name) : frontends.rows(spec.name);
  const rows = await asking.catch(() => undefined);
  const leader = rows?.frontends.find(({ role }) => role === "leader")?.version;
  return noWayBack(failed, {
    leader,
    led: await work.led(),
    others: leader === undefined ? await Promise.all(others.map((contact) => newestOn(frontends, contact))) : [],
  });
};

const failedIn = ({ spec }: NodeContext, { opened, spec: { release } }: Before): Failed => ({
  kind: spec.kind,
  from: release.version,
  to: spec.release.version,
  opened,
});

/** The newest version that an FE's home is set to, or was proven with last; undefined where it cannot be looked at. */
const newestOn = async (frontends: Frontends, contact: Contact): Promise<string | undefined> => {
  try {
    const { current, marker } = await observeHome(frontends.hostOf(contact), { home: contact.home, kind: "fe" });
    const versions = [current && versionOfId(current), marker?.releases.at(-1)?.version];
    return versions
      .flatMap((version) => (version ? [versionOf(version)] : []))
      .sort(compareVersions)
      .at(-1)?.text;
  } catch {
    return undefined;
  }
};

/** What people are told of a node that could not be taken back. */
export const stuck = (context: NodeContext, before: Before, error: unknown): string =>
  `${labelOf(context.spec)} could not be taken back to ${wordsOf(context, before)}: ${messageOf(error)}`;

/** For a node that starts with no release: how it is left, why that may be, and what can be done. */
export const whatNow = async (context: NodeContext, before: Before, failure: unknown): Promise<string> => {
  const { host, position, run, spec } = context;
  const from = before.spec.release;
  const label = labelOf(spec);
  const to = spec.release.version;
  if (spec.kind === "fe") {
    return before.opened && closesBdb(failedIn(context, before))
      ? `${label} is left as it is. Declare a repaired build of ${to}. Or, while the other FEs have a leader, stop it, move ${spec.metaDir} on ${host.name} aside, ` +
          "and run `pulumi up`: without metadata it joins its group anew (--helper)."
      : "Nothing of its metadata was moved or removed.";
  }
  const home = await look(context).catch(() => undefined);
  const changed = from.id !== spec.release.id;
  if (!home || home.process) {
    return `${label} is left as it is; its data is untouched.${changed ? ` Declaring ${from.version} again takes it back.` : ""}`;
  }
  if (!(failure instanceof BeDied) || !failure.mayBeItsData) {
    return `${label} is left stopped; its data is untouched.`;
  }
  const { address, ports } = spec;
  const { canary } = run.placeOf(spec, position).manner;
  return (
    `${label} is left stopped, and its data is untouched${changed ? `: probably ${to} has written a format that ${from.version} cannot read` : ""}. ` +
    "Tables with replicas on other BEs are served by those. " +
    `Declare a ${changed ? `repaired build of ${to}, or a newer version,` : "build"} that reads the data. ` +
    `Or give the data up, if the other BEs hold all of its tablets: ${canary && !canary.rebuild ? 'with `onUnrecoverable: "rebuild"` the next `pulumi up` does that. By hand: ' : ""}` +
    `ALTER SYSTEM DROP BACKEND "${endpoint(address, ports.heartbeat)}", move its storage folders away, ` +
    `and \`pulumi up --refresh\` with ${from.version} and \`adopt: true\` on this node.`
  );
};
