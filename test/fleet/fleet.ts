import { chmod, mkdir, mkdtemp, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type Agent, startAgent } from "./agent.js";
import { atExit } from "./exit.js";
import { knownHostsLine, writeKey } from "./keys.js";
import { startLoopback } from "./loopback/site.js";
import { startNamespaces } from "./namespaces/site.js";
import { takeNumber } from "./number.js";
import { clear, register, sweep } from "./registry.js";
import type { Site, SiteHost, SiteOptions } from "./site.js";
import type { AuthKind, Fleet, FleetConnection, FleetOptions, Host } from "./types.js";

export { namespacesPossible, realHosts } from "./possible.js";
export type * from "./types.js";

const defaultFolders = ["/opt/starrocks", "/data", "/disk1", "/disk2"];

/** Starts hosts. Whatever happens to this process, nothing of them is left: at once, or when the next fleet is created. */
export const createFleet = async (options: FleetOptions): Promise<Fleet> => {
  const { password, user = "starrocks", sudo = "passwordless", folders = defaultFolders, maxSessions = 10 } = options;
  if (sudo === "password" && password === undefined) {
    throw new Error('Expected `password` to be set, because `sudo` is "password"');
  }
  sweep();
  const number = await takeNumber();
  const folder = await mkdtemp(
    join(await realpath(options.directory ?? tmpdir()), `fleet-${number.value}-${process.pid}-`),
  );
  const tag = basename(folder);
  let interfaces: readonly string[] = [];
  let forget = register(tag, { folder, tag, interfaces });
  const clearNow = () => {
    clear({ folder, tag, interfaces });
    forget();
  };
  const calledOff = atExit(clearNow);
  const free = () => {
    clearNow();
    calledOff();
    number.release();
  };

  try {
    // Others than the owner pass through on their way to the hosts' files.
    await chmod(folder, 0o755);
    const scratch = join(folder, "scratch");
    await Promise.all([mkdir(scratch), mkdir(join(folder, "hosts"))]);
    const passphrase = "open sesame";
    const { key, publicKey } = await writeKey(join(folder, "id_ed25519"));
    const encrypted = await writeKey(join(folder, "id_encrypted"), passphrase);
    const site: SiteOptions = {
      ...{ ...options, user, sudo, folders, maxSessions, tag },
      names:
        typeof options.hosts === "number"
          ? Array.from({ length: options.hosts }, (_, i) => `host${i + 1}`)
          : options.hosts,
      number: number.value,
      folder: join(folder, "hosts"),
      publicKeys: [publicKey, encrypted.publicKey],
    };
    const built =
      options.kind === "loopback"
        ? await startLoopback(site)
        : await startNamespaces(site, (names) => {
            interfaces = names;
            forget = register(tag, { folder, tag, interfaces });
          });
    const knownHosts = join(folder, "known_hosts");
    await writeFile(
      knownHosts,
      built.hosts.map(({ address, port, hostKey }) => knownHostsLine(address, port, hostKey.public)).join(""),
    );
    const encryptedKey = { ...encrypted.key, passphrase };
    return fleetOf(built, { kind: options.kind, user, password, key, encryptedKey, knownHosts, scratch, folder, free });
  } catch (error) {
    free();
    throw error;
  }
};

interface Parts extends Pick<Fleet, "kind" | "user" | "key" | "encryptedKey" | "knownHosts" | "scratch"> {
  readonly password: string | undefined;
  readonly folder: string;
  readonly free: () => void;
}

const fleetOf = (site: Site, { password, folder, free, ...parts }: Parts): Fleet => {
  const { user, knownHosts, key, encryptedKey } = parts;
  const socket = join(folder, "agent");
  const before = new Map<SiteHost, number>();
  let agent: Promise<Agent> | undefined;
  let closing: Promise<void> | undefined;

  const credentials: Record<AuthKind, Partial<FleetConnection>> = {
    key: { privateKey: key.content },
    encryptedKey: { privateKey: encryptedKey.content, privateKeyPassword: encryptedKey.passphrase },
    agent: { agentSocketPath: socket },
    password: password === undefined ? {} : { password },
  };
  const handshakes = (host: Host) => {
    const found = site.hosts.find((one) => one === host);
    return found ? found.logins() - (before.get(found) ?? 0) : 0;
  };
  const close = async () => {
    (await agent?.catch(() => undefined))?.stop();
    await site.close();
    free();
  };

  return {
    ...parts,
    hosts: site.hosts,
    addresses: site.hosts.map(({ address }) => address),
    oneAddress: site.oneAddress,
    host: (name) => {
      const found = site.hosts.find((host) => host.name === name);
      if (!found) {
        throw new Error(`Expected one of the hosts ${site.hosts.map((host) => host.name).join(", ")}, got ${name}`);
      }
      return found;
    },
    connection: ({ address, port }, auth = "key") => ({ host: address, port, user, knownHosts, ...credentials[auth] }),
    startAgent: async () => {
      agent ??= startAgent(socket, key);
      return (await agent).socket;
    },
    handshakes: (host) => (host ? handshakes(host) : site.hosts.reduce((sum, one) => sum + handshakes(one), 0)),
    resetHandshakes: () => {
      for (const host of site.hosts) {
        before.set(host, host.logins());
      }
    },
    close: async () => {
      closing ??= close();
      await closing;
    },
  };
};
