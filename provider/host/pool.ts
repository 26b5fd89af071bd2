import { createHash } from "node:crypto";
import { agentSocketOf } from "./agent.js";
import { type Connection, connectionDefaults, type LinkSettings, nameOf, parseConnection } from "./connection.js";
import { readFile, writeFile } from "./files.js";
import { Link } from "./link.js";
import { run, script, type Target } from "./run.js";
import { openStream } from "./stream.js";
import type { Host } from "./types.js";
import { upload } from "./upload.js";

/** Links of this process by what they log in to and with. */
const links = new Map<string, Link>();

/** The same for connections that share a link: same way, same login. */
export const linkKeyOf = ({ become: _become, commandLimit: _limit, ...settings }: Connection): string =>
  identityOf(settings);

/** The host behind a connection. Hosts of the same login share one SSH connection for the life of the process. */
export const hostFor = (connection: Connection): Host => {
  const checked = parseConnection(connection);
  const { become: _become, commandLimit: _limit, ...settings } = checked;
  const link = linkFor(settings);
  const target: Target = { link, connection: checked };
  const dialLimit = (checked.perDialTimeout ?? connectionDefaults.perDialTimeout) * 1000;
  return {
    name: nameOf(checked),
    run: (command, options) => run(target, command, options),
    script: (text, args, options) => script(target, text, args, options),
    readFile: (path) => readFile(target, path),
    writeFile: (path, content, options) => writeFile(target, path, content, options),
    upload: (localPath, remotePath, options) => upload(target, localPath, remotePath, options),
    stream: (command, options) => openStream(target, command, options),
    connect: (address, port) => link.tunnel(address, port, dialLimit),
  };
};

/** Ends all connections, those within before those that carry them. A host that is used later dials again. */
export const closeAll = async (): Promise<void> => {
  for (const link of [...links.values()].reverse()) {
    await link.close();
  }
};

const linkFor = (settings: LinkSettings): Link => {
  const key = identityOf(settings);
  const known = links.get(key);
  if (known) {
    return known;
  }
  // The proxy first: `closeAll` relies on the order.
  const proxy = settings.proxy ? linkFor(settings.proxy) : undefined;
  const link = new Link(settings, proxy);
  links.set(key, link);
  return link;
};

/** A digest, so that no secret is kept as a key. Fields are sorted: their order in a program says nothing. */
const identityOf = (settings: LinkSettings): string => {
  // How long somebody would wait for a host makes no other host of it: the patience of the first one holds.
  const { proxy, dialErrorLimit: _tries, perDialTimeout: _limit, dialPause: _pause, ...own } = settings;
  const fields = Object.entries({ ...connectionDefaultsOf(own) }).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([fields, proxy ? identityOf(proxy) : null]))
    .digest("hex");
};

const connectionDefaultsOf = (settings: LinkSettings): LinkSettings => ({
  ...settings,
  port: settings.port ?? connectionDefaults.port,
  user: settings.user ?? connectionDefaults.user,
  agentSocketPath: agentSocketOf(settings),
});
