import { once } from "node:events";
import { createServer } from "node:net";
import { all, type Site, type SiteOptions } from "../site.js";
import { LoopbackHost } from "./host.js";
import { SshServers } from "./servers.js";

export const startLoopback = async (site: SiteOptions): Promise<Site> => {
  if (Object.keys(site.smallDisks ?? {}).length > 0) {
    throw new Error(
      'Expected no `smallDisks` for a fleet of the kind "loopback": its hosts share this machine\'s disk',
    );
  }
  const address = (index: number) => `127.77.${site.number}.${11 + index}`;
  // Linux answers at all of 127.0.0.0/8, macOS at 127.0.0.1 only.
  const oneAddress = site.oneAddress === true || !(await canListen(address(0)));
  const servers = new SshServers();
  const hosts = site.names.map((name, index) => {
    const own = oneAddress ? "127.0.0.1" : address(index);
    return new LoopbackHost({ name, address: own, oneAddress, site, servers });
  });
  const close = async () => {
    await servers.close();
    for (const host of hosts) {
      host.close();
    }
  };
  try {
    await all(hosts.map((host) => host.start()));
    return { hosts, oneAddress, close };
  } catch (error) {
    await close();
    throw error;
  }
};

const canListen = async (address: string): Promise<boolean> => {
  const server = createServer();
  try {
    server.listen(0, address);
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
};
