import { UserError } from "../../error.js";
import type { Step } from "../../plan/steps.js";
import { done, type Outcome, skipped, type Works } from "../../rollout/execute.js";
import { isSteadySoon, Steady } from "../../rollout/steady.js";
import { backendRow } from "../../starrocks/rows.js";
import type { Backend } from "../../starrocks/show.js";
import { SqlError } from "../../starrocks/sql.js";
import { addBackend, decommissionBackend, endpoint, showBackends } from "../../starrocks/statements.js";
import { runsVersion } from "../../starrocks/versions.js";
import { type Look, until } from "../../wait.js";
import { endDecommission, noteLeaving } from "../decommission.js";
import { beMemberInputs } from "../inputs.js";
import { type BeMemberInputs, type MemberContext, memberHandlers } from "./handlers.js";
import { untilJoined } from "./joining.js";

type Context = MemberContext<BeMemberInputs>;

const steps = ({ address, name, port, release }: BeMemberInputs): readonly Step[] => [
  { verb: "add", text: `ALTER SYSTEM ADD BACKEND "${endpoint(address, port)}"` },
  { verb: "join", text: `see BE ${name} Alive with ${release.version} in SHOW BACKENDS` },
];

const rowOf = ({ address, port }: BeMemberInputs, rows: readonly Backend[]): Backend | undefined =>
  backendRow({ address, ports: { heartbeat: port } }, rows);

const rows = ({ frontends, limits }: Context): Promise<readonly Backend[] | undefined> =>
  frontends.ask((sql) => showBackends(sql, limits.sql));

const rowsOfLedGroup = ({ frontends, limits, report }: Context): Promise<readonly Backend[]> =>
  frontends.askSoon((sql) => showBackends(sql, limits.sql), limits.leader, report);

const add = async (context: Context): Promise<Outcome> => {
  const { inputs, frontends, limits } = context;
  const row = rowOf(inputs, await rowsOfLedGroup(context));
  if (row?.decommissioned) {
    await endDecommission(context);
    return { mark: "done", detail: "its decommission was canceled, as it is declared again" };
  }
  if (row) {
    return skipped("the cluster has it");
  }
  await frontends.tell((sql) => addBackend(sql, inputs.address, inputs.port, limits.sql));
  return done;
};

/** Refusals of a heartbeat that no waiting heals (StarRocks `heartbeat_server.cpp`). */
const hopeless: readonly { readonly pattern: RegExp; readonly advice: string }[] = [
  {
    pattern: /unmatched cluster id|invalid cluster id/i,
    advice:
      "Its storage folders belong to another cluster; nothing was changed in them. Stop this BE, move what they hold elsewhere,",
  },
  {
    pattern: /unmatched token/i,
    advice:
      "Its storage folders belong to another cluster of the same id. Stop this BE, move what they hold elsewhere,",
  },
  {
    pattern: /FE saved address not match backend address|actual backend local ip/i,
    advice: "Set `address` to the address that the BE has itself (see `priority_networks`),",
  },
  { pattern: /actually CN|Unmatched node type/i, advice: "A compute node runs there: stop it," },
];

const lookForAlive = async (context: Context, steady: Steady): Promise<Look<void>> => {
  const { inputs } = context;
  const seen = await rows(context);
  const row = seen && rowOf(inputs, seen);
  if (!row) {
    steady.reset();
    return { done: false, seen: seen ? "it is not in SHOW BACKENDS" : "no FE answers" };
  }
  const refusal = hopeless.find(({ pattern }) => pattern.test(row.errMsg));
  if (refusal) {
    throw new UserError(
      `BE ${inputs.name} is refused by the cluster: SHOW BACKENDS says "${row.errMsg}". ${refusal.advice} and run \`pulumi up --refresh\`.`,
    );
  }
  if (row.decommissioned) {
    steady.reset();
    return { done: false, seen: "it is being decommissioned" };
  }
  if (row.alive && runsVersion(row.version, inputs.release.version)) {
    return isSteadySoon(steady, "Alive");
  }
  steady.reset();
  const version = row.alive ? `Alive, but it runs ${row.version ?? "no known version"}` : "not Alive";
  return { done: false, seen: row.errMsg ? `${version}: ${row.errMsg}` : version };
};

const joined = async (context: Context): Promise<Outcome> => {
  const { host, inputs, limits, report } = context;
  const steady = new Steady();
  await untilJoined({ host, inputs, kind: "be" }, () => lookForAlive(context, steady), {
    what: `BE ${inputs.name} to be Alive with ${inputs.release.version} in SHOW BACKENDS`,
    limit: limits.alive,
    onProgress: report,
    advice: `Look at be.INFO and be.WARNING in ${inputs.home}/log on ${host.name}, and whether the FEs reach ${endpoint(inputs.address, inputs.port)}.`,
  });
  return done;
};

export const works = (context: Context): Works => ({
  // At once, also while an FE joins: the "lock busy" refusals that are known are those of FEs.
  add: () => add(context),
  join: () => joined(context),
});

/** StarRocks refuses where the others lack disk space, or are fewer than a table has replicas (3.1 and later). */
const whatElse = (name: string): string =>
  `BE ${name} stays as it is. Declare it again; or add another BE first, or lower replication_num of the tables that need it ` +
  "(and default_replication_num), then run `pulumi up` again.";

/** Lets the cluster move the BE's tablets elsewhere, and waits until it has let the BE go, as long as somebody waits for us. */
export const remove = async (context: Context): Promise<"decommissioned" | undefined> => {
  const { frontends, host, inputs, limits, report, run } = context;
  const advice =
    "The BE still runs and holds its tablets; the decommission goes on in the cluster. Run `pulumi up` again to wait on, or cancel it: " +
    `CANCEL DECOMMISSION BACKEND "${endpoint(inputs.address, inputs.port)}".`;
  const before = rowOf(inputs, await rowsOfLedGroup(context));
  if (!before) {
    return undefined;
  }
  if (!before.decommissioned) {
    await noteLeaving(host, inputs.home);
  }
  await frontends.tell(async (sql) => {
    try {
      await decommissionBackend(sql, inputs.address, inputs.port, limits.sql);
    } catch (error) {
      throw error instanceof SqlError
        ? new UserError(`${error.message} ${whatElse(inputs.name)}`, { cause: error })
        : error;
    }
  });
  await until(
    async () => {
      const seen = await rows(context);
      const row = seen && rowOf(inputs, seen);
      if (seen && !row) {
        return { done: true, value: undefined };
      }
      const unwanted = await run.unwanted();
      if (unwanted !== undefined) {
        const left = row ? `, with ${row.tabletNum} tablets left to move` : "";
        throw new UserError(`BE ${inputs.name} is being decommissioned${left}, and ${unwanted}. ${advice}`);
      }
      return { done: false, seen: row ? `${row.tabletNum} tablets left to move` : "no FE answers" };
    },
    {
      what: `BE ${inputs.name} to give its tablets away`,
      limit: limits.decommission,
      every: 1000,
      onProgress: report,
      advice,
    },
  );
  return "decommissioned";
};

export const beMember = memberHandlers(beMemberInputs, {
  kind: "be",
  oneByOne: false,
  steps,
  works,
  seen: async (context) => {
    const all = await rows(context);
    const row = all && rowOf(context.inputs, all);
    return row?.decommissioned ? "decommissioned" : all && (row ? "member" : "missing");
  },
  remove,
});
