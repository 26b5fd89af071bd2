import fs from "node:fs";

/** A start that ends here, as a real FE ends it: the text goes to the logs, the process exits with 255. */
export class StartFailure extends Error {
  /** The source line that a real FE logs in front of the text. */
  readonly where: string;

  constructor(text: string, where = "StarRocksFE.start():141") {
    super(text);
    this.where = where;
  }
}

/** fe.conf: Java properties, `${NAME}` from the environment, unknown keys ignored. */
export interface Conf {
  readonly path: string;
  readonly text: (key: string, standard: string) => string;
  readonly number: (key: string, standard: number) => number;
  readonly flag: (key: string, standard: boolean) => boolean;
  readonly has: (key: string) => boolean;
}

const parseProperties = (text: string): Map<string, string> => {
  const values = new Map<string, string>();
  for (const line of text.replace(/\\\r?\n\s*/g, "").split(/\r?\n/)) {
    const match = /^\s*(?![#!])([^=:\s]+)\s*[=:\s]\s*(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) {
      values.set(match[1], match[2] ?? "");
    }
  }
  return values;
};

const resolve = (value: string, env: NodeJS.ProcessEnv): string =>
  value.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const found = env[name];
    if (found === undefined) {
      throw new StartFailure(`no such env variable: ${name}`, "ConfigBase.replacedByEnv():233");
    }
    return found;
  });

export const readConf = (path: string, env: NodeJS.ProcessEnv): Conf => {
  const values = parseProperties(fs.readFileSync(path, "utf8"));
  for (const [key, value] of values) {
    values.set(key, resolve(value, env));
  }
  const number = (key: string, standard: number): number => {
    const value = values.get(key);
    if (value === undefined) {
      return standard;
    }
    if (!/^-?\d+$/.test(value)) {
      throw new StartFailure(`For input string: "${value}"`, "ConfigBase.setConfigField():165");
    }
    return Number(value);
  };
  const flag = (key: string, standard: boolean): boolean => {
    const value = values.get(key)?.replaceAll('"', "").toLowerCase();
    if (value === undefined) {
      return standard;
    }
    if (value !== "true" && value !== "false") {
      throw new StartFailure(`type mismatch: ${key}=${value}`, "ConfigBase.setConfigField():165");
    }
    return value === "true";
  };
  return {
    path,
    text: (key, standard) => values.get(key) ?? standard,
    number,
    flag,
    has: (key) => values.has(key),
  };
};
