import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A line of a known_hosts file that could be read. */
export interface KnownHost {
  readonly file: string;
  readonly line: number;
  readonly marker: "" | "@cert-authority" | "@revoked";
  readonly patterns: string;
  readonly type: string;
  readonly key: Buffer;
}

const markers = ["@cert-authority", "@revoked"] as const;

/** Lines of a known_hosts file. As OpenSSH does, lines that make no sense are passed over. */
export const parseKnownHosts = (content: string, file: string): KnownHost[] =>
  content.split("\n").flatMap((raw, index) => {
    const words = raw.trim().split(/\s+/);
    const marker = markers.find((candidate) => candidate === words[0]) ?? "";
    const [patterns, type, base64] = marker ? words.slice(1) : words;
    if (!patterns || patterns.startsWith("#") || patterns.startsWith("@") || !type || !base64) {
      return [];
    }
    const key = Buffer.from(base64, "base64");
    return keyType(key) === type ? [{ file, line: index + 1, marker, patterns, type, key }] : [];
  });

/** The type that a key blob says of itself. */
export const keyType = (key: Buffer): string => {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.subarray(4, 4 + length).toString("latin1");
};

/** `SHA256:…`, as `ssh-keygen -l` prints it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

/** How known_hosts writes a host: its name, and `[name]:port` when the port is not 22. */
export const lookupName = (host: string, port: number): string =>
  port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;

/** Whether a line's first field is about this host: hashed, or a list with `*`, `?` and `!`. */
export const matchesHost = (patterns: string, name: string): boolean => {
  if (patterns.startsWith("|1|")) {
    return matchesHash(patterns, name);
  }
  const list = patterns.toLowerCase().split(",");
  const denied = list.some((pattern) => pattern.startsWith("!") && matchesPattern(pattern.slice(1), name));
  return !denied && list.some((pattern) => !pattern.startsWith("!") && matchesPattern(pattern, name));
};

const matchesHash = (field: string, name: string): boolean => {
  const [, , salt = "", hash = ""] = field.split("|");
  const wanted = Buffer.from(hash, "base64");
  const actual = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return wanted.length === actual.length && timingSafeEqual(wanted, actual);
};

const matchesPattern = (pattern: string, name: string): boolean => {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`).test(name);
};

/**
 * The lines about a host. Like OpenSSH, a host on another port than 22 may also be vouched for by a line without port,
 * but such a line never counts as a contradiction.
 */
export const linesFor = (lines: readonly KnownHost[], host: string, port: number): KnownHosts => {
  const about = (name: string) => lines.filter(({ patterns }) => matchesHost(patterns, name));
  const exact = about(lookupName(host, port));
  const portless = port === 22 ? [] : about(lookupName(host, 22));
  const plain = (candidates: KnownHost[]) => candidates.filter(({ marker }) => marker === "");
  const all = [...exact, ...portless];
  return {
    exact: plain(exact),
    portless: plain(portless),
    authorities: all.filter(({ marker }) => marker === "@cert-authority"),
    revoked: all.filter(({ marker }) => marker === "@revoked"),
  };
};

export interface KnownHosts {
  readonly exact: readonly KnownHost[];
  readonly portless: readonly KnownHost[];
  readonly authorities: readonly KnownHost[];
  readonly revoked: readonly KnownHost[];
}
