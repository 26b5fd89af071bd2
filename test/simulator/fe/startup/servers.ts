import type net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttpServer } from "../http/server.js";
import { createMysqlServer } from "../mysql/server.js";
import { createRpcServer } from "../rpc.js";
import { listenAddress } from "../settings/address.js";
import { StartFailure } from "../settings/conf.js";
import { SqlError } from "../sql/error.js";
import { execute, executeForwarded } from "../sql/execute.js";
import type { Engine } from "../sql/statement.js";

const listen = (server: net.Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve());
  });

const never = (): Promise<never> => new Promise(() => undefined);

const openRpc = async (engine: Engine): Promise<void> => {
  const { fe, disks } = engine;
  const isolated = () => fe.faults.find("isolate") !== undefined;
  const server = createRpcServer({
    disks,
    forward: (request) => (isolated() ? never() : executeForwarded(engine, request)),
    appliedIndex: () => fe.group.applied,
    setConfig: (key, value) => fe.config.set(key, value),
  });
  if (fe.faults.find("refusePort")?.port === "rpc") {
    return;
  }
  await listen(server, fe.ports.rpc, listenAddress(fe.ip)).catch(() => {
    throw new StartFailure(
      `thrift server start failed with port ${fe.ports.rpc} , will exit`,
      "FrontendThriftServer.start():88",
    );
  });
  fe.log.info("FrontendThriftServer.start():101", `thrift server started with port ${fe.ports.rpc}.`);
};

const openMysql = async (engine: Engine): Promise<void> => {
  const { fe } = engine;
  const server = createMysqlServer({
    version: () => fe.features.handshakeVersion,
    passwordHash: (user) => fe.catalog.state.users[user]?.passwordHash,
    execute: (session, sql) => execute(engine, session, sql),
    connected: async (session) => {
      if (session.database === undefined || ["information_schema", "sys"].includes(session.database)) {
        return;
      }
      if (fe.catalog.state.databases.some(({ name }) => name === session.database)) {
        return;
      }
      throw new SqlError(`Unknown database '${session.database}'`, 1049, "42000");
    },
  });
  if (fe.faults.find("refusePort")?.port === "query") {
    return;
  }
  await listen(server, fe.ports.query, listenAddress(fe.ip)).catch(() => {
    throw new StartFailure("mysql server start failed", "QeService.start():63");
  });
  fe.log.info("NMysqlServer.start():112", `Open mysql server success on ${fe.ports.query}`);
  fe.log.info("QeService.start():66", "QE service start.");
};

const openHttp = async (engine: Engine, stop: () => void): Promise<void> => {
  const { fe } = engine;
  if (fe.faults.find("refusePort")?.port === "http") {
    return;
  }
  const server = createHttpServer(engine, { stop });
  await listen(server, fe.ports.http, listenAddress(fe.ip)).catch(() => {
    throw new StartFailure(`Fail to start FE query http server[port: ${fe.ports.http}]`, "HttpServer.start():301");
  });
  fe.log.info("HttpServer$HttpServerThread.run():318", `HttpServer started with port ${fe.ports.http}`);
};

/** Thrift, MySQL, and HTTP last of all. */
export const openServers = async (engine: Engine, stop: () => void): Promise<void> => {
  const { fe } = engine;
  await openRpc(engine);
  await openMysql(engine);
  if (fe.features.startedLine) {
    fe.log.info("StarRocksFE.start():207", "FE started successfully");
  }
  await sleep(fe.options.httpDelayMs);
  await openHttp(engine, stop);
};
