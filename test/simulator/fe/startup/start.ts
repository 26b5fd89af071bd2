import http from "node:http";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Catalog } from "../catalog/catalog.js";
import type { Member } from "../catalog/operations.js";
import { TabletLocks } from "../data/lock.js";
import { type Frontend, type Lifecycle, versionOf } from "../frontend.js";
import { Group } from "../group/group.js";
import { startCheckpoints } from "../leader/checkpoint.js";
import { startDecommissions } from "../leader/decommission.js";
import { Disks } from "../leader/disks.js";
import { startHeartbeats } from "../leader/heartbeat.js";
import { startRepairs } from "../leader/repair.js";
import { startReports } from "../leader/reports.js";
import { startSchemaChanges } from "../leader/schema-changes.js";
import { startStatistics } from "../leader/statistics.js";
import type { Log } from "../log.js";
import { type Identity, readIdentity, removeIdentity, writeRole } from "../meta/identity.js";
import { tearOnce } from "../meta/tear.js";
import { chooseAddress, hostPort, listenAddress, nameOf } from "../settings/address.js";
import type { Build } from "../settings/build.js";
import { type Conf, StartFailure } from "../settings/conf.js";
import type { Faults } from "../settings/faults.js";
import type { Options } from "../settings/options.js";
import { RuntimeConfig } from "../settings/runtime.js";
import type { Features } from "../settings/version.js";
import type { Engine } from "../sql/statement.js";
import { newFrontendRow } from "../sql/system.js";
import type { Arguments } from "./arguments.js";
import { groupEvents, newerWriterGuard } from "./events.js";
import { exitWithHook, listenToSignals } from "./exit.js";
import { establishIdentity, type Origin } from "./identity.js";
import { checkMetaDir, openMetadata, resetGroup } from "./metadata.js";
import { waitForReady } from "./ready.js";
import { openServers } from "./servers.js";

export interface Process {
  readonly home: string;
  readonly build: Build;
  readonly features: Features;
  readonly conf: Conf;
  readonly options: Options;
  readonly faults: Faults;
  readonly log: Log;
  readonly arguments: Arguments;
}

const died = 255;

/** Binding it for a moment tells whether somebody else has it. */
const requireFreePort = async (port: number, host: string): Promise<void> => {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", () =>
      reject(
        new StartFailure(`edit_log_port ${port} is already in use. will exit.`, "NodeMgr.getCheckedSelfHostPort():667"),
      ),
    );
    server.listen(port, host, () => resolve());
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
};

const startFaults = async ({ faults, log }: Process): Promise<void> => {
  const slow = faults.find("slowStart");
  if (slow !== undefined) {
    await sleep(slow.ms);
  }
  const deadly = faults.find("dieAtStart");
  if (deadly !== undefined) {
    const message = deadly.message ?? "java.lang.NoClassDefFoundError: com/starrocks/common/Config";
    log.out(message);
    log.warn("StarRocksFE.start():141", `StarRocksFE start failed ${message}`);
    process.exit(deadly.exitCode ?? died);
  }
  while (faults.find("hangAtStart") !== undefined) {
    await sleep(200);
  }
  if (faults.find("corruptMeta") !== undefined) {
    throw new StartFailure(
      "failed to load journal type 10001: LOG_CHECKSUM: Checksum invalid on read",
      "BDBJournalCursor:311",
    );
  }
};

/** A recovery key of another line is an unknown key: ignored. */
const wantsRecovery = ({ conf, features }: Process): boolean => conf.flag(features.recoveryKey, false);

const member = ({ role }: Identity, host: string, port: number): Member => ({
  name: role.name,
  host,
  port,
  role: role.role,
});

const readPorts = (conf: Conf) => ({
  http: conf.number("http_port", 8030),
  rpc: conf.number("rpc_port", 9020),
  query: conf.number("query_port", 9030),
  editLog: conf.number("edit_log_port", 9010),
});

const addressOf = async ({ conf, features, log, arguments: given }: Process, metaDir: string) => {
  const { ip, warning } = chooseAddress(conf, features);
  const where = "FrontendOptions.initAddrUseIp():239";
  if (warning !== undefined) {
    log.warn(where, warning);
  }
  const hostType = given.hostType ?? readIdentity(metaDir)?.role.hostType ?? "IP";
  const host = hostType === "FQDN" && features.hostType ? await nameOf(ip) : ip;
  log.info(where, `Use ${hostType} init local addr, IP: /${ip}`);
  return { ip, host, hostType };
};

const correctName = (own: Process, metaDir: string, identity: Identity, host: string, port: number): Identity => {
  if (!own.features.recoveryCorrectsName || identity.role.name.startsWith(`${host}_${port}_`)) {
    return identity;
  }
  const role = { ...identity.role, name: `${host}_${port}_${Date.now()}` };
  writeRole(metaDir, role);
  own.log.info(
    "NodeMgr.getClusterIdAndRoleOnStartup():340",
    `correct the node name ${identity.role.name} to new node name: ${role.name}, role: ${role.role}`,
  );
  return { ...identity, role };
};

interface Opened {
  readonly fe: Frontend;
  readonly origin: Origin;
  readonly recovers: boolean;
}

/** Everything up to the group's port: identity, image, journal. */
const open = async (own: Process, metaDir: string, startedAt: number): Promise<Opened> => {
  const { conf, features, log, options, faults, build, home } = own;
  const ports = readPorts(conf);
  const { ip, host, hostType } = await addressOf(own, metaDir);
  const listen = listenAddress(ip);
  if (faults.find("refusePort")?.port === "edit_log") {
    throw new StartFailure(`edit_log_port ${ports.editLog} is already in use. will exit.`);
  }
  await requireFreePort(ports.editLog, listen);
  const setting = {
    metaDir,
    conf,
    features,
    options,
    log,
    ip,
    host,
    hostType,
    editLogPort: ports.editLog,
    httpPort: ports.http,
  };
  const { helpers } = own.arguments;
  const found = await establishIdentity({ ...setting, helpers });
  const recovers = wantsRecovery(own) && found.origin === "member";
  const identity = recovers ? correctName(own, metaDir, found.identity, host, ports.editLog) : found.identity;
  log.info(
    "NodeMgr.getHelperNodes():656",
    `get helper nodes: [${(helpers.length > 0 ? helpers : [{ host, port: ports.editLog }]).map((node) => hostPort(node.host, node.port)).join(", ")}]`,
  );

  const { image, journal } = openMetadata(metaDir, features, log);
  const self = member(identity, host, ports.editLog);
  const version = versionOf({ build, faults });
  if (recovers) {
    resetGroup(journal, self, version, log);
  }
  const catalog = new Catalog();
  const config = new RuntimeConfig(conf, metaDir);
  if (image !== undefined) {
    newerWriterGuard({ log, options, version, config })(image.version, `image ${image.index}`);
    catalog.restore(image.state);
  }
  Object.assign(catalog.state, { clusterId: identity.version.clusterId, token: identity.version.token });
  if (found.origin === "member" && image === undefined && journal.lastIndex === 0) {
    throw new StartFailure("current node is not added to the cluster, will exit", "GlobalStateMgr.initialize():1180");
  }
  const lifecycle: Lifecycle = {
    ready: false,
    exiting: false,
    unknownSince: undefined,
    checkpoint: undefined,
    imageIndex: image?.index ?? 0,
  };
  const members = image?.members ?? (found.origin === "founder" ? [self] : []);
  const parts = { catalog, identity, lifecycle, log, options, features, faults, config, metaDir, version };
  const events = groupEvents({ ...parts, group: () => group });
  const group: Group = new Group({ self, listen, version, options, faults, journal, events, members });
  const agent = new http.Agent({ keepAlive: true });
  const fe = {
    home,
    build,
    features,
    conf,
    options,
    faults,
    log,
    metaDir,
    ip,
    host,
    ports,
    identity,
    catalog,
    config,
    group,
    startedAt,
    agent,
    lifecycle,
  };
  return { fe, origin: found.origin, recovers };
};

/** Journals what only the founder, or a recovered leader, has to say. */
const introduce = async ({ fe, origin, recovers }: Opened): Promise<void> => {
  const { clusterId, token } = fe.catalog.state;
  const row = {
    ...newFrontendRow(1, "FOLLOWER", { host: fe.host, port: fe.ports.editLog }),
    name: fe.group.self.name,
    alive: true,
  };
  const known = { ...row, queryPort: fe.ports.query, rpcPort: fe.ports.rpc };
  const isNew = fe.catalog.state.frontends.length === 0;
  if (isNew && (origin === "founder" || fe.group.isLeader())) {
    await fe.group.propose({ type: "members", members: fe.group.members });
    await fe.group.propose({ type: "found", clusterId, token, frontend: known });
  } else if (recovers && fe.features.recoveryReplacesFrontends && fe.group.isLeader()) {
    await fe.group.propose({ type: "resetFrontends", frontend: known });
  }
};

const requireMembership = ({ fe, recovers }: Opened): void => {
  const listed = fe.catalog.state.frontends.some(({ name }) => name === fe.group.self.name);
  if (!listed && !recovers) {
    throw new StartFailure(
      "current node is not added to the cluster, will exit",
      "GlobalStateMgr.checkCurrentNodeExist():1235",
    );
  }
};

const startLeaderWork = (fe: Frontend): Engine => {
  const locks = new TabletLocks();
  const repairs = startRepairs(fe, locks);
  startHeartbeats(fe);
  startCheckpoints(fe);
  startDecommissions(fe);
  startSchemaChanges(fe);
  const disks = new Disks();
  startReports(fe, locks, disks);
  startStatistics(fe);
  return { fe, locks, repairs, disks };
};

const watchWhileRunning = (fe: Frontend): void => {
  const readyAt = performance.now();
  setInterval(() => {
    const crash = fe.faults.find("crashLoop");
    if (crash !== undefined && performance.now() - readyAt > crash.afterMs) {
      process.kill(process.pid, "SIGKILL");
    }
    const die = fe.faults.find("die");
    if (die !== undefined) {
      process.exit(die.exitCode ?? died);
    }
  }, 100);
};

/** The life of an FE from the first log line to the open HTTP port. */
export const start = async (own: Process): Promise<void> => {
  const { conf, features, log, options, build, home } = own;
  const startedAt = Date.now();
  await sleep(options.jvmStartMs);
  log.info(
    "StarRocksFE.start():118",
    `StarRocks FE starting${features.startedLine ? `, version: ${build.version}-${build.commit}` : "..."}`,
  );
  await startFaults(own);
  const metaDir = conf.text("meta_dir", path.join(home, "meta"));
  if (own.faults.find("tornLog") !== undefined) {
    tearOnce(home, metaDir);
  }
  checkMetaDir(metaDir, home, own);
  const joinInterrupted = () => {
    if (features.removesHalfDoneJoin) {
      removeIdentity(metaDir);
    }
    process.exit(143);
  };
  process.once("SIGTERM", joinInterrupted);
  const opened = await open(own, metaDir, startedAt);
  const { fe, origin } = opened;
  if (origin !== "joiner") {
    process.removeListener("SIGTERM", joinInterrupted);
  }
  await fe.group.open();
  if (origin === "joiner") {
    await fe.group.join(own.arguments.helpers[0] ?? { host: "", port: 0 });
    process.removeListener("SIGTERM", joinInterrupted);
  }
  listenToSignals(fe);
  await waitForReady(fe);
  await introduce(opened);
  requireMembership(opened);
  fe.lifecycle.ready = true;
  log.info(
    "GlobalStateMgr.waitForReady():1092",
    `${features.catalogWord} is ready. FE type: ${fe.group.isLeader() ? features.leaderWord : fe.group.state}`,
  );
  const engine = startLeaderWork(fe);
  await openServers(engine, () => {
    exitWithHook(fe, 0).catch(() => process.exit(0));
  });
  watchWhileRunning(fe);
};
