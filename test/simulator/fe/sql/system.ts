import dns from "node:dns/promises";
import net from "node:net";
import { allTables, type FrontendRow, type NodeKind, type NodeRow } from "../catalog/state.js";
import { type Frontend, propose, takeIds } from "../frontend.js";
import { liveBackends } from "../leader/placement.js";
import type { Role } from "../meta/identity.js";
import { SqlError } from "./error.js";
import { type Context, done, type Result, type Statement } from "./statement.js";
import type { Tokens } from "./tokens.js";

interface Address {
  readonly host: string;
  readonly port: number;
  readonly text: string;
}

const parseAddress = (text: string): Address => {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text.trim());
  if (match?.[1] === undefined) {
    throw new SqlError(`Invalid host port: ${text}`);
  }
  return { host: match[1], port: Number(match[2]), text: `${match[1]}:${match[2]}` };
};

const readAddresses = (tokens: Tokens): Address[] => tokens.list(() => parseAddress(tokens.string()));

export const newFrontendRow = (id: number, role: Role, address: Omit<Address, "text">): FrontendRow => ({
  id,
  name: `${address.host}_${address.port}_${Date.now()}`,
  host: address.host,
  editLogPort: address.port,
  role,
  alive: false,
  replayedJournalId: 0,
  lastHeartbeat: null,
  startTime: null,
  version: null,
  queryPort: 0,
  rpcPort: 0,
  errMsg: "",
});

const checkNewFrontend = async (fe: Frontend, address: Address): Promise<void> => {
  if (net.isIP(address.host) === 0) {
    await dns.lookup(address.host).catch(() => {
      throw new SqlError(`unknown fqdn host: ${address.host}`);
    });
  }
  const sameHost = fe.catalog.state.frontends.find(({ host }) => host === address.host);
  if (sameHost !== undefined && fe.features.oneFrontendPerHost) {
    throw new SqlError(`FE with the same host: ${address.host} already exists`);
  }
  if (sameHost?.editLogPort === address.port) {
    throw new SqlError(`frontend already exists ${address.text}`);
  }
};

const addFrontend =
  (role: Role) =>
  async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
    const address = parseAddress(tokens.string());
    tokens.end();
    await checkNewFrontend(fe, address);
    const id = Math.max(0, ...fe.catalog.state.frontends.map((row) => row.id)) + 1;
    await propose(fe, { type: "addFrontend", frontend: newFrontendRow(id, role, address) });
    return done;
  };

const dropFrontend =
  (role: Role) =>
  async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
    const { host, port, text } = parseAddress(tokens.string());
    tokens.end();
    const row = fe.catalog.state.frontends.find((other) => other.host === host && other.editLogPort === port);
    if (row === undefined) {
      throw new SqlError(`frontend does not exist[${text}]`);
    }
    if (row.role !== role) {
      throw new SqlError(`${role} does not exist[${text}]`);
    }
    if (row.name === fe.group.self.name) {
      throw new SqlError("can not drop current master node.");
    }
    await propose(fe, { type: "dropFrontend", name: row.name });
    const members = fe.group.members.filter(({ name }) => name !== row.name);
    if (members.length < fe.group.members.length) {
      await propose(fe, { type: "members", members });
    }
    return done;
  };

const moveFrontend = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  const from = tokens.string();
  tokens.expect("TO");
  const to = tokens.string();
  const { frontends } = fe.catalog.state;
  const row = frontends.find(({ host }) => host === from);
  if (row === undefined) {
    throw new SqlError(`frontend [${from}] not found`);
  }
  if (row.name === fe.group.self.name) {
    throw new SqlError("can not modify current master node.");
  }
  if (frontends.some(({ host }) => host === to)) {
    throw new SqlError(`frontend with host [${to}] already exists `);
  }
  if (net.isIP(from) !== 0 && net.isIP(to) !== 0) {
    throw new SqlError("Can't change ip to ip");
  }
  await propose(fe, { type: "moveFrontend", from, to });
  const members = fe.group.members.map((member) => (member.name === row.name ? { ...member, host: to } : member));
  await propose(fe, { type: "members", members });
  return done;
};

export const newNodeRow = (id: number, kind: NodeKind, host: string, heartbeatPort: number): NodeRow => ({
  id,
  kind,
  host,
  heartbeatPort,
  bePort: -1,
  httpPort: -1,
  brpcPort: -1,
  starletPort: 0,
  alive: false,
  decommissioned: false,
  lastStartTime: null,
  lastHeartbeat: null,
  lastSeen: 0,
  errMsg: "",
  version: "",
  cores: 0,
  memLimit: 0,
  isSetStoragePath: false,
  statusCode: "CONNECTING",
  location: "",
});

const nodeWord = { backend: "Backend", compute: "Compute node" } as const;

const findNode = (fe: Frontend, { host, port }: Address): NodeRow | undefined =>
  fe.catalog.state.nodes.find((row) => row.host === host && row.heartbeatPort === port);

const duplicate = (fe: Frontend, row: NodeRow, { host, port, text }: Address): SqlError =>
  new SqlError(
    fe.features.newDuplicateBackendText
      ? `${nodeWord[row.kind]} already exists with same host ${host} and port ${port}`
      : `Same ${nodeWord[row.kind].toLowerCase()} already exists[${text}]`,
  );

const addNodes =
  (kind: NodeKind) =>
  async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
    const addresses = readAddresses(tokens);
    if (tokens.accept("INTO", "WAREHOUSE")) {
      tokens.anything();
    }
    tokens.end();
    for (const address of addresses) {
      const row = findNode(fe, address);
      if (row !== undefined) {
        throw duplicate(fe, row, address);
      }
    }
    for (const { host, port } of addresses) {
      await propose(fe, { type: "addNode", node: newNodeRow(takeIds(fe, 1), kind, host, port) });
    }
    return done;
  };

const existing = (fe: Frontend, kind: NodeKind, addresses: readonly Address[], missing: string): NodeRow[] =>
  addresses.map((address) => {
    const row = findNode(fe, address);
    if (row?.kind !== kind) {
      throw new SqlError(`${missing}[${address.text}]`);
    }
    return row;
  });

/** The only thing that DROP BACKEND checks: tables declared with one replica. */
const refuseSingleReplicas = (fe: Frontend, row: NodeRow): void => {
  const [name] = allTables(fe.catalog.state)
    .filter(({ table }) => table.replicationNum === 1)
    .filter(({ table }) => table.tablets.some(({ replicas }) => replicas.some(({ backendId }) => backendId === row.id)))
    .map(({ database, table }) => `${database.name}.${table.name}`);
  if (name === undefined) {
    return;
  }
  const list = `[${name}]`;
  throw new SqlError(
    `Tables such as ${list} on the backend[${row.host}:${row.heartbeatPort}] have only one replica. To avoid data loss, please change the replication_num of ${list} to three. ALTER SYSTEM DROP BACKEND <backends> FORCE can be used to forcibly drop the backend. `,
  );
};

const dropNodes =
  (kind: NodeKind) =>
  async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
    const addresses = readAddresses(tokens);
    if (tokens.accept("FROM", "WAREHOUSE")) {
      tokens.anything();
    }
    const force = tokens.accept("FORCE");
    tokens.end();
    const rows = existing(
      fe,
      kind,
      addresses,
      kind === "backend" ? "backend does not exists" : "compute node does not exists",
    );
    if (kind === "backend" && !force) {
      for (const row of rows) {
        refuseSingleReplicas(fe, row);
      }
    }
    for (const { id } of rows) {
      await propose(fe, { type: "dropNode", id });
    }
    return done;
  };

const decommission = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  const addresses = readAddresses(tokens);
  tokens.end();
  const rows = existing(fe, "backend", addresses, "Backend does not exist");
  if (fe.features.decommissionChecks) {
    const left = liveBackends(fe).filter((row) => !rows.includes(row)).length;
    const needed = Math.max(0, ...allTables(fe.catalog.state).map(({ table }) => table.replicationNum));
    if (left < needed) {
      throw new SqlError(
        "It will cause insufficient BE number if these BEs are decommissioned because the table's replication num is larger than the number of BEs left.",
      );
    }
  }
  for (const { id, decommissioned } of rows) {
    if (!decommissioned) {
      await propose(fe, { type: "decommission", id, on: true });
    }
  }
  return done;
};

const cancelDecommission = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  const addresses = readAddresses(tokens);
  tokens.end();
  for (const { id, decommissioned } of existing(fe, "backend", addresses, "Backend does not exist")) {
    if (decommissioned) {
      await propose(fe, { type: "decommission", id, on: false });
    } else {
      fe.log.info("SystemInfoService:560", `backend is not decommissioned[${id}]`);
    }
  }
  return done;
};

const moveBackend = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  const from = tokens.string();
  tokens.expect("TO");
  const to = tokens.string();
  const rows = fe.catalog.state.nodes.filter(({ host, kind }) => host === from && kind === "backend");
  if (rows.length === 0) {
    throw new SqlError(`backend [${from}] not found`);
  }
  for (const { id } of rows) {
    await propose(fe, { type: "moveNode", id, host: to });
  }
  return {
    columns: ["Message"],
    rows: rows.map((row) => [`${from}:${row.heartbeatPort}'s host has been modified to ${to}`]),
  };
};

const labelBackend = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  const address = parseAddress(tokens.string());
  tokens.expect("SET");
  const location = tokens.properties()["labels.location"] ?? "";
  tokens.end();
  if (location !== "" && !/^[a-z_0-9]+:[a-z_0-9]+$/.test(location)) {
    throw new SqlError(
      `Invalid 'labels.location' property, location label should have format 'key:value', but found ${location}`,
    );
  }
  const [row] = existing(fe, "backend", [address], "backend does not exist");
  if (row !== undefined) {
    await propose(fe, { type: "locate", id: row.id, location });
  }
  return done;
};

const createImage = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  tokens.end();
  if (!fe.features.createImage) {
    throw new SqlError("Syntax error in line 1: CREATE IMAGE");
  }
  await propose(fe, { type: "roll" });
  fe.log.info("GlobalStateMgr.triggerNewImage():2561", "edit log rolled because triggering a new checkpoint manually");
  return done;
};

const onLeader = (words: string, run: Statement["run"]): Statement => ({
  words: `ALTER SYSTEM ${words}`,
  runsOn: "leader",
  admin: true,
  run,
});

export const systemStatements: readonly Statement[] = [
  onLeader("ADD FOLLOWER", addFrontend("FOLLOWER")),
  onLeader("ADD OBSERVER", addFrontend("OBSERVER")),
  onLeader("DROP FOLLOWER", dropFrontend("FOLLOWER")),
  onLeader("DROP OBSERVER", dropFrontend("OBSERVER")),
  onLeader("MODIFY FRONTEND HOST", moveFrontend),
  onLeader("ADD BACKEND", addNodes("backend")),
  onLeader("DROP BACKEND", dropNodes("backend")),
  onLeader("ADD COMPUTE NODE", addNodes("compute")),
  onLeader("DROP COMPUTE NODE", dropNodes("compute")),
  onLeader("DECOMMISSION BACKEND", decommission),
  onLeader("MODIFY BACKEND HOST", moveBackend),
  onLeader("MODIFY BACKEND", labelBackend),
  onLeader("CREATE IMAGE", createImage),
  onLeader("CLEAN TABLET SCHEDULER QUEUE", () => done),
  { words: "CANCEL DECOMMISSION BACKEND", runsOn: "leader", admin: true, run: cancelDecommission },
];
