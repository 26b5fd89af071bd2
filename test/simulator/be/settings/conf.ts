import { readFileSync } from "node:fs";
import type { Features } from "./build.js";
import { type KeyType, keys } from "./keys.js";

/** The answer to `POST /api/update_config`. */
export type Update = { readonly ok: true } | { readonly ok: false; readonly message: string };

export interface Conf {
  readonly text: (key: string) => string;
  readonly number: (key: string) => number;
  readonly flag: (key: string) => boolean;
  readonly update: (key: string, value: string) => Update;
  readonly entries: () => readonly (readonly [key: string, value: string])[];
}

export type ConfResult =
  | { readonly ok: true; readonly conf: Conf; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly message: string };

const LIMITS: Readonly<Partial<Record<KeyType, readonly [bigint, bigint]>>> = {
  int32_t: [-(2n ** 31n), 2n ** 31n - 1n],
  int64_t: [-(2n ** 63n), 2n ** 63n - 1n],
};

const isValid = (type: KeyType, value: string): boolean => {
  const limits = LIMITS[type];
  if (limits !== undefined) {
    return /^[+-]?\d+$/.test(value) && BigInt(value) >= limits[0] && BigInt(value) <= limits[1];
  }
  if (type === "bool") {
    return /^(true|false|0|1)$/i.test(value);
  }
  return type === "string" || (value !== "" && Number.isFinite(Number(value)));
};

/** `${NAME}` from the environment; `undefined` when one is not set. */
const resolve = (value: string, env: NodeJS.ProcessEnv): string | undefined => {
  let complete = true;
  const resolved = value.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    complete &&= env[name] !== undefined;
    return env[name] ?? "";
  });
  return complete ? resolved : undefined;
};

const parse = (text: string): readonly (readonly [string, string])[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const equals = line.indexOf("=");
      return equals === -1 ? [line, ""] : [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
    });

const rename = (key: string, features: Features): string => {
  if (key === "webserver_port") {
    return "be_http_port";
  }
  // A 2.x BE does not know the new name and says nothing.
  return key === "be_http_port" && features.onlyOldHttpPortKey ? "unknown" : key;
};

/** Reads be.conf or cn.conf as the BE itself does: the UPPERCASE keys are the scripts' business. */
export const readConf = (path: string, env: NodeJS.ProcessEnv, features: Features): ConfResult => {
  const warnings: string[] = [];
  const given = new Map<string, string>();
  for (const [name, value] of parse(readFileSync(path, "utf8"))) {
    const key = rename(name, features);
    if (features.warnsOfUnknownKeys && !/^[A-Z]/.test(key)) {
      if (!(key in keys)) {
        warnings.push(`Ignored unknown config: ${name}`);
      } else if (given.has(key)) {
        warnings.push(`Duplicate configuration item found: ${name}`);
      }
    }
    given.set(key, value);
  }
  const values = new Map<string, string>();
  for (const [name, { type, default: standard }] of Object.entries(keys)) {
    const isRounds = name === "loop_count_wait_fragments_finish";
    const value = resolve(given.get(name) ?? (isRounds ? String(features.fragmentRounds) : standard), env);
    if (value === undefined || !isValid(type, value)) {
      const text = features.warnsOfUnknownKeys
        ? `Invalid value of config '${name}': '${given.get(name)}'`
        : `config field error: ${name}`;
      return { ok: false, message: text };
    }
    values.set(name, value);
  }
  return { ok: true, conf: confOf(values, env), warnings };
};

const confOf = (values: Map<string, string>, env: NodeJS.ProcessEnv): Conf => {
  const text = (key: string): string => {
    const value = values.get(key);
    if (value === undefined) {
      throw new Error(`Expected a key of be.conf, got \`${key}\``);
    }
    return value;
  };
  return {
    text,
    number: (key) => Number(text(key)),
    flag: (key) => /^(true|1)$/i.test(text(key)),
    entries: () => [...values].sort(([a], [b]) => (a < b ? -1 : 1)),
    update: (key, value) => {
      const known = keys[key];
      const resolved = resolve(value.trim(), env);
      if (known === undefined) {
        return { ok: false, message: `Not found: '${key}' is not found` };
      }
      if (!known.mutable) {
        return { ok: false, message: `Not supported: '${key}' is not support to modify` };
      }
      if (resolved === undefined || !isValid(known.type, resolved)) {
        return { ok: false, message: `Invalid argument: convert '${value}' as ${known.type} failed` };
      }
      values.set(key, resolved);
      return { ok: true };
    },
  };
};
