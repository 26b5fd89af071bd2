import { UserError } from "../../error.js";
import { needlessBecause, type Rehearsed } from "../../plan/rehearsal.js";
import { type ClusterRows, type Contact, type Frontends, majorityAdvice } from "../../rollout/frontends.js";
import { askLeader } from "../../rollout/leader.js";
import type { Forbidden } from "../../starrocks/rehearsal/isolation.js";
import { type Catalog, catalogOf } from "../../starrocks/rehearsal/judgement.js";
import { isRowOf } from "../../starrocks/rows.js";
import { type Frontend, showComputeNodes } from "../../starrocks/statements.js";
import { parseReported } from "../../starrocks/versions.js";
import { until } from "../../wait.js";
import { type FoundGroup, lookAtGroup, needing } from "./group.js";
import type { Inputs } from "./inputs.js";

/** The running cluster as it was before the copy was begun. */
export interface Production {
  readonly leader: Frontend;
  /** What that runs, without its commit. */
  readonly version: string;
  readonly contact: Contact;
  readonly catalog: Catalog;
  /** Every port that the copy could talk to; only asked for where no namespace keeps it from them. */
  readonly forbidden: readonly Forbidden[];
}

/** Why nothing is rehearsed. */
export interface Spared {
  readonly why: string;
  /** What the leader runs; undefined where none was asked. */
  readonly version?: string;
  /** No FE has ever run on the declared hosts: not the release is why, there is nothing to rehearse it on. */
  readonly empty: boolean;
}

type Group = Pick<Frontends, "rows" | "ask" | "contacts" | "hostOf" | "through" | "forget">;

export interface ProductionOptions {
  /** What was rehearsed, or needed no rehearsal, last. */
  readonly from: Rehearsed | undefined;
  /** Starts declared FEs that are down, on what they ran before: a cold or half cold group is not a missing one. */
  readonly startDown: () => Promise<unknown>;
  readonly report: (seen: string) => void;
}

/**
 * The cluster whose new FE is to be rehearsed, or why none is. That nobody answers is no answer: only the FE hosts can
 * tell that there is no cluster, and a group that has run must say which of its FEs leads.
 */
export const observeProduction = async (
  frontends: Group,
  inputs: Inputs,
  { from, startDown, report }: ProductionOptions,
): Promise<Production | Spared> => {
  const { to, when, limits } = inputs;
  const needless = (version: string): string | undefined => needlessBecause(when, { from, to }, version);
  let led = await leading(frontends);
  if (!led) {
    const spared = sparedBy(await lookAtGroup(frontends), needless, to.version);
    if (spared) {
      return spared;
    }
    await startDown();
    led = await untilLed(frontends, { limit: limits.leader, report });
  }
  const { leader, rows, version } = led;
  const why = needless(version);
  if (why !== undefined) {
    return { why, version, empty: false };
  }
  return {
    leader,
    version,
    contact: contactOf(leader, inputs.frontends),
    catalog: await catalogNow(frontends, inputs),
    forbidden: inputs.isolated ? await portsOf(frontends, rows, limits.sql) : [],
  };
};

interface Led {
  readonly leader: Frontend;
  readonly rows: ClusterRows;
  /** What the leader runs, without its commit. */
  readonly version: string;
}

/**
 * Undefined while nobody answers or, as in the moment of an election, all say that they follow. A new leader's row has no
 * version for its first seconds, and no version is not a patch away from the declared one.
 */
const leading = async (frontends: Group): Promise<Led | undefined> => {
  const rows = await frontends.rows();
  const leader = rows?.frontends.find(({ role, alive }) => role === "leader" && alive);
  const version = parseReported(leader?.version)?.text;
  return rows && leader && version !== undefined ? { leader, rows, version } : undefined;
};

/** What the hosts say for sure where no FE does; undefined when that is nothing. */
const sparedBy = (
  group: FoundGroup,
  needless: (version: string) => string | undefined,
  version: string,
): Spared | undefined => {
  if (group.unseen.length > 0 || needing(group, needless).length > 0) {
    return undefined;
  }
  return group.frontends.some(({ hasRun }) => hasRun)
    ? { why: `what the FEs hold is of a version that needs no rehearsal of ${version}`, empty: false }
    : { why: "no FE runs, and none has metadata that could be copied", empty: true };
};

const advice =
  "Declare the version that it ran and run `pulumi up --refresh`, which starts declared nodes that are down; then declare this one again. " +
  "`rehearsal: false` goes on without one.";

/** Waits for a leader, as long as there is an FE that could become one. */
const untilLed = (
  frontends: Group,
  { limit, report }: { readonly limit: number; readonly report: (seen: string) => void },
): Promise<Led> =>
  until<Led>(
    async () => {
      const led = await leading(frontends);
      if (led) {
        return { done: true, value: led };
      }
      const { unseen, frontends: found } = await lookAtGroup(frontends);
      if (unseen.length === 0 && !found.some(({ running }) => running)) {
        throw new UserError(
          `No FE of the cluster runs, though there is a cluster: its new version cannot be rehearsed. ${advice}`,
        );
      }
      return { done: false, seen: ["no FE says that one leads, and which version", ...unseen].join("; ") };
    },
    {
      what: "the FE group to have a leader, whose metadata is copied",
      limit,
      every: 500,
      onProgress: report,
      advice: `${majorityAdvice} ${advice}`,
    },
  );

const contactOf = (leader: Frontend, contacts: readonly Contact[]): Contact => {
  const contact = contacts.find((one) => isRowOf(one, leader));
  if (!contact) {
    const declared = contacts.map(({ address }) => address).join(", ");
    throw new UserError(
      `The FE that leads, ${leader.address}:${leader.editLogPort}, is none of those declared (${declared}), so its metadata cannot be copied. Declare it.`,
    );
  }
  return contact;
};

/** As the leader has them: another FE answers from what it has replayed, and may be far behind. */
export const catalogNow = (
  frontends: Pick<Frontends, "rows" | "contacts" | "through" | "forget">,
  { limits }: Inputs,
): Promise<Catalog> =>
  until<Catalog>(
    async () => {
      const rows = await askLeader(frontends, (sql) => sql.query("SHOW PROC '/dbs'", [], limits.sql));
      return rows ? { done: true, value: catalogOf(rows) } : { done: false, seen: "no declared FE leads" };
    },
    {
      what: "the leader of the FE group to tell its databases",
      limit: limits.leader,
      every: 500,
      advice: `${majorityAdvice} Run \`pulumi up\` again.`,
    },
  );

const portsOf = async (frontends: Group, rows: ClusterRows, limit: number): Promise<readonly Forbidden[]> => {
  // Versions before 2.4 have no compute nodes to tell of.
  const computeNodes = (await frontends.ask((sql) => showComputeNodes(sql, limit).catch(() => []))) ?? [];
  const nodes = [
    ...rows.frontends.map(({ address, editLogPort, httpPort, queryPort, rpcPort }) => ({
      address,
      ports: [editLogPort, httpPort, queryPort, rpcPort],
    })),
    ...[...rows.backends, ...computeNodes].map(({ address, heartbeatPort, bePort, httpPort, brpcPort }) => ({
      address,
      ports: [heartbeatPort, bePort, httpPort, brpcPort],
    })),
  ];
  return nodes.flatMap(({ address, ports }) => ports.filter((port) => port > 0).map((port) => ({ address, port })));
};
