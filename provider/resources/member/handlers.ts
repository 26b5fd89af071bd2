import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import { progressOf, warn } from "../../engine/log.js";
import { echo, type Plain, plain } from "../../engine/outputs.js";
import { hasUnknown } from "../../engine/unknown.js";
import { messageOf, UserError } from "../../error.js";
import { inEverySession } from "../../host/agent.js";
import { hostFor } from "../../host/pool.js";
import type { Host } from "../../host/types.js";
import { type Limits, limitsOf } from "../../plan/limits.js";
import { leavingItem } from "../../plan/removal.js";
import { type Item, numbered, type Step } from "../../plan/steps.js";
import { Execution, type Outcome, skipped, type Works } from "../../rollout/execute.js";
import { type Contact, Frontends } from "../../rollout/frontends.js";
import { guard, guardRemoval } from "../../rollout/guard.js";
import { type Run, runOf } from "../../rollout/run.js";
import { readHomeMarker, writeHomeMarker } from "../../starrocks/marker.js";
import { haveMoved } from "../contacts.js";
import type { Handlers } from "../handlers.js";
import { type beMemberInputs, failuresOf, type feMemberInputs, read } from "../inputs.js";
import { assertLogin } from "../login.js";
import { otherOwner } from "../owner.js";
import { within } from "../reach.js";

/** A membership and the way to the cluster; `inputs` are those of its kind. */
export interface MemberContext<I> {
  readonly inputs: I;
  readonly host: Host;
  readonly frontends: Frontends;
  readonly run: Run;
  readonly limits: Limits;
  readonly report: (seen: string) => void;
}

/** All but `member` is drift. `decommissioned`: the cluster drops it as soon as its tablets are elsewhere. */
type MemberStatus = "member" | "missing" | "decommissioned" | "in another role";

/** What FE and BE members do differently. */
export interface MemberKind<I> {
  readonly kind: "fe" | "be";
  /** Whether the next one is added only when this one has joined: each FE that votes and is not there endangers the majority. */
  readonly oneByOne: boolean;
  readonly steps: (inputs: I) => readonly Step[];
  readonly works: (context: MemberContext<I>) => Works;
  /** How the cluster has it; undefined when nobody answers. */
  readonly seen: (context: MemberContext<I>) => Promise<MemberStatus | undefined>;
  /** Rejects where it would never be taken in, whatever is added. */
  readonly assertMayJoin?: (context: MemberContext<I>) => Promise<void>;
  /** Takes it out of the cluster, safely; tells how, or undefined when it was not in it. */
  readonly remove: (context: MemberContext<I>) => Promise<"decommissioned" | "dropped" | undefined>;
}

export type FeMemberInputs = z.output<typeof feMemberInputs>;
export type BeMemberInputs = z.output<typeof beMemberInputs>;

const labelOf = (kind: "fe" | "be", name: string): string => `${kind.toUpperCase()} ${name}`;

/** Fields that make another member of it; a change of any is refused. The cluster knows a node by address and port. */
const identityOf = (inputs: FeMemberInputs | BeMemberInputs): ReadonlyMap<string, string> =>
  new Map([
    ["cluster", inputs.cluster],
    ["name", inputs.name],
    ["address", inputs.address],
    "port" in inputs ? ["port", String(inputs.port)] : ["ports.editLog", String(inputs.ports.editLog)],
  ]);

export const memberHandlers = <S extends typeof feMemberInputs | typeof beMemberInputs>(
  schema: S,
  member: MemberKind<z.output<S>>,
): Handlers => {
  const inputsOf = (inputs: Plain): z.output<S> => read(schema, inputs) as z.output<S>;

  const contextOf = (inputs: z.output<S>, report: (seen: string) => void): MemberContext<z.output<S>> => {
    const limits = limitsOf(inputs.limits);
    const connection = within(limits, inputs.connection);
    return {
      inputs,
      host: hostFor(connection),
      frontends: new Frontends({
        cluster: inputs.cluster,
        contacts: inputs.frontends as readonly Contact[],
        connection,
        sql: inputs.sql,
        limits,
      }),
      run: runOf(inputs.cluster),
      limits,
      report,
    };
  };

  const guarded = ({ __urn, name }: z.output<S>) => ({
    node: labelOf(member.kind, name),
    urn: __urn,
    report: progressOf(__urn),
  });

  const itemOf = (inputs: z.output<S>, acts: boolean): Item => ({
    id: `${labelOf(member.kind, inputs.name)} in the cluster`,
    wave: "members",
    position: inputs.position,
    change: "",
    stops: false,
    steps: acts ? member.steps(inputs) : [],
  });

  const join = async (inputs: z.output<S>): Promise<void> => {
    const progress = progressOf(inputs.__urn);
    const context = contextOf(inputs, (seen) => execution.report(seen));
    await guard({ ...context, ...guarded(inputs) });
    const execution: Execution = new Execution(
      itemOf(inputs, true),
      member.works(context),
      context.run.journal,
      progress,
    );
    await member.assertMayJoin?.(context);
    await clearMark(context.host, member.kind, inputs.home);
    const steps = () => execution.run();
    try {
      await (member.oneByOne ? context.run.membership.run(steps) : steps());
    } catch (error) {
      await context.run.failNew(labelOf(member.kind, inputs.name));
      throw error;
    }
  };

  const acts = (olds: Plain): boolean => olds.status !== undefined && olds.status !== "member";

  const outputsOf = (inputs: Plain): Record<string, unknown> => ({ ...echo(inputs, ["plan"]), status: "member" });

  return {
    check: async (olds, news) => {
      const failures = [...failuresOf(schema, news)];
      if (failures.length > 0 || hasUnknown(news)) {
        return { inputs: news, failures };
      }
      const first = Object.keys(olds).length === 0;
      const recorded = first ? undefined : identityOf(inputsOf(olds));
      for (const [property, declared] of identityOf(inputsOf(news))) {
        const was = recorded?.get(property) ?? declared;
        if (was !== declared) {
          const reason = `cannot change on an existing member (recorded \`${was}\`, declared \`${declared}\`)`;
          failures.push({ property, reason });
        }
      }
      if (failures.length > 0) {
        return { inputs: news, failures };
      }
      const inputs = inputsOf(news);
      const joins = first || olds.__status !== undefined;
      const item = itemOf(inputs, joins);
      runOf(inputs.cluster).items.set(item.id, item);
      return { inputs: joins ? { ...news, plan: numbered(item.steps) } : news };
    },

    diff: async (_id, olds, news) => {
      if (hasUnknown(news)) {
        return { changes: true, deleteBeforeReplace: true };
      }
      const inputs = inputsOf(news);
      const item = itemOf(inputs, acts(olds));
      const run = runOf(inputs.cluster);
      if (run.items.has(item.id)) {
        run.items.set(item.id, item);
      }
      const old = inputsOf(olds);
      const reached = JSON.stringify([inEverySession(old.connection), old.sql, old.limits]);
      const wanted = JSON.stringify([inEverySession(inputs.connection), inputs.sql, inputs.limits]);
      const moved = haveMoved(old.frontends, inputs.frontends);
      return { changes: acts(olds) || reached !== wanted || moved, deleteBeforeReplace: true };
    },

    create: async (inputs) => {
      const parsed = inputsOf(inputs);
      await join(parsed);
      return { id: `${parsed.cluster}:${member.kind}:${parsed.name}:member`, outs: outputsOf(inputs) };
    },

    update: async (_id, olds, news) => {
      const inputs = inputsOf(news);
      if (acts(olds)) {
        await join(inputs);
      } else if (!isDeepStrictEqual(inputsOf(olds).sql, inputs.sql)) {
        await assertLogin(labelOf(member.kind, inputs.name), {
          ...contextOf(inputs, () => undefined),
          sql: inputs.sql,
        });
      }
      return { outs: outputsOf(news) };
    },

    read: async (id, props) => {
      const parsed = inputsOf(props);
      const context = contextOf(parsed, () => undefined);
      const label = labelOf(member.kind, parsed.name);
      try {
        const seen = await member.seen(context);
        if (seen === undefined) {
          await warn(
            parsed.__urn,
            `Whether ${label} is in the cluster could not be seen: no FE answers. The recorded state stays.`,
          );
          return { id, props: plain(props) };
        }
        const { status: _, ...recorded } = plain(props);
        // `check`, which gets nothing but inputs, tells the steps by it. The engine hides keys that begin with `__` from diffs.
        const inputs = seen === "member" ? recorded : { ...recorded, __status: seen };
        return { id, props: { ...recorded, status: seen }, inputs };
      } catch (error) {
        await warn(
          parsed.__urn,
          `Whether ${label} is in the cluster could not be seen: ${messageOf(error)} The recorded state stays.`,
        );
        return { id, props: plain(props) };
      }
    },

    delete: async (_id, props) => {
      const inputs = inputsOf(props);
      const context = contextOf(inputs, (seen) => execution.report(seen));
      const { name, position } = inputs;
      await guardRemoval({ ...context, ...guarded(inputs) });
      const item = leavingItem({ kind: member.kind, name, position });
      const leave = async (): Promise<Outcome> => {
        const { cluster, home } = inputs;
        const owner = await otherOwner(context.host, home, { cluster, kind: member.kind, node: name });
        if (owner !== undefined) {
          return skipped(`its place in the cluster is ${owner}'s now`);
        }
        const how = await member.remove(context);
        if (how === undefined) {
          return skipped("it was not in the cluster");
        }
        try {
          await leaveMark(context.host, member.kind, inputs.home, how);
        } catch (error) {
          if (!(error instanceof UserError)) {
            throw error;
          }
          // The cluster let it go, which cannot be undone: only its data stays where it is.
          await warn(
            inputs.__urn,
            `${labelOf(member.kind, name)} was ${how}, but that could not be noted in its home: ${messageOf(error)} Its data stays where it is.`,
          );
        }
        return { mark: "done", detail: how };
      };
      // One at a time: each takes replicas or votes away that the next one's check must see.
      const works = { leave: () => context.run.membership.run(leave) };
      const execution: Execution = new Execution(item, works, context.run.journal, progressOf(inputs.__urn));
      try {
        await execution.run();
      } catch (error) {
        await context.run.tellJournal(inputs.__urn);
        throw error;
      }
    },
  };
};

/** A node that comes back before its own delete has run, as after a removal that was cut short, is a living one again. */
const clearMark = async (host: Host, kind: "fe" | "be", home: string): Promise<void> => {
  const marker = await readHomeMarker(host, home, kind);
  if (marker?.left) {
    const { left: _, ...rest } = marker;
    await writeHomeMarker(host, home, rest);
  }
};

/** Only with this mark in its home does the node's own delete move its data away. */
const leaveMark = async (
  host: Host,
  kind: "fe" | "be",
  home: string,
  how: "decommissioned" | "dropped",
): Promise<void> => {
  const marker = await readHomeMarker(host, home, kind);
  if (!marker) {
    throw new UserError(`${home} on ${host.name} has no marker of this program.`);
  }
  const { leaving: _, ...rest } = marker;
  await writeHomeMarker(host, home, { ...rest, left: { how, at: new Date().toISOString() } });
};
