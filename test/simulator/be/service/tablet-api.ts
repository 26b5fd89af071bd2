import { sourceAddress } from "../settings/address.js";
import type { Outcome, Row, Write } from "../storage/tablets.js";
import { getJson } from "./get-json.js";
import type { Node } from "./node.js";

interface Request {
  readonly method: string;
  /** The path behind `/api/sim/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  /** `x-cluster-id`: which FE asks. */
  readonly clusterId: string | undefined;
}

interface Body extends Partial<Write> {
  readonly fromHost?: string;
  readonly fromHttpPort?: number;
}

const fail = (msg: string): Outcome => ({ status: "FAIL", msg });

const clone = async (node: Node, id: string, body: Body): Promise<Outcome> => {
  const { fromHost = "", fromHttpPort = 0, version } = body;
  const from = `http://${fromHost}:${fromHttpPort}/api/sim/tablet/${id}${version === undefined ? "" : `?version=${version}`}`;
  try {
    const { cloneTimeoutMs } = node.options;
    const source: Outcome<{ readonly version: number; readonly rows: readonly Row[] }> = await getJson(from, {
      timeoutMs: cloneTimeoutMs,
      localAddress: sourceAddress(node.address),
    });
    if (source.status === "FAIL") {
      return source;
    }
    node.log.info(
      "engine_clone_task.cpp:150",
      `clone tablet ${id} from ${fromHost}:${fromHttpPort} version ${source.version}`,
    );
    return node.engine.tablets.replace(id, source.version, source.rows);
  } catch (error) {
    return fail(`fail to clone tablet ${id} from ${fromHost}:${fromHttpPort}: ${error}`);
  }
};

const change = (node: Node, id: string, action: string, body: Body): Outcome | Promise<Outcome> => {
  const { tablets } = node.engine;
  switch (action) {
    case "create":
      return tablets.create(id, body.version ?? 1);
    case "write":
      return node.faults.find("refuseWrites") === undefined
        ? tablets.write(id, { version: 0, prevVersion: 0, rows: [], ...body })
        : fail("disk reach capacity limit");
    case "clone":
      return clone(node, id, body);
    case "drop":
      return tablets.drop(id);
    default:
      return fail(`unknown action ${action}`);
  }
};

/** The simulator's own data path, in the place of brpc: what the simulated FE does with tablets. */
export const answerTabletRequest = async (node: Node, request: Request): Promise<object> => {
  const { tablets } = node.engine;
  if (request.path === "tablets") {
    return { status: "OK", tablets: tablets.list().map((tablet) => ({ ...tablet, id: Number(tablet.id) })) };
  }
  const [, id, action] = /^tablet\/(\d+)(?:\/(\w+))?$/.exec(request.path) ?? [];
  if (id === undefined) {
    return fail(`unknown path ${request.path}`);
  }
  if (action === undefined) {
    const version = request.query.get("version");
    return tablets.read(id, version === null ? undefined : Number(version));
  }
  if (request.method !== "POST") {
    return fail("POST expected");
  }
  const ownClusterId = node.engine.clusterId();
  if (request.clusterId !== undefined && ownClusterId !== undefined && request.clusterId !== String(ownClusterId)) {
    // A real BE does as it is told: nothing guards its tasks.
    node.crime("changed by the FE of another cluster", {
      path: request.path,
      clusterId: request.clusterId,
      ownClusterId,
    });
  }
  if (node.engine.roots.length === 0) {
    return fail("this node has no storage");
  }
  return change(node, id, action, JSON.parse(request.body === "" ? "{}" : request.body));
};
