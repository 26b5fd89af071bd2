import { z } from "zod";
import { UserError } from "../error.js";
import { strictObject } from "../strict.js";

const kind = (value: unknown): string => {
  if (value === undefined) {
    return "nothing";
  }
  if (value === null) {
    return "null";
  }
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
};

/** Never shows the value: it may be a secret that was put into the wrong field. */
const expected = (what: string) => ({
  error: (issue: { readonly input?: unknown }) => `expected ${what}, got ${kind(issue.input)}`,
});

const text = (what: string) => z.string(expected(what)).min(1, { error: `expected ${what}, got an empty string` });

/** What is read from a file ends its only line, which is no part of it. sudo would leave a second line end to the command's stdin. */
const secretLine = (what: string) =>
  z
    .string(expected(what))
    .overwrite((value) => value.replace(/\r?\n$/, ""))
    .min(1, { error: `expected ${what}, got an empty string` });

const number = (what: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  z.number(expected(what)).refine((value) => value >= minimum && value <= maximum, {
    error: (issue) => `expected ${what}, got ${issue.input}`,
  });

const whole = (what: string, minimum: number, maximum?: number) =>
  number(what, minimum, maximum).refine(Number.isInteger, {
    error: (issue) => `expected ${what}, got ${issue.input}`,
  });

const looksLikeKey = (value: string): boolean => /^\s*(-----BEGIN |PuTTY-User-Key-File-)/.test(value);

const secondsOf = (what: string) => `${what} in seconds (a number above 0)`;

const linkFields = {
  /** Address or name that SSH goes to. */
  host: text("an address or host name"),
  /** TCP port of the SSH server. Default 22. */
  port: whole("a port number from 1 to 65535", 1, 65535).optional(),
  /** Login user. Default `root`. */
  user: text("the login user's name").optional(),
  /** Password, also given to `keyboard-interactive` questions that hide the answer. */
  password: secretLine("the password").optional(),
  /** Content of a private key (OpenSSH or PEM format); tried before the agent and the password. */
  privateKey: text("the content of a private key")
    .refine(looksLikeKey, {
      error: "expected the content of a private key (-----BEGIN …), got something else; to give a file, read it first",
    })
    .optional(),
  /** Passphrase of `privateKey`. */
  privateKeyPassword: secretLine("the passphrase of the private key").optional(),
  /** Socket of an ssh-agent. Default: `SSH_AUTH_SOCK`, only when neither `privateKey` nor `password` is given. */
  agentSocketPath: text("the path of an ssh-agent's socket").optional(),
  /** How many tries to reach the host may fail; -1 for no limit. Default 10. */
  dialErrorLimit: whole("a whole number of tries, or -1 for no limit", -1).optional(),
  /** Seconds that one try may take, login included. Default 15. */
  perDialTimeout: number(secondsOf("the limit of one try"), 0.001).optional(),
  /** Seconds between two tries. Default 3. */
  dialPause: number("the pause between two tries in seconds (0 or more)", 0).optional(),
  /** Seconds between two signs of life on a connection; three without an answer end it. Default 15. */
  keepaliveInterval: number(secondsOf("the time between two signs of life"), 0.001).optional(),
  /** The one key to trust: `ssh-ed25519 AAAA…` or `SHA256:…`. Wins over `knownHosts`. */
  hostKey: text("a host key such as `ssh-ed25519 AAAA…` or a fingerprint `SHA256:…`")
    .refine((value) => !value.startsWith("MD5:"), {
      error: "expected a host key or a fingerprint `SHA256:…`; MD5 fingerprints can be forged",
    })
    .optional(),
  /** Files with known host keys. Default `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`. */
  knownHosts: z
    .union([text("the path of a known_hosts file"), z.array(text("the path of a known_hosts file")).min(1)], {
      error: "expected the path of a known_hosts file, or a list of paths",
    })
    .optional(),
};

/** What it takes to log in to one machine: a connection without what is said about its commands. */
export type LinkSettings = z.output<z.ZodObject<typeof linkFields>> & {
  /** The host to go through, which may have a `proxy` of its own. */
  proxy?: LinkSettings | undefined;
};

const linkSchema: z.ZodType<LinkSettings> = strictObject({
  ...linkFields,
  proxy: z.lazy(() => linkSchema).optional(),
});

const becomeSchema = strictObject({
  /** The user that commands run as. Default `root`. */
  user: text("the name of the user that commands run as").optional(),
  /** Password for sudo, when sudo asks for one. */
  password: secretLine("the password for sudo")
    .refine((value) => !/[\r\n]/.test(value), {
      error:
        "expected the password for sudo, which is one line, got several; where it is read from a file, give its one line",
    })
    .optional(),
  /** How to become that user. Default and only way: `sudo`. */
  method: z.literal("sudo", { error: "expected `sudo`, the only way known" }).optional(),
});

/** How to reach a host over SSH; the field names of `@pulumi/command`, and some more. Nothing is filled in by parsing. */
export const connectionSchema = strictObject({
  ...linkFields,
  proxy: linkSchema.optional(),
  /** Run commands as another user than the one that logs in. */
  become: becomeSchema.optional(),
  /** Seconds that a command may take unless it says otherwise. Default 600. */
  commandLimit: number(secondsOf("the limit of a command"), 0.001).optional(),
});

export type Connection = z.output<typeof connectionSchema>;
export type Become = z.output<typeof becomeSchema>;

export const connectionDefaults = {
  port: 22,
  user: "root",
  /** As in `@pulumi/command`. */
  dialErrorLimit: 10,
  perDialTimeout: 15,
  /** A host that restarts its sshd is back within seconds; ten tries cover half a minute. */
  dialPause: 3,
  keepaliveInterval: 15,
  /** Long enough to unpack a release on a slow disk; whoever knows a better limit gives it with the command. */
  commandLimit: 600,
  becomeUser: "root",
} as const;

/** Parses a connection, or throws one `UserError` that names every wrong field. */
export const parseConnection = (value: unknown): Connection => {
  const result = connectionSchema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  const problems = result.error.issues.map((issue) => `${["connection", ...issue.path].join(".")}: ${issue.message}`);
  throw new UserError(problems.join("\n"));
};

/** For people: `10.0.0.21`, with `:port` when that is not 22. */
export const nameOf = (settings: Pick<LinkSettings, "host" | "port">): string => {
  const port = settings.port ?? connectionDefaults.port;
  if (port === connectionDefaults.port) {
    return settings.host;
  }
  return settings.host.includes(":") ? `[${settings.host}]:${port}` : `${settings.host}:${port}`;
};

/** The machine that a connection leads to: `10.0.0.21`, behind a proxy `10.0.0.21 through jump.example.org`. */
export const wayOf = ({ proxy, ...settings }: LinkSettings): string =>
  proxy ? `${nameOf(settings)} through ${wayOf(proxy)}` : nameOf(settings);

/** All secrets of a connection, its proxies included, so that a message can be cleaned of them. */
export const secretsOf = (connection: Connection | LinkSettings): string[] => {
  const become = "become" in connection ? connection.become?.password : undefined;
  const own = [connection.password, connection.privateKey, connection.privateKeyPassword, become];
  const inner = connection.proxy ? secretsOf(connection.proxy) : [];
  return [...own.filter((secret) => secret !== undefined), ...inner];
};
