import http from "node:http";
import { canRead, isJoined, versionOf } from "../frontend.js";
import { asObjects, countBackends } from "../sql/nodes.js";
import { procResult } from "../sql/proc.js";
import type { Engine } from "../sql/statement.js";
import { hashPassword } from "../sql/users.js";
import { metaReply, type Reply } from "./meta.js";

export interface HttpHandlers {
  readonly stop: () => void;
}

const failed = (message: string): string => JSON.stringify({ status: "FAILED", msg: message });

/** `/api/bootstrap`: alive for everybody, the real numbers for who knows the token. */
const bootstrap = ({ fe }: Engine, query: URLSearchParams): string => {
  const { features, identity } = fe;
  const text = (body: string, heap: string) => {
    const extra = features.bootstrapCode ? `,"code":"0","msg":"Success","message":"OK"}` : `,"msg":"Success"}`;
    return `{${body}${features.bootstrapHeap ? `,"heapUsedPercent":${heap}` : ""},"status":"OK"${extra}`;
  };
  if (!canRead(fe)) {
    return failed("not ready");
  }
  const token = query.get("token");
  const clusterId = query.get("cluster_id");
  const asked = token !== null && token !== "" && (!features.bootstrapNeedsClusterId || clusterId !== null);
  if (!asked) {
    return text(`"replayedJournalId":0,"queryPort":0,"rpcPort":0,"feStartTime":0`, "0.0");
  }
  if (features.bootstrapNeedsClusterId && clusterId !== String(identity.version.clusterId)) {
    return failed(`invalid cluster id: ${clusterId}`);
  }
  if (token !== identity.version.token) {
    return failed(features.bootstrapNeedsClusterId ? `invalid token: ${identity.version.token}` : "invalid parameter");
  }
  // A leader replays nothing: it says 0.
  const replayed = fe.group.isLeader() ? 0 : fe.group.applied;
  const body = `"replayedJournalId":${replayed},"queryPort":${fe.ports.query},"rpcPort":${fe.ports.rpc},"feStartTime":${fe.startedAt},"feVersion":"${versionOf(fe)}"`;
  return text(body, "0.21");
};

const health = ({ fe }: Engine): Reply => {
  if (fe.lifecycle.exiting) {
    return { status: 500, body: "Internal Server Error" };
  }
  const { online, total } = countBackends(fe);
  return { body: `{"online_backend_num":${online},"total_backend_num":${total},"status":"OK"}` };
};

const metrics = ({ fe }: Engine): string => {
  const { online, total } = countBackends(fe);
  const values = {
    starrocks_fe_max_journal_id: fe.group.applied,
    starrocks_fe_meta_log_count: fe.group.journal.entries.length,
    starrocks_fe_image_journal_id: fe.lifecycle.imageIndex,
    starrocks_fe_node_info_fe_total: fe.catalog.state.frontends.filter((row) => isJoined(fe, row)).length,
    starrocks_fe_node_info_be_total: total,
    starrocks_fe_node_info_be_alive: online,
  };
  return Object.entries(values)
    .map(([name, value]) => `# HELP ${name} ${name}\n# TYPE ${name} gauge\n${name} ${value}\n`)
    .join("");
};

const isAllowed = ({ fe }: Engine, request: http.IncomingMessage): boolean => {
  const [scheme, encoded = ""] = (request.headers.authorization ?? "").split(" ");
  const [user = "", ...password] = Buffer.from(encoded, "base64").toString().split(":");
  const known = fe.catalog.state.users[user];
  return scheme === "Basic" && known?.admin === true && known.passwordHash === hashPassword(password.join(":"));
};

const denied: Reply = {
  status: 401,
  headers: { "www-authenticate": 'Basic realm=""' },
  body: JSON.stringify({ status: "FAILED", msg: "Access denied for  (using password: NO)" }),
};

const setConfig = ({ fe }: Engine, query: URLSearchParams): Reply => {
  const set: Record<string, string> = {};
  const err: Record<string, string> = {};
  for (const [key, value] of query) {
    if (fe.config.set(key, value)) {
      set[key] = value;
    } else {
      err[key] = value;
    }
  }
  return { body: JSON.stringify({ set, err }) };
};

const apiReply = (engine: Engine, url: URL, request: http.IncomingMessage, handlers: HttpHandlers): Reply => {
  const { fe } = engine;
  switch (url.pathname) {
    case "/api/bootstrap":
      return { body: bootstrap(engine, url.searchParams) };
    case "/api/health":
      return health(engine);
    case "/metrics":
      return { body: metrics(engine), headers: { "content-type": "text/plain" } };
    case "/api/v2/feature":
      if (!fe.features.featureEndpoint) {
        break;
      }
      return { body: JSON.stringify({ code: 0, message: "OK", data: { version: fe.build.version, features: [] } }) };
    case "/api/show_proc":
      if (!isAllowed(engine, request)) {
        return denied;
      }
      return { body: JSON.stringify(asObjects(procResult(engine, url.searchParams.get("path") ?? "/"))) };
    case "/api/_set_config":
      return isAllowed(engine, request) ? setConfig(engine, url.searchParams) : denied;
    case "/api/stop":
      if (!isAllowed(engine, request)) {
        return denied;
      }
      handlers.stop();
      return { body: JSON.stringify({ status: "OK", msg: "Success" }) };
    default:
      break;
  }
  return { status: 404, body: "Not Found" };
};

/** The HTTP port: health, bootstrap, configuration, and metadata for other FEs. */
export const createHttpServer = (engine: Engine, handlers: HttpHandlers): http.Server => {
  const { fe } = engine;
  const reply = async (request: http.IncomingMessage): Promise<Reply> => {
    const url = new URL(request.url ?? "/", "http://fe");
    const meta = await metaReply(fe, url, request.socket.remoteAddress ?? "");
    return meta ?? apiReply(engine, url, request, handlers);
  };
  return http.createServer((request, response) => {
    if (fe.faults.find("hangHttp") !== undefined || fe.faults.find("isolate") !== undefined) {
      return;
    }
    reply(request)
      .catch((error: Error): Reply => ({ status: 500, body: JSON.stringify({ status: "FAILED", msg: error.message }) }))
      .then(({ status = 200, body = "", headers = {} }) => {
        response.writeHead(status, { "content-type": "application/json", connection: "close", ...headers });
        response.end(body);
      })
      .catch(() => response.destroy());
  });
};
