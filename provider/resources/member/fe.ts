import { UserError } from "../../error.js";
import { declaredAnew } from "../../plan/node.js";
import { majorityOf } from "../../plan/quorum.js";
import type { Step } from "../../plan/steps.js";
import { done, notMet, type Outcome, skipped, type Works } from "../../rollout/execute.js";
import { isSteadySoon, Steady } from "../../rollout/steady.js";
import { holdsMetadata, inspectData } from "../../starrocks/folders.js";
import { readHomeMarker } from "../../starrocks/marker.js";
import { observeProcess } from "../../starrocks/process.js";
import { frontendRow, isRowOf } from "../../starrocks/rows.js";
import type { Frontend } from "../../starrocks/show.js";
import {
  addFrontend,
  dropFrontend,
  endpoint,
  roleWord,
  showFrontends,
  versionComment,
} from "../../starrocks/statements.js";
import { runsVersion } from "../../starrocks/versions.js";
import type { Look } from "../../wait.js";
import { feMemberInputs } from "../inputs.js";
import { isFe } from "../node/context.js";
import { transferLeadership } from "../node/leadership.js";
import { topologyIn } from "../preflight/gate.js";
import { roleProblem } from "../role.js";
import { javaHomeFor } from "../staging.js";
import { type FeMemberInputs, type MemberContext, memberHandlers } from "./handlers.js";
import { untilJoined } from "./joining.js";

type Context = MemberContext<FeMemberInputs>;

const steps = ({ address, name, ports, release, role }: FeMemberInputs): readonly Step[] => [
  {
    verb: "add",
    text: `ALTER SYSTEM ADD ${roleWord(role)} "${endpoint(address, ports.editLog)}"`,
    ...(role === "leader" && { when: "if another FE founded the group" }),
  },
  { verb: "join", text: `see FE ${name} joined and Alive with ${release.version} in SHOW FRONTENDS` },
  { verb: "query", text: `SELECT @@version_comment through FE ${name}` },
];

const rows = ({ frontends, limits }: Context): Promise<readonly Frontend[] | undefined> =>
  frontends.ask((sql) => showFrontends(sql, limits.sql));

/** Rows of a group that has a leader; a cold start may still elect one. */
const rowsOfLedGroup = ({ frontends, limits, report }: Context): Promise<readonly Frontend[]> =>
  frontends.askSoon((sql) => showFrontends(sql, limits.sql), limits.leader, report);

const add = async (context: Context): Promise<Outcome> => {
  const { inputs, frontends, limits } = context;
  const row = frontendRow(inputs, await rowsOfLedGroup(context));
  const problem = roleProblem(inputs, row);
  if (problem !== undefined) {
    throw new UserError(problem);
  }
  if (row) {
    return inputs.role === "leader" ? notMet("the group has it") : skipped("the group has it");
  }
  await frontends.tell((sql) => addFrontend(sql, inputs.role, inputs.address, inputs.ports.editLog, limits.sql));
  return done;
};

/** The metadata of an FE that was dropped says so for ever: it answers on, and its next start ends as DETACHED. */
export const assertMayJoin = async ({ host, inputs }: Context): Promise<void> => {
  const marker = await readHomeMarker(host, inputs.home, "fe");
  const [folder] = marker?.left ? await inspectData(host, [inputs.metaDir]) : [];
  if (holdsMetadata(folder)) {
    throw new UserError(
      `FE ${inputs.name} was dropped from its group (${marker?.left?.at}), as a replaced member is, and ${inputs.metaDir} on ${host.name} still holds ` +
        "the metadata that it had there: with it an FE never joins again. Nothing was added. " +
        declaredAnew("fe", "again"),
    );
  }
};

/** What of the proof is still missing, for people; undefined when nothing is. */
const missing = ({ release }: FeMemberInputs, row: Frontend | undefined): string | undefined => {
  if (!row) {
    return "it is not in SHOW FRONTENDS";
  }
  const why = row.errMsg ? `: ${row.errMsg}` : "";
  if (!row.join) {
    return `not joined${why}`;
  }
  if (!row.alive) {
    return `not Alive${why}`;
  }
  // A leader's own row has neither start time nor version for its first seconds.
  const proven = row.role === "leader" || runsVersion(row.version, release.version);
  return proven ? undefined : `it runs ${row.version ?? "no known version"}`;
};

const lookForJoined = async (context: Context, steady: Steady): Promise<Look<void>> => {
  const { inputs } = context;
  const seen = await rows(context);
  const lacking = seen ? missing(inputs, frontendRow(inputs, seen)) : "no FE answers";
  if (lacking !== undefined) {
    steady.reset();
    return { done: false, seen: lacking };
  }
  return isSteadySoon(steady, "joined and Alive");
};

const joined = async (context: Context): Promise<Outcome> => {
  const { host, inputs, limits, report } = context;
  const steady = new Steady();
  await untilJoined({ host, inputs, kind: "fe" }, () => lookForJoined(context, steady), {
    what: `FE ${inputs.name} to join its group`,
    limit: limits.alive,
    onProgress: report,
    advice:
      `Look at fe.log in ${inputs.home}/log on ${host.name}. An FE that was once started without --helper made a cluster of its own and never joins: ` +
      "its metadata folder must then be moved away by hand.",
  });
  return done;
};

const query = async ({ frontends, inputs, limits }: Context): Promise<Outcome> => {
  const contact = frontends.contacts.find(({ name }) => name === inputs.name);
  if (!contact) {
    throw new UserError(`FE ${inputs.name} is not among \`frontends\`, so it cannot be queried.`);
  }
  const version = await versionComment(await frontends.through(contact), limits.sql);
  if (!runsVersion(version, inputs.release.version)) {
    throw new UserError(
      `FE ${inputs.name} answers as ${version ?? "no version"}, declared is ${inputs.release.version}.`,
    );
  }
  return { mark: "done", detail: `it answers as ${version}` };
};

export const works = (context: Context): Works => ({
  add: () => add(context),
  join: () => joined(context),
  query: () => query(context),
});

/** A group does not drop its leader: the declared leader, else any other voter that is well, leads first. */
const giveUpLeadership = async (context: Context, leader: Frontend, voters: readonly Frontend[]): Promise<void> => {
  const { frontends, host, inputs, limits, report, run } = context;
  const fit = voters.filter(({ alive, join }) => alive && join);
  // The recorded contacts are those of when this FE was declared, maybe as the leader.
  const declared = topologyIn(run)
    ?.nodes.filter(isFe)
    .find(({ spec }) => spec.role === "leader")?.spec;
  const target = fit.find((row) => declared && isRowOf(declared, row)) ?? fit[0];
  const process = await observeProcess(host, "fe", inputs.home);
  const refused = target
    ? await transferLeadership({
        ...{ frontends, host, limits, report, leader, target },
        of: inputs,
        javaHome: process?.javaHome ?? (await javaHomeFor(host, inputs)),
      })
    : { refused: "no other voting FE is Alive and has joined" };
  if ("refused" in refused) {
    throw new UserError(
      `FE ${inputs.name} leads its group, which does not drop its leader, and it could not hand leadership over: ${refused.refused}. ` +
        "Nothing was changed. Stop it by hand (bin/stop_fe.sh), so that another one is elected, then run `pulumi up` again.",
    );
  }
};

/** Drops the FE from its group, where the rest keeps a majority of voters. */
const remove = async (context: Context): Promise<"dropped" | undefined> => {
  const { frontends, inputs, limits } = context;
  const seen = await rowsOfLedGroup(context);
  const row = frontendRow(inputs, seen);
  if (!row) {
    return undefined;
  }
  const voters = seen.filter(({ role }) => role === "leader" || role === "follower").filter((one) => one !== row);
  const alive = voters.filter((one) => one.alive).length;
  if (row.role !== "observer" && alive < majorityOf(voters.length)) {
    throw new UserError(
      `Without FE ${inputs.name} only ${alive} of ${voters.length} voting FEs would be alive: no majority, no cluster. Bring the others back first.`,
    );
  }
  if (row.role === "leader") {
    await giveUpLeadership(context, row, voters);
  }
  await frontends.tell(
    (sql) => dropFrontend(sql, row.role, inputs.address, inputs.ports.editLog, limits.sql),
    inputs.name,
  );
  return "dropped";
};

export const feMember = memberHandlers(feMemberInputs, {
  kind: "fe",
  oneByOne: true,
  steps,
  works,
  assertMayJoin,
  seen: async (context) => {
    const all = await rows(context);
    const row = all && frontendRow(context.inputs, all);
    return roleProblem(context.inputs, row) ? "in another role" : all && (row ? "member" : "missing");
  },
  remove,
});
