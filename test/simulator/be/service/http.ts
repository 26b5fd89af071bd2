import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { versionText } from "../settings/build.js";
import { kindOf, type Node, shortVersion } from "./node.js";
import { answerTabletRequest } from "./tablet-api.js";

const HEALTH = '{"status": "OK","msg": "To Be Added"}';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const json = (body: string): Answer => ({ status: 200, type: "application/json", body });
const html = (node: Node, body: string): Answer => ({
  status: 200,
  type: "text/html",
  body: `<!DOCTYPE html><html><head><title>StarRocks</title></head><body>${body}<hr><footer><pre>${versionText({
    ...node.build,
    version: shortVersion(node).split("-")[0] ?? "",
  })}</pre></footer></body></html>\n`,
});
const missing: Answer = { status: 404, type: "text/plain", body: "Not Found" };

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

/** rapidjson's pretty writer. Always HTTP 200: the caller has to read `status`. */
const updateConfig = ({ conf, log }: Node, query: URLSearchParams): Answer => {
  const [first, second] = [...query];
  const one = first !== undefined && second === undefined ? first : undefined;
  const result =
    one === undefined
      ? ({ ok: false, message: "Now only support to set a single config once, via 'config_name=new_value'" } as const)
      : conf.update(...one);
  if (result.ok) {
    log.info("update_config_action.cpp:300", `set_config ${one?.[0]}=${one?.[1]} success`);
  }
  return json(JSON.stringify({ status: result.ok ? "OK" : "BAD", msg: result.ok ? "" : result.message }, undefined, 4));
};

const metrics = ({ engine, startedAt }: Node): string =>
  [
    "# TYPE starrocks_be_process_mem_bytes gauge",
    `starrocks_be_process_mem_bytes ${process.memoryUsage.rss()}`,
    "# TYPE starrocks_be_tablet_num gauge",
    `starrocks_be_tablet_num ${engine.tablets.list().length}`,
    "# TYPE starrocks_be_uptime_seconds gauge",
    `starrocks_be_uptime_seconds ${Math.floor((Date.now() - startedAt) / 1000)}`,
    "",
  ].join("\n");

const route = async (node: Node, request: IncomingMessage, stopNow: () => void): Promise<Answer> => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const method = request.method ?? "GET";
  if (pathname.startsWith("/api/sim/")) {
    const path = pathname.slice("/api/sim/".length);
    const header = request.headers["x-cluster-id"];
    const clusterId = typeof header === "string" ? header : undefined;
    const body = await readBody(request);
    const answer = await answerTabletRequest(node, { method, path, query: searchParams, body, clusterId });
    return json(JSON.stringify(answer));
  }
  switch (`${method} ${pathname}`) {
    case "GET /api/health":
      return json(HEALTH);
    case "POST /api/update_config":
      return updateConfig(node, searchParams);
    case "GET /api/_stop_be":
      node.log.info("stop_be_action.cpp:40", "Accept one stop_be request");
      setImmediate(stopNow);
      return json('{"status": "OK"}');
    case "GET /varz": {
      const lines = node.conf.entries().map(([key, value]) => `${key}=${value}\n`);
      return html(node, `<h2>Configurations</h2><pre>${lines.join("")}</pre>`);
    }
    case "GET /metrics":
      return { status: 200, type: "text/plain; version=0.0.4", body: metrics(node) };
    case "GET /":
      return html(node, `<h2>${kindOf(node)} ${node.state.localhost}</h2>`);
    default:
      return missing;
  }
};

const reply = async (
  node: Node,
  request: IncomingMessage,
  response: ServerResponse,
  stopNow: () => void,
): Promise<void> => {
  if (node.faults.find("hangHttp") !== undefined) {
    return;
  }
  const { status, type, body } = await route(node, request, stopNow).catch(
    (error: unknown): Answer => json(JSON.stringify({ status: "FAIL", msg: String(error) })),
  );
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) }).end(body);
};

/** `stopNow` ends the process at once, as `GET /api/_stop_be` does without asking who calls. */
export const createHttpServer = (node: Node, stopNow: () => void): Server =>
  createServer((request, response) => {
    void reply(node, request, response, stopNow);
  });
