import dns from "node:dns/promises";
import fs from "node:fs";
import net from "node:net";
import type { Frontend } from "../frontend.js";
import { versionFile } from "../meta/identity.js";
import { imageFile, latestImage, writeImageText } from "../meta/image.js";
import { sourceAddress } from "../settings/address.js";
import { fetchHttp } from "./fetch.js";

export interface Reply {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const plainAddress = (address: string): string => address.replace(/^::ffff:/, "");

/** Only FEs of the list are answered; a host that comes with another address than it was added with is not one. */
const isFrontend = async (fe: Frontend, remote: string): Promise<boolean> => {
  const client = plainAddress(remote);
  for (const { host } of fe.catalog.state.frontends) {
    if (host === client) {
      return true;
    }
    if (net.isIP(host) !== 0) {
      continue;
    }
    const addresses = await dns.lookup(host, { all: true }).catch(() => []);
    if (addresses.some(({ address }) => address === client)) {
      return true;
    }
  }
  return false;
};

const role = (fe: Frontend, query: URLSearchParams): Reply => {
  const [host, port] = [query.get("host"), Number(query.get("port"))];
  if (host === null || !query.has("port")) {
    return { status: 400, body: "Miss parameter" };
  }
  const row = fe.catalog.state.frontends.find((other) => other.host === host && other.editLogPort === port);
  return { headers: row === undefined ? { role: "UNKNOWN" } : { role: row.role, name: row.name } };
};

const image = (fe: Frontend, query: URLSearchParams): Reply => {
  const version = Number(query.get("version") ?? "-1");
  if (!query.has("version")) {
    return { status: 400, body: "Miss version parameter" };
  }
  const file = imageFile(fe.metaDir, query.get("subdir") ?? "", version);
  return fs.existsSync(file) ? { body: fs.readFileSync(file, "utf8") } : { status: 404 };
};

/** Another FE, the leader, has a new image for us to fetch. */
const put = async (fe: Frontend, query: URLSearchParams, remote: string): Promise<Reply> => {
  const version = Number(query.get("version") ?? "-1");
  const subdir = query.get("subdir") ?? "";
  if (fe.group.isLeader()) {
    return { status: 400, body: "this node is master, reject image put" };
  }
  if (version > fe.group.journal.lastIndex) {
    return { status: 400, body: "image version is bigger than local max journal id, reject image put" };
  }
  const path = `/image?version=${version}&subdir=${subdir}`;
  const source = { host: plainAddress(remote), port: Number(query.get("port")), path };
  const answer = await fetchHttp({ ...source, localAddress: sourceAddress(fe.ip), timeoutMs: 10_000 });
  if (answer.status !== 200) {
    return { status: 404 };
  }
  writeImageText(fe.metaDir, subdir, version, answer.body);
  fe.lifecycle.imageIndex = Math.max(fe.lifecycle.imageIndex, version);
  fe.group.compact(version);
  return {};
};

/** `/role`, `/version`, `/info`, `/image`, `/put`, `/check`: what FEs ask each other. Undefined for other paths. */
export const metaReply = async (fe: Frontend, url: URL, remote: string): Promise<Reply | undefined> => {
  const query = url.searchParams;
  const actions: Readonly<Record<string, () => Reply | Promise<Reply>>> = {
    "/role": () => role(fe, query),
    "/version": () => ({ body: fs.readFileSync(versionFile(fe.metaDir), "utf8") }),
    "/info": () => ({ body: JSON.stringify({ imageJournalId: latestImage(fe.metaDir, query.get("subdir") ?? "") }) }),
    "/image": () => image(fe, query),
    "/put": () => put(fe, query, remote),
    "/check": () => ({ headers: { token: fe.identity.version.token } }),
  };
  const action = actions[url.pathname];
  if (action === undefined) {
    return undefined;
  }
  if (!(await isFrontend(fe, remote))) {
    return { status: 400, body: "invalid client host." };
  }
  return action();
};
