import { createServer, type Server } from "node:net";
import type { BackendPort } from "../settings/faults.js";
import { createBackendServer } from "./agent.js";
import { createHeartbeatServer } from "./heartbeat-server.js";
import { createHttpServer } from "./http.js";
import { kindOf, type Node } from "./node.js";

interface Service {
  readonly port: BackendPort;
  readonly key: string;
  readonly create: () => Server;
  /** The line of a start that succeeded, and of a busy port (starrocks-facts.md §11). */
  readonly step: string;
  readonly busy: (number: number, reason: string) => string;
}

/** A port that only listens: brpc, starlet. */
const silent = (): Server => createServer((socket) => socket.on("error", () => socket.destroy()));

const SPENT_EXIT_CODE = 1;

const services = (node: Node, stopNow: () => void): Readonly<Record<BackendPort, Service>> => {
  const kind = kindOf(node);
  const { heartbeatBusyTypo, oldHttpBusyText } = node.features;
  const usesOldThriftKey = node.isComputeNode && node.conf.number("thrift_port") !== 0;
  return {
    starlet: {
      port: "starlet",
      key: "starlet_port",
      create: silent,
      step: "staros worker init successfully",
      busy: (number, reason) => `Fail to start starlet on port ${number}: ${reason}`,
    },
    be: {
      port: "be",
      key: usesOldThriftKey ? "thrift_port" : "be_port",
      create: () => createBackendServer(node),
      step: "start thrift server successfully",
      busy: (number, reason) => `Fail to start BackendService thrift server on port ${number}: ${reason}`,
    },
    brpc: {
      port: "brpc",
      key: "brpc_port",
      create: silent,
      step: "start brpc server successfully",
      busy: () => "BRPC service did not start correctly, exiting errcoe: -1",
    },
    http: {
      port: "http",
      key: "be_http_port",
      create: () => createHttpServer(node, stopNow),
      step: "start http server successfully",
      busy: (number, reason) =>
        oldHttpBusyText
          ? "StarRocks Be http service did not start correctly, exiting"
          : `${kind} http server did not start correctly, exiting: Failed to listen port. port: ${number}, error: ${reason}`,
    },
    heartbeat: {
      port: "heartbeat",
      key: "heartbeat_service_port",
      create: () => createHeartbeatServer(node),
      step: "start heartbeat server successfully",
      busy: (_, reason) =>
        oldHttpBusyText
          ? `StarRocks BE HeartBeat Service did not start correctly. Error=${reason}`
          : `${kind} heartbeat server ${heartbeatBusyTypo ? "dint not start correctlr" : "did not start correctly"}, exiting: ${reason}`,
    },
  };
};

const order = ({ features }: Node): readonly BackendPort[] => {
  const data: readonly BackendPort[] = [...(features.starlet ? (["starlet"] as const) : []), "be", "brpc", "http"];
  return features.heartbeatFirst ? ["heartbeat", ...data] : [...data, "heartbeat"];
};

const listen = (server: Server, port: number, host: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    server.once("error", (error) =>
      resolve(error.message.includes("EADDRINUSE") ? "Address already in use" : error.message),
    );
    server.listen({ port, host }, () => resolve(undefined));
  });

/** Opens the ports one after the other; the first that is taken ends the process. */
export const openPorts = async (
  node: Node,
  step: (text: string) => void,
  stopNow: () => void,
): Promise<readonly Server[]> => {
  const all = services(node, stopNow);
  const servers: Server[] = [];
  for (const name of order(node)) {
    const { key, create, step: done, busy } = all[name];
    const port = node.conf.number(key);
    const server = create();
    const refused = node.faults.find("refusePort")?.port === name;
    const problem = refused ? "Address already in use" : await listen(server, port, node.listen);
    if (problem !== undefined) {
      node.log.error("starrocks_be.cpp:205", busy(port, problem));
      process.exit(SPENT_EXIT_CODE);
    }
    if (name === "heartbeat") {
      node.log.info("thrift_server.cpp:380", `heartbeat has started listening port on ${port}`);
    }
    step(done);
    servers.push(server);
  }
  return servers;
};
