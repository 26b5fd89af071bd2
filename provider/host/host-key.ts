import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { messageOf, UserError } from "../error.js";
import { connectionDefaults, type LinkSettings, nameOf } from "./connection.js";
import { HostKeyError } from "./errors.js";
import { fingerprint, type KnownHost, type KnownHosts, keyType, linesFor, parseKnownHosts } from "./known-hosts.js";

/** Decides about the key that a host shows. */
export interface HostKeyPolicy {
  /** Names of signature algorithms to ask for, the best first. */
  readonly algorithms: readonly string[];
  /** Undefined when the key is trusted. */
  readonly refusal: (key: Buffer) => HostKeyError | undefined;
  /** Another key type of the host may still be the trusted one: true for fingerprints, which do not say their type. */
  readonly anyType: boolean;
}

/** Key types and the signatures that they give; SHA-1 signatures (`ssh-rsa`) are not asked for. */
const signatures: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** All algorithms, those of the given key types first, so that a host with several keys shows the one that is known. */
const algorithmsFor = (known: readonly string[]): string[] => {
  const types = [...new Set([...known, ...Object.keys(signatures)])];
  return types.flatMap((type) => signatures[type] ?? []);
};

export const without = (algorithms: readonly string[], type: string): string[] =>
  algorithms.filter((algorithm) => !signatures[type]?.includes(algorithm));

export const hostKeyPolicy = (settings: LinkSettings): HostKeyPolicy =>
  settings.hostKey === undefined ? fromFiles(settings) : fromHostKey(settings, settings.hostKey.trim());

const fromHostKey = (settings: LinkSettings, hostKey: string): HostKeyPolicy => {
  const wanted = hostKey.startsWith("SHA256:") ? hostKey.replace(/=+$/, "") : fingerprint(keyOf(settings, hostKey));
  const known = hostKey.startsWith("SHA256:") ? [] : [keyType(keyOf(settings, hostKey))];
  return {
    algorithms: algorithmsFor(known),
    anyType: known.length === 0,
    refusal: (key) =>
      fingerprint(key) === wanted
        ? undefined
        : new HostKeyError(
            `${nameOf(settings)} shows the ${keyType(key)} key ${fingerprint(key)}, but \`hostKey\` is ${wanted}. ` +
              `Either this is another machine, or its key was changed. ${advice(settings, key)}`,
          ),
  };
};

/** The key in `ssh-ed25519 AAAA… comment`; a host name before it, as in known_hosts, does no harm. */
const keyOf = (settings: LinkSettings, hostKey: string): Buffer => {
  const [line] = parseKnownHosts(`host ${hostKey}\n${hostKey}`, "hostKey");
  if (!line) {
    throw new UserError(
      `Expected \`hostKey\` of ${nameOf(settings)} to be like \`ssh-ed25519 AAAA…\` (a line of ssh-keyscan or of ` +
        "/etc/ssh/ssh_host_ed25519_key.pub) or like `SHA256:…`.",
    );
  }
  return line.key;
};

const fromFiles = (settings: LinkSettings): HostKeyPolicy => {
  const files = filesOf(settings);
  const lines = files.flatMap(({ path, required }) => readLines(settings, path, required));
  const known = linesFor(lines, settings.host, settings.port ?? connectionDefaults.port);
  const candidates = known.exact.length > 0 ? known.exact : known.portless;
  return {
    algorithms: algorithmsFor(candidates.map(({ type }) => type)),
    anyType: false,
    refusal: (key) => judge(settings, known, key, files.map(({ path }) => path).join(" or ")),
  };
};

const filesOf = ({ knownHosts }: LinkSettings): { readonly path: string; readonly required: boolean }[] => {
  if (knownHosts === undefined) {
    const usual = [join(homedir(), ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"];
    return usual.map((path) => ({ path, required: false }));
  }
  const paths = typeof knownHosts === "string" ? [knownHosts] : knownHosts;
  return paths.map((path) => ({ path: path.replace(/^~(?=\/)/, homedir()), required: true }));
};

const readLines = (settings: LinkSettings, path: string, required: boolean): KnownHost[] => {
  try {
    return parseKnownHosts(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (required) {
      throw new UserError(`${nameOf(settings)}: cannot read the \`knownHosts\` file: ${messageOf(error)}`);
    }
    return [];
  }
};

const judge = (settings: LinkSettings, known: KnownHosts, key: Buffer, files: string): HostKeyError | undefined => {
  const same = (line: KnownHost) => line.key.equals(key);
  const shown = `${nameOf(settings)} shows the ${keyType(key)} key ${fingerprint(key)}`;
  const revoked = known.revoked.find(same);
  if (revoked) {
    return new HostKeyError(`${shown}, which ${place(revoked)} marks as revoked. Do not trust this machine.`);
  }
  if (known.exact.some(same) || (known.exact.length === 0 && known.portless.some(same))) {
    return undefined;
  }
  const other = known.exact.find(({ type }) => type === keyType(key)) ?? known.exact[0];
  if (other) {
    return new HostKeyError(
      `${shown}, but ${place(other)} has the ${other.type} key ${fingerprint(other.key)}. ` +
        "Either this is another machine, or its key was changed. If you know that it was changed, remove that line. " +
        advice(settings, key),
    );
  }
  const authority = known.authorities[0];
  if (authority) {
    return new HostKeyError(
      `${shown}, and ${place(authority)} trusts only certificates of the authority ${fingerprint(authority.key)}. ` +
        `Host certificates cannot be checked here: add a plain line for the host, or set \`hostKey\`. ${advice(settings, key)}`,
    );
  }
  return new HostKeyError(`${shown}, and no line of ${files} is about this host. ${advice(settings, key)}`);
};

const place = ({ file, line }: KnownHost): string => `${file} line ${line}`;

/** What to do: compare with the host's own word, then tell us. */
const advice = (settings: LinkSettings, key: Buffer): string => {
  const short = keyType(key).replace(/^ssh-/, "").replace(/-.*$/, "");
  const port = settings.port && settings.port !== connectionDefaults.port ? `-p ${settings.port} ` : "";
  return (
    `To trust it: on the host, run \`ssh-keygen -lf /etc/ssh/ssh_host_${short}_key.pub\` and compare; when it is the ` +
    `same, add the output of \`ssh-keyscan -t ${short} ${port}${settings.host}\` to known_hosts, or set \`hostKey\`.`
  );
};
