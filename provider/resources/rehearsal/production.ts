import { UserError } from "../../error.js";
import { needlessBecause } from "../../plan/rehearsal.js";
import type { ClusterRows, Contact, Frontends } from "../../rollout/frontends.js";
import type { Forbidden } from "../../starrocks/rehearsal/isolation.js";
import { type Catalog, catalogOf } from "../../starrocks/rehearsal/judgement.js";
import { isRowOf } from "../../starrocks/rows.js";
import { type Frontend, showComputeNodes } from "../../starrocks/statements.js";
import type { Inputs } from "./inputs.js";

/** The running cluster as it was before the copy was begun. */
export interface Production {
  readonly leader: Frontend;
  readonly contact: Contact;
  readonly catalog: Catalog;
  /** Every port that the copy could talk to; only asked for where no namespace keeps it from them. */
  readonly forbidden: readonly Forbidden[];
}

/** How long a group that ran before may take to answer, in milliseconds: an election, not a cluster that is down. */
const answerLimit = 30_000;

/** The cluster whose new FE is to be rehearsed, or why there is nothing to rehearse. */
export const observeProduction = async (
  frontends: Frontends,
  inputs: Inputs,
  from: Inputs["to"] | undefined,
): Promise<Production | string> => {
  const { to, when, limits } = inputs;
  const rows =
    from === undefined
      ? await frontends.rows()
      : await frontends.rowsSoon(Math.min(limits.leader, answerLimit)).catch(() => undefined);
  const leader = rows?.frontends.find(({ role, alive }) => role === "leader" && alive);
  if (!rows || !leader) {
    return "no cluster runs whose metadata could be copied";
  }
  const version = (leader.version ?? "").replace(/-[0-9a-f]{7,40}$/i, "");
  const needless = needlessBecause(when, { from, to }, version);
  if (needless !== undefined) {
    return needless;
  }
  return {
    leader,
    contact: contactOf(leader, inputs.frontends),
    catalog: await catalogNow(frontends, inputs),
    forbidden: inputs.isolated ? await portsOf(frontends, rows, limits.sql) : [],
  };
};

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

export const catalogNow = async (frontends: Frontends, { limits }: Inputs): Promise<Catalog> => {
  const rows = await frontends.ask((sql) => sql.query("SHOW PROC '/dbs'", [], limits.sql));
  if (!rows) {
    throw new UserError("No FE answers any more, so its databases could not be counted. Run `pulumi up` again.");
  }
  return catalogOf(rows);
};

const portsOf = async (frontends: Frontends, rows: ClusterRows, limit: number): Promise<readonly Forbidden[]> => {
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
