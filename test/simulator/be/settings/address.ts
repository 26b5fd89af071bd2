import { isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

const toNumber = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

interface Network {
  readonly base: string;
  readonly bits: number;
}

const parseNetwork = (text: string): Network | undefined => {
  const [base = "", bits = "32"] = text.trim().split("/");
  const isValid = isIPv4(base) && /^\d+$/.test(bits) && Number(bits) <= 32;
  return isValid ? { base, bits: Number(bits) } : undefined;
};

const contains = ({ base, bits }: Network, address: string): boolean => {
  const size = 2 ** (32 - bits);
  return isIPv4(address) && Math.floor(toNumber(base) / size) === Math.floor(toNumber(address) / size);
};

/** All addresses of this host. Every 127.x is one of them without being listed, see `chooseAddress`. */
export const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith("fe80"));

const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

export type AddressResult =
  | { readonly ok: true; readonly address: string; readonly matched: boolean }
  | { readonly ok: false; readonly wrongNetwork: string };

/**
 * The address that this BE takes for its own. A single 127.x/32 in `priority_networks` counts as matched: a fleet on one
 * machine tells its hosts apart by their loopback addresses.
 */
export const chooseAddress = (priorityNetworks: string, addresses: readonly string[]): AddressResult => {
  const outside = addresses.filter((address) => !isLoopback(address));
  const first = outside.find(isIPv4) ?? outside[0] ?? "127.0.0.1";
  if (priorityNetworks === "") {
    return { ok: true, address: first, matched: true };
  }
  const networks: Network[] = [];
  for (const text of priorityNetworks.split(";").filter((part) => part.trim() !== "")) {
    const network = parseNetwork(text);
    if (network === undefined) {
      return { ok: false, wrongNetwork: text };
    }
    networks.push(network);
  }
  const listed = addresses.find((address) => networks.some((network) => contains(network, address)));
  const loopback = networks.find(({ base, bits }) => base.startsWith("127.") && bits === 32)?.base;
  const match = listed ?? loopback;
  return { ok: true, address: match ?? first, matched: match !== undefined };
};

/** Where to listen: everywhere, except on a machine that plays several hosts. */
export const listenAddress = (address: string): string => {
  if (address.startsWith("127.")) {
    return address;
  }
  return isIPv6(address) ? "::" : "0.0.0.0";
};

/** The source address of outgoing connections, for the same reason. */
export const sourceAddress = (address: string): string | undefined =>
  address.startsWith("127.") && address !== "127.0.0.1" ? address : undefined;
