import { BlockList, isIP } from "node:net";
import type { Refusal } from "../../plan/node.js";
import type { NodeSpec } from "../../plan/spec.js";

/**
 * Settings by which StarRocks would take another address for the node's own than the declared one. It only warns of that in
 * its log (`FrontendOptions.java`), and the cluster then looks for the node in vain.
 */
export const ownAddressProblems = ({ kind, address, config }: NodeSpec): readonly Refusal[] => [
  ...networkProblems(address, config.priority_networks),
  ...(kind === "fe" ? frontendAddressProblems(address, config.frontend_address) : []),
];

const networkProblems = (address: string, networks: string | undefined): readonly Refusal[] => {
  if (networks === undefined) {
    return [];
  }
  const refusal = (reason: string): readonly Refusal[] => [{ property: "config.priority_networks", reason }];
  const list = new BlockList();
  for (const network of networks.split(";").map((text) => text.trim())) {
    const [base = "", bits, ...rest] = network.split("/");
    const family = isIP(base);
    const most = family === 4 ? 32 : 128;
    const prefix = Number(bits ?? most);
    if (family === 0 || rest.length > 0 || bits === "" || !Number.isInteger(prefix) || prefix < 0 || prefix > most) {
      return refusal(`expected networks as \`10.0.0.0/8\`, separated by \`;\`, got \`${networks}\``);
    }
    list.addSubnet(base, prefix, family === 4 ? "ipv4" : "ipv6");
  }
  const family = isIP(address);
  return family === 0 || list.check(address, family === 4 ? "ipv4" : "ipv6")
    ? []
    : refusal(`${networks} does not contain ${address}, the node's \`address\`: it would take another one for its own`);
};

const frontendAddressProblems = (address: string, own: string | undefined): readonly Refusal[] => {
  if (own === undefined) {
    return [];
  }
  const property = "config.frontend_address";
  if (isIP(own) === 0) {
    return [{ property, reason: `expected an IP address, got \`${own}\`` }];
  }
  return isIP(address) === 0 || own === address
    ? []
    : [{ property, reason: `${own} is not ${address}, the node's \`address\`` }];
};
