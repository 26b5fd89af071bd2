import type { NodeKind } from "./layout.js";

/** Values of a conf file by key, as they are written in it. */
export type Settings = Readonly<Record<string, string>>;

export interface SettingProblem {
  readonly key: string;
  readonly message: string;
}

/** Keys that would take a node out of the provider's hands, or start it outside its cluster. */
const refused: Readonly<Record<string, string>> = {
  PID_DIR: "the process is found by the pid file in the node's bin folder, and stop_be.sh ignores PID_DIR from 3.4 on",
  STARROCKS_HOME: "the scripts derive it from the node's folder",
  DORIS_HOME: "the scripts derive it from the node's folder",
  cluster_id: "the cluster's identity is in its metadata; StarRocks 3.3 and newer ignore the key silently",
  bdbje_reset_election_group:
    "it cuts a frontend out of its group; the rehearsal sets it on its own copy of the metadata",
  metadata_failure_recovery:
    "it cuts a frontend out of its group; the rehearsal sets it on its own copy of the metadata",
};

/** Keys that arguments of the nodes own. */
export const argumentKeys: Readonly<Record<NodeKind, Readonly<Record<string, string>>>> = {
  fe: {
    http_port: "ports.http",
    rpc_port: "ports.rpc",
    query_port: "ports.query",
    edit_log_port: "ports.editLog",
    meta_dir: "metaDir",
    JAVA_HOME: "javaHome",
  },
  be: {
    be_port: "ports.be",
    be_http_port: "ports.http",
    webserver_port: "ports.http",
    heartbeat_service_port: "ports.heartbeat",
    brpc_port: "ports.brpc",
    starlet_port: "ports.starlet",
    storage_root_path: "storage",
    JAVA_HOME: "javaHome",
  },
  cn: {
    be_port: "ports.be",
    thrift_port: "ports.be",
    be_http_port: "ports.http",
    webserver_port: "ports.http",
    heartbeat_service_port: "ports.heartbeat",
    brpc_port: "ports.brpc",
    starlet_port: "ports.starlet",
  },
};

/**
 * What is wrong with a `config` argument. `reserved` maps keys to the argument that says them instead (`http_port` →
 * `ports.http`). Unknown keys pass: StarRocks ignores them, and each release has new ones.
 */
export const checkSettings = (
  kind: NodeKind,
  settings: Settings,
  reserved: Readonly<Record<string, string>> = argumentKeys[kind],
): readonly SettingProblem[] =>
  Object.entries(settings).flatMap(([key, value]) => {
    const message = problemOf(kind, key, value, reserved);
    return message === undefined ? [] : [{ key, message }];
  });

const problemOf = (
  kind: NodeKind,
  key: string,
  value: string,
  reserved: Readonly<Record<string, string>>,
): string | undefined => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) {
    return `Expected a key of ${kind}.conf (letters, digits and _), got "${key}".`;
  }
  if (Object.hasOwn(reserved, key)) {
    return `Expected ${key} to be said by the argument \`${reserved[key]}\`, not in \`config\`.`;
  }
  if (Object.hasOwn(refused, key)) {
    return `${key} is not allowed in \`config\`: ${refused[key]}.`;
  }
  if (hasControlCharacter(value)) {
    return `Expected the value of ${key} to be one line, got a line break or another control character.`;
  }
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(value.trim())) {
    return `Expected the value of ${key} not to end with a backslash, which continues it on the next line.`;
  }
  return /^[A-Z][A-Z0-9_]*$/.test(key) ? shellProblem(key, value) : undefined;
};

const hasControlCharacter = (value: string): boolean => [...value].some((one) => one < " " && one !== "\t");

/** The scripts put uppercase keys through `eval "echo KEY=value"`: quotes and variables are meant, commands are not. */
const shellProblem = (key: string, value: string): string | undefined => {
  const because = "the start scripts evaluate uppercase keys in a shell";
  if (/`|\$\(/.test(value)) {
    return `Expected the value of ${key} to have no command substitution ($(…) or backticks): ${because}.`;
  }
  const unquoted = value.replace(/"(?:[^"\\]|\\.)*"|'[^']*'|\\./g, "");
  if (/["']/.test(unquoted)) {
    return `Expected the quotes in the value of ${key} to be closed: ${because}.`;
  }
  const operator = /[;&|<>()]/.exec(unquoted)?.[0];
  return operator && `Expected "${operator}" in the value of ${key} to be quoted: ${because}.`;
};
