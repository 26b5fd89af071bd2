import dns from "node:dns/promises";
import net from "node:net";
import os from "node:os";
import { type Conf, StartFailure } from "./conf.js";
import type { Features } from "./version.js";

const where = "FrontendOptions.init():105";

const toNumber = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

const contains = (cidr: string, address: string): boolean => {
  const [base = "", bits = "32"] = cidr.split("/");
  if (!net.isIPv4(base) || !/^\d+$/.test(bits) || Number(bits) > 32) {
    throw new StartFailure(`wrong cidr format, ${cidr}`, where);
  }
  if (!net.isIPv4(address)) {
    return false;
  }
  const size = 2 ** (32 - Number(bits));
  return Math.floor(toNumber(base) / size) === Math.floor(toNumber(address) / size);
};

const ownAddresses = (): string[] =>
  Object.values(os.networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith("fe80"));

const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

/** Every 127.x address is this host's without being listed: a fleet on one machine tells its hosts apart by them. */
const loopbackOf = (networks: readonly string[]): string | undefined =>
  networks.find((cidr) => /^127\..*\/32$/.test(cidr))?.split("/")[0];

export interface OwnAddress {
  readonly ip: string;
  readonly warning?: string;
}

/** The address that this FE takes for its own, by `frontend_address` and `priority_networks`. */
export const chooseAddress = (conf: Conf, features: Features): OwnAddress => {
  const fixed = conf.text("frontend_address", "0.0.0.0");
  if (fixed !== "0.0.0.0") {
    if (net.isIP(fixed) === 0) {
      throw new StartFailure(`invalid frontend_address: ${fixed}`, where);
    }
    return { ip: fixed };
  }
  const all = ownAddresses();
  const outside = all.filter((address) => !isLoopback(address));
  const first = outside.find(net.isIPv4) ?? outside[0] ?? all.find((address) => address === "::1") ?? "127.0.0.1";
  const networks = conf
    .text("priority_networks", "")
    .split(";")
    .map((part) => part.trim())
    .filter(Boolean);
  if (networks.length === 0) {
    return { ip: first };
  }
  const match = all.find((address) => networks.some((cidr) => contains(cidr, address))) ?? loopbackOf(networks);
  if (match !== undefined) {
    return { ip: match };
  }
  const warning = "ip address range configured for priority_networks does not include the current IP address";
  return { ip: features.lenientPriorityNetworks ? first : "127.0.0.1", warning };
};

/** FQDN mode: the name of the address, which must lead back to it. */
export const nameOf = async (ip: string): Promise<string> => {
  const { hostname } = await dns.lookupService(ip, 0);
  const back = await dns.lookup(hostname, { all: true }).catch(() => []);
  if (hostname === ip || !back.some(({ address }) => address === ip)) {
    throw new StartFailure(`the fqdn of ${ip} is ${hostname}, which does not resolve back to it, will exit`, where);
  }
  return hostname;
};

/** Where to listen: everywhere, except on a machine that plays several hosts by their loopback addresses. */
export const listenAddress = (ip: string): string => {
  if (ip.startsWith("127.")) {
    return ip;
  }
  return net.isIPv6(ip) ? "::" : "0.0.0.0";
};

/** The source address of outgoing connections, for the same reason. */
export const sourceAddress = (ip: string): string | undefined =>
  ip.startsWith("127.") && ip !== "127.0.0.1" ? ip : undefined;

export const hostPort = (host: string, port: number): string =>
  net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
