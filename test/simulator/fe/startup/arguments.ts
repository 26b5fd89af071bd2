import { StartFailure } from "../settings/conf.js";

/** What `start_fe.sh` passes behind the class name. */
export interface Arguments {
  readonly helpers: readonly { readonly host: string; readonly port: number }[];
  readonly hostType: "IP" | "FQDN" | undefined;
}

const parseHelper = (text: string): { readonly host: string; readonly port: number } => {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text.trim());
  if (match?.[1] === undefined) {
    throw new StartFailure(`Invalid helper node: ${text}`, "NodeMgr.getHelperNodes():630");
  }
  return { host: match[1], port: Number(match[2]) };
};

/** Java itself takes `-helper` and `--helper`; options of the JVM stand before the class name and are not ours. */
export const readArguments = (argv: readonly string[]): Arguments => {
  const after = (name: string): string | undefined => {
    const index = argv.findIndex((word) => word === `-${name}` || word === `--${name}`);
    return index < 0 ? undefined : argv[index + 1];
  };
  const helper = after("helper");
  const hostType = after("host_type")?.toUpperCase();
  return {
    helpers: helper === undefined || helper === "" ? [] : helper.split(",").map(parseHelper),
    hostType: hostType === "FQDN" || hostType === "IP" ? hostType : undefined,
  };
};
