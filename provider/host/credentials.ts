import { type AnyAuthMethod, type AuthenticationType, type ParsedKey, type Prompt, utils } from "ssh2";
import { UserError } from "../error.js";
import { agentSocketOf } from "./agent.js";
import { connectionDefaults, type LinkSettings, nameOf } from "./connection.js";

/** One way to prove who we are, in the words of the connection's fields. */
interface Credential {
  readonly field: string;
  /** What the host calls it. */
  readonly method: AuthenticationType;
  readonly attempt: AnyAuthMethod;
}

/** One login: what to try next, and what to say when nothing is left. */
export interface Login {
  next(allowed: readonly string[] | null): AnyAuthMethod | false;
  /** Something that went wrong on our side, worth a word if the login fails. */
  note(problem: string): void;
  refusal(): string;
}

/** The credentials in the order of trial: a key, the agent, the password. Throws when a key cannot be used. */
export const startLogin = (settings: LinkSettings): Login => {
  const username = settings.user ?? connectionDefaults.user;
  const notes: string[] = [];
  const left = credentialsOf(settings, username, notes);
  const tried: string[] = [];
  let allowed: readonly string[] | null = null;
  let asked = false;
  let last = "";

  return {
    next(now) {
      if (!asked) {
        asked = true;
        return { type: "none", username };
      }
      // ssh2 does not report what the host allows after the agent's keys were tried, so what it says then is old.
      const fresh = last === "agentSocketPath" ? null : now;
      allowed = now ?? allowed;
      const index = left.findIndex(({ method }) => fresh === null || fresh.includes(method));
      const [credential] = index === -1 ? [] : left.splice(index, 1);
      if (!credential) {
        return false;
      }
      last = credential.field;
      tried.push(credential.field);
      return credential.attempt;
    },
    note: (problem) => void notes.push(problem),
    refusal() {
      const attempts = tried.length > 0 ? `tried ${[...new Set(tried)].join(", ")}` : "nothing could be tried";
      const unused = [...new Set(left.map(({ field }) => field))].filter((field) => !tried.includes(field));
      const rest = unused.length > 0 ? `; not tried: ${unused.join(", ")}` : "";
      const ways = allowed ? ` The host allows: ${allowed.join(", ")}.` : "";
      const remarks = notes.length > 0 ? ` ${notes.join(" ")}` : "";
      return `${nameOf(settings)} refused the login of user \`${username}\`: ${attempts}${rest}.${ways}${remarks}`;
    },
  };
};

const credentialsOf = (settings: LinkSettings, username: string, notes: string[]): Credential[] => {
  const { password } = settings;
  const key = settings.privateKey === undefined ? undefined : privateKeyOf(settings, settings.privateKey);
  const agent = agentSocketOf(settings);
  const credentials: (Credential | undefined)[] = [
    key && { field: "privateKey", method: "publickey", attempt: { type: "publickey", username, key } },
    agent ? { field: "agentSocketPath", method: "publickey", attempt: { type: "agent", username, agent } } : undefined,
    ...(password === undefined ? [] : passwordWays(username, password, notes)),
  ];
  const usable = credentials.filter((credential) => credential !== undefined);
  if (usable.length === 0) {
    throw new UserError(
      `${nameOf(settings)}: there is nothing to log in with. Set \`privateKey\`, \`agentSocketPath\` or \`password\`, ` +
        "or start an ssh-agent (SSH_AUTH_SOCK is not set).",
    );
  }
  return usable;
};

const passwordWays = (username: string, password: string, notes: string[]): Credential[] => {
  const answer = ({ prompt, echo }: Prompt): string => {
    if (!echo) {
      return password;
    }
    notes.push(`The host asked ${JSON.stringify(prompt)}, which cannot be answered.`);
    return "";
  };
  return [
    { field: "password", method: "password", attempt: { type: "password", username, password } },
    {
      field: "password",
      method: "keyboard-interactive",
      attempt: {
        type: "keyboard-interactive",
        username,
        prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(answer)),
      },
    },
  ];
};

const privateKeyOf = (settings: LinkSettings, content: string): ParsedKey => {
  const parsed: ParsedKey | ParsedKey[] | Error = utils.parseKey(content, settings.privateKeyPassword);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) {
    throw new UserError(`${nameOf(settings)}: ${keyProblem(key.message, settings.privateKeyPassword !== undefined)}`);
  }
  if (!key?.isPrivateKey()) {
    throw new UserError(`${nameOf(settings)}: expected \`privateKey\` to be a private key, got a public one.`);
  }
  return key;
};

const keyProblem = (message: string, hasPassphrase: boolean): string => {
  if (/no passphrase given/i.test(message)) {
    return "`privateKey` is encrypted: set `privateKeyPassword`.";
  }
  if (hasPassphrase && /passphrase|integrity|decrypt/i.test(message)) {
    return "`privateKeyPassword` does not open `privateKey`.";
  }
  return (
    "`privateKey` cannot be read: it is damaged, or in a format other than OpenSSH's, PEM's or PuTTY's. " +
    "`ssh-keygen -p -f <file>` rewrites a key in OpenSSH's format."
  );
};
