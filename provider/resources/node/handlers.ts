import { isDeepStrictEqual } from "node:util";
import { untilEnd } from "../../engine/end.js";
import { type CheckFailure, PartialFailure } from "../../engine/failure.js";
import { warn } from "../../engine/log.js";
import { echo, type Plain, plain } from "../../engine/outputs.js";
import { hasUnknown } from "../../engine/unknown.js";
import { messageOf } from "../../error.js";
import { decide, refusals, type Status } from "../../plan/node.js";
import { nodeProblems, storageProblems } from "../../plan/node-problems.js";
import { versionOfId } from "../../plan/release-id.js";
import { stoppingItem } from "../../plan/removal.js";
import type { NodeSpec } from "../../plan/spec.js";
import { numbered } from "../../plan/steps.js";
import { Execution, type Outcome } from "../../rollout/execute.js";
import { guard, guardRemoval } from "../../rollout/guard.js";
import { drift } from "../../starrocks/conf.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { describeStop, stopProcess } from "../../starrocks/stop.js";
import type { Handlers } from "../handlers.js";
import { beNodeInputs, failuresOf, feNodeInputs } from "../inputs.js";
import { gateOf } from "../preflight/gate.js";
import { contextOf, labelOf, type NodeContext, placeOf, specOf } from "./context.js";
import { converge, NodeFailure } from "./converge.js";
import { nodeItem, recordedOf } from "./plan.js";
import { settingsOf } from "./settings.js";
import { trashData } from "./trash.js";
import { look } from "./works.js";

/** Inputs that stay out of the outputs: the plan of one operation must not be kept as the state of the next. */
const notEchoed = ["plan"];

/** How a node is reached: it never restarts for them, and what is recorded must not grow old, as delete and read use it. */
const credentials = ["connection", "sql"] as const;

const unguarded = (spec: NodeSpec): CheckFailure => ({
  property: "preflight",
  reason:
    `must name a \`Preflight\` before the version of ${labelOf(spec)} is changed: it looks at the whole cluster first. ` +
    "Declare the node in a `Cluster`, or give it one.",
});

/** The id: what the node is in its cluster. */
const idOf = (context: NodeContext): string => `${context.spec.cluster}:${context.spec.kind}:${context.spec.name}`;

/** The handlers of a kind of node; create and update are one path: observe, plan, act, verify. */
export const nodeHandlers = (kind: "fe" | "be"): Handlers => {
  const schema = kind === "fe" ? feNodeInputs : beNodeInputs;

  const planOf = (olds: Plain | undefined, news: Plain) => {
    const spec = specOf(kind, news);
    const { run, position } = placeOf(news);
    const action = decide(olds && recordedOf(kind, olds), spec);
    return { action, item: nodeItem(action, spec, run.placeOf(spec, position)), run, spec };
  };

  const bring = async (olds: Plain | undefined, news: Plain): Promise<Record<string, unknown>> => {
    const { action, item } = planOf(olds, news);
    const outputs = echo(news, notEchoed);
    if (action.type === "none" || action.type === "record") {
      return plain({ ...outputs, status: "running", confSha256: olds?.confSha256 });
    }
    const context = contextOf(kind, news);
    await guard(guarded(context));
    let confSha256: string | undefined;
    try {
      const recorded = olds && specOf(kind, olds);
      confSha256 = await converge(context, action, item, gateOf(context.run), recorded);
    } catch (error) {
      if (error instanceof NodeFailure && error.touched) {
        // Of a host that is lost nothing can be told but what was recorded.
        const home = await look(context).catch(() => ({}));
        const seen = seenOf(context.spec, home, olds ?? news);
        throw new PartialFailure(idOf(context), { ...outputs, ...seen, status: "failed" }, error);
      }
      throw error;
    }
    return plain({ ...outputs, status: "running", confSha256 });
  };

  return {
    check: async (olds, news) => {
      const failures: CheckFailure[] = [...failuresOf(schema, news)];
      if (failures.length > 0 || hasUnknown(withoutContacts(news))) {
        return { inputs: news, failures };
      }
      const spec = specOf(kind, news);
      failures.push(...storageProblems(news.storage), ...nodeProblems(spec));
      const first = Object.keys(olds).length === 0;
      if (!first) {
        failures.push(...refusals(specOf(kind, olds), spec));
      }
      if (failures.length > 0) {
        return { inputs: news, failures };
      }
      const { action, item, run } = planOf(first ? undefined : { ...olds, status: "running" }, news);
      if (action.type === "version" && news.preflight === undefined) {
        return { inputs: news, failures: [unguarded(spec)] };
      }
      run.items.set(item.id, item);
      return { inputs: item.steps.length > 0 ? { ...news, plan: numbered(item.steps) } : news };
    },

    diff: async (_id, olds, news) => {
      if (hasUnknown(withoutContacts(news))) {
        return { changes: true, deleteBeforeReplace: true };
      }
      const { action, item, run } = planOf(olds, news);
      // Refresh asks for a diff without a check, and the other way round: it plans nothing.
      if (run.items.has(item.id)) {
        run.items.set(item.id, item);
      }
      const reached = credentials.every((key) => isDeepStrictEqual(olds[key], news[key]));
      return { changes: action.type !== "none" || !reached, deleteBeforeReplace: true };
    },

    create: async (inputs) => ({ id: idOf(contextOf(kind, inputs)), outs: await bring(undefined, inputs) }),

    update: async (_id, olds, news) => ({ outs: await bring(olds, news) }),

    read: async (id, props) => {
      const context = contextOf(kind, props);
      try {
        const home = await look(context);
        const { drift: _, ...recorded } = props;
        const outs = plain({ ...recorded, ...seenOf(context.spec, home, props), status: statusOf(home, props) });
        const { status, confSha256, ...inputs } = outs;
        return { id, props: outs, inputs };
      } catch (error) {
        await warn(
          context.urn,
          `${labelOf(context.spec)} on ${context.host.name} could not be looked at; the recorded state stays. ${messageOf(error)}`,
        );
        return { id, props: plain({ ...props, status: "unreachable" }) };
      }
    },

    delete: async (_id, props) => {
      const context = contextOf(kind, props);
      const { position, run, spec } = context;
      await guardRemoval(guarded(context));
      const item = stoppingItem({ kind, name: spec.name, position });
      const works = { stop: () => stopForGood(context), trash: () => trashData(context) };
      await run.assertGoing(labelOf(spec));
      await untilEnd(() => new Execution(item, works, run.journal, context.progress).run());
    },
  };
};

const guarded = (context: NodeContext) => ({ ...context, node: labelOf(context.spec), report: context.progress });

const stopForGood = async ({ host, limits, spec }: NodeContext): Promise<Outcome> => {
  const result = await stopProcess(host, spec.kind, spec.home, {
    // A leader that hands over and an FE that drains take 15 s each; here the whole group goes, or this one was dropped.
    graceful: spec.kind === "be",
    timeoutSeconds: limits.stop / 1000,
    version: spec.release.version,
  });
  return { mark: "done", detail: describeStop(result) };
};

/** Contacts are no part of what a node is: one more FE touches no other node. */
const withoutContacts = ({ frontends, ...rest }: Plain): Plain => rest;

/** What a look at the host tells: the release that is current, and declared settings that the conf file does not have. */
const seenOf = (
  spec: NodeSpec,
  { conf, current }: Pick<ObservedHome, "conf" | "current">,
  recorded: Plain,
): Record<string, unknown> => {
  const { release } = recorded as { readonly release?: { readonly id?: string } };
  const differing = conf ? drift(conf.text, settingsOf(spec)) : [];
  return {
    release:
      current === undefined || current === release?.id ? release : { id: current, version: versionOfId(current) },
    ...(conf && { confSha256: conf.sha256 }),
    ...(differing.length > 0 && {
      drift: differing.map(({ key, declared, found }) => `${key}: declared ${declared}, found ${found ?? "nothing"}`),
    }),
  };
};

/** A refresh proves nothing: a node that failed stays so until an operation has proven it. */
const statusOf = ({ process }: ObservedHome, { status }: Plain): Status => {
  if (!process) {
    return "stopped";
  }
  return status === "failed" ? "failed" : "running";
};
