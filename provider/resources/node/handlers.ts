import { isDeepStrictEqual } from "node:util";
import { untilEnd } from "../../engine/end.js";
import { type CheckFailure, PartialFailure } from "../../engine/failure.js";
import { warn } from "../../engine/log.js";
import { echo, type Plain, plain } from "../../engine/outputs.js";
import { hasUnknown } from "../../engine/unknown.js";
import { messageOf, UserError } from "../../error.js";
import { inEverySession } from "../../host/agent.js";
import { type Action, changeText, decide, refusals, stopsNode } from "../../plan/node.js";
import { stoppingItem } from "../../plan/removal.js";
import type { NodeSpec } from "../../plan/spec.js";
import { numbered } from "../../plan/steps.js";
import { Execution } from "../../rollout/execute.js";
import { guard, guardRemoval } from "../../rollout/guard.js";
import type { Run } from "../../rollout/run.js";
import { haveMoved } from "../contacts.js";
import type { Handlers } from "../handlers.js";
import { beNodeInputs, failuresOf, feNodeInputs, read } from "../inputs.js";
import { assertLogin } from "../login.js";
import { gateOf } from "../preflight/gate.js";
import { leftOut } from "../preflight/left-out.js";
import { contextOf, labelOf, type NodeContext, placeOf, specOf } from "./context.js";
import { converge } from "./converge.js";
import { NodeFailure } from "./left.js";
import { nodeItem, recordedOf } from "./plan.js";
import { declaredProblems } from "./problems.js";
import { removalWorks } from "./removal.js";
import { inputsSeen, seenLast, seenOf, statusOf } from "./seen.js";
import { look } from "./works.js";

/** Inputs that stay out of the outputs: the plan of one operation must not be kept as the state of the next. */
const notEchoed = ["plan"];

/** How a node is reached: it never restarts for them, and what is recorded must not grow old, as delete and read use it. */
const accessOf = ({ connection, sql }: Plain) => [inEverySession(connection), sql];

/** What keeps a running node from being stopped: nothing would have looked at the whole cluster before. */
const unguarded = (
  { action, run, spec }: { readonly action: Action; readonly run: Run; readonly spec: NodeSpec },
  preflight: unknown,
): CheckFailure | undefined => {
  if (preflight === undefined) {
    const reason =
      `must name a \`Preflight\` before the version of ${labelOf(spec)} is changed: it looks at the whole cluster first. ` +
      "Declare the node in a `Cluster`, or give it one.";
    return action.type === "version" ? { property: "preflight", reason } : undefined;
  }
  return stopsNode(action) && !run.isGuarded
    ? {
        property: "preflight",
        reason: `of ${labelOf(spec)} (${changeText(action, spec)}): ${leftOut(String(preflight))}`,
      }
    : undefined;
};

/** The id: what the node is in its cluster. */
const idOf = (context: NodeContext): string => `${context.spec.cluster}:${context.spec.kind}:${context.spec.name}`;

/** The handlers of a kind of node; create and update are one path: observe, plan, act, verify. */
export const nodeHandlers = (kind: "fe" | "be"): Handlers => {
  const schema = kind === "fe" ? feNodeInputs : beNodeInputs;

  const contactsOf = (inputs: Plain) => read(schema, inputs).frontends;

  const planOf = (olds: Plain | undefined, news: Plain) => {
    const spec = specOf(kind, news);
    const { run, position } = placeOf(news);
    const action = decide(olds && recordedOf(kind, olds), spec);
    return { action, item: nodeItem(action, spec, run.placeOf(spec, position)), run, spec };
  };

  const proveLogin = async (olds: Plain, news: Plain): Promise<void> => {
    const { sql } = read(schema, news);
    if (!isDeepStrictEqual(read(schema, olds).sql, sql)) {
      const context = contextOf(kind, news);
      await assertLogin(labelOf(context.spec), { ...context, sql });
    }
  };

  const bring = async (olds: Plain | undefined, news: Plain): Promise<Record<string, unknown>> => {
    const { action, item } = planOf(olds, news);
    const outputs = echo(news, notEchoed);
    // A node that is going to be stopped passes the gate, which asks with it too.
    if (olds && !stopsNode(action)) {
      await proveLogin(olds, news);
    }
    if (action.type === "none" || action.type === "record") {
      return plain({ ...outputs, status: "running", confSha256: olds?.confSha256 });
    }
    const context = { ...contextOf(kind, news), recorded: olds !== undefined };
    const refusal = unguarded({ action, run: context.run, spec: context.spec }, context.preflight);
    if (refusal) {
      throw new UserError(`${labelOf(context.spec)} was not touched. ${refusal.property} ${refusal.reason}`);
    }
    await guard(guarded(context));
    let confSha256: string | undefined;
    try {
      const recorded = olds && specOf(kind, olds);
      confSha256 = await converge(context, action, item, gateOf(context), recorded);
    } catch (error) {
      if (error instanceof NodeFailure && error.touched) {
        // Of a host that is lost nothing can be told but what was recorded.
        const home = await look(context).catch(() => ({}));
        const seen = seenOf(context.spec, home, olds ?? news);
        // The declared login may be what it failed of.
        const unproven = { ...outputs, ...(olds && { sql: olds.sql }) };
        throw new PartialFailure(idOf(context), { ...unproven, ...seen, status: "failed" }, error);
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
      failures.push(...declaredProblems(spec, news.storage));
      const first = Object.keys(olds).length === 0;
      if (!first) {
        failures.push(...refusals(specOf(kind, olds), spec, onlyFe(spec, olds) && onlyFe(spec, news)));
      }
      if (failures.length > 0) {
        return { inputs: news, failures };
      }
      const { action, item, run } = planOf(first ? undefined : { ...olds, status: seenLast(olds) }, news);
      const refusal = unguarded({ action, run, spec }, news.preflight);
      if (refusal) {
        return { inputs: news, failures: [refusal] };
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
      const reached = isDeepStrictEqual(accessOf(olds), accessOf(news));
      const moved = !hasUnknown(news.frontends) && haveMoved(contactsOf(olds), contactsOf(news));
      return { changes: action.type !== "none" || !reached || moved, deleteBeforeReplace: true };
    },

    create: async (inputs) => ({ id: idOf(contextOf(kind, inputs)), outs: await bring(undefined, inputs) }),

    update: async (_id, olds, news) => ({ outs: await bring(olds, news) }),

    read: async (id, props) => {
      const context = contextOf(kind, props);
      try {
        const home = await look(context);
        const { drift: _, ...recorded } = props;
        const outs = plain({ ...recorded, ...seenOf(context.spec, home, props), status: statusOf(home, props) });
        return { id, props: outs, inputs: inputsSeen(outs) };
      } catch (error) {
        await warn(
          context.urn,
          `${labelOf(context.spec)} on ${context.host.name} could not be looked at; the recorded state stays. ${messageOf(error)}`,
        );
        const outs = plain({ ...props, status: "unreachable" });
        return { id, props: outs, inputs: inputsSeen(outs) };
      }
    },

    delete: async (_id, props) => {
      const context = contextOf(kind, props);
      const { position, run, spec } = context;
      await guardRemoval(guarded(context));
      const item = stoppingItem({ kind, name: spec.name, position });
      const works = removalWorks(context);
      await run.assertGoing(labelOf(spec));
      try {
        await untilEnd(() => new Execution(item, works, run.journal, context.progress).run());
      } catch (error) {
        await run.tellJournal(context.urn);
        throw error;
      }
    },
  };
};

const guarded = (context: NodeContext) => ({ ...context, node: labelOf(context.spec), report: context.progress });

/** Contacts are no part of what a node is: one more FE touches no other node. */
const withoutContacts = ({ frontends, ...rest }: Plain): Plain => rest;

/** Whether the FE knows of no other. */
const onlyFe = ({ name }: NodeSpec, { frontends }: Plain): boolean =>
  Array.isArray(frontends) && frontends.length > 0 && frontends.every((contact: Plain) => contact.name === name);
