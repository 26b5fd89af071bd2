import type { Host } from "../host/types.js";
import { homePaths, type NodeKind } from "./layout.js";
import { logFiles } from "./log-files.js";
import { type LogMark, type LogMarks, type LogsRead, logsOf, readArguments, readScript } from "./logs.js";
import {
  knownArguments,
  type ObservedProcess,
  type ProcessId,
  processArguments,
  processFunctions,
  processOf,
} from "./process.js";
import { fieldsOf, groupsOf, integer, listArguments, recordsOf } from "./records.js";

export interface StartOptions {
  readonly javaHome?: string;
  /** FE: `host:edit_log_port` of a member of the group, on the first start of a node that joins. */
  readonly helper?: string;
  /** FE: `FQDN` on the first start of a node whose address is a name (StarRocks ≥ 2.4). */
  readonly hostType?: "IP" | "FQDN";
  /** More environment variables of the process; visible on the host, hence no secrets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What goes before the start script's own command, such as a program that makes a namespace for it. */
  readonly wrapper?: readonly string[];
  /** Where the process writes its logs; see `log-files.ts`. Default: files in `<home>/log`. */
  readonly logs?: readonly string[];
  /** Milliseconds for the start script, which returns as soon as the process is forked. */
  readonly limit?: number;
}

export interface StartResult {
  /** `"ran"`: the start script was run, which proves nothing yet. */
  readonly did: "ran" | "already running";
  /** Exit code of the script; 124 when it hung and was ended. */
  readonly code: number;
  /** What the script said to its terminal: JAVA_HOME, `running as process N`, … */
  readonly output: string;
  /** Taken before the script ran. */
  readonly marks: readonly LogMark[];
  /** The process, when it was there to be seen right after the script. */
  readonly process?: ObservedProcess;
  /** Host's clock just before the script ran, in epoch milliseconds. */
  readonly at: number;
}

/** Start scripts return in 0.2 s; a host under load gets a hundred times that. */
export const startLimit = 60_000;

/**
 * Milliseconds in which what a start script has forked must become the node: on a host under load two programs are still to be
 * executed then. The script itself waits for a part of that.
 */
const appearsWithin = 3000;

/** Whether a process that nobody has seen yet may still become the node. `since`: when its start was over, by `performance.now`. */
export const mayAppear = ({ code, did }: StartResult, since: number): boolean =>
  did === "ran" && code === 0 && performance.now() - since < appearsWithin;

/** What StarRocks recommends; a BE refuses to run below 60000. */
const wantedFiles = 655_350;

// The script runs in its own session and under `timeout`, its output goes to a file: neither a killed channel nor a
// daemon that kept the script's stdout can tie the process to this SSH session.
const startScript = `${processFunctions}
select_process "$1" "$2" "$3" "$4" "$5" "$6"
script=$7 seconds=$8 files=$9
shift 9
take_list() { LIST=("\${@:2:$1}"); }
take_list "$@"; logs=("\${LIST[@]}"); shift $((1 + $1))
take_list "$@"; variables=("\${LIST[@]}"); shift $((1 + $1))
take_list "$@"; wrapper=("\${LIST[@]}"); shift $((1 + $1))

emit at "$(date +%s%3N)"
for log in "\${logs[@]}"; do
  emit log "$log"
  emit mark "$(stat -L -c '%i %s' -- "$log" 2>/dev/null)"
done
if find_process; then
  emit running 1
  emit_process
  exit 0
fi
rm -f -- "$PID_FILE"
mkdir -p -- "$NODE_HOME/log" || exit 1
hard=$(ulimit -H -n)
if [ "$hard" = unlimited ] || [ "$hard" -gt "$files" ]; then hard=$files; fi
soft=$(ulimit -S -n)
if [ "$soft" != unlimited ] && [ "$soft" -lt "$hard" ]; then ulimit -S -n "$hard" 2>/dev/null; fi
output=$NODE_HOME/log/.start.$$
session=
if command -v setsid >/dev/null 2>&1; then session=setsid; fi
cd -- "$NODE_HOME" || exit 1
timeout -k 5 "$seconds" $session "\${wrapper[@]}" env "\${variables[@]}" bash "$script" --daemon "$@" </dev/null >"$output" 2>&1
code=$?
emit code $code
emit output "$(head -c 65536 -- "$output" | tr -d '\\0')"
rm -f -- "$output"
# On a host under load, what was forked may not have become the node yet: that is no death.
for _ in 1 2 3 4 5 6 7 8 9 10; do
  if find_process; then emit_process; break; fi
  [ $code = 0 ] || break
  sleep 0.1
done
`;

const scriptArguments = (kind: NodeKind, options: StartOptions): readonly string[] =>
  kind === "fe"
    ? [
        ...(options.helper === undefined ? [] : ["--helper", options.helper]),
        ...(options.hostType === undefined ? [] : ["--host_type", options.hostType]),
      ]
    : [];

/**
 * Runs the home's start script unless the home's process runs. Exit code 0 says only that something was forked: prove the
 * process by `observeProcess`, its log after `marks`, and its ports. One round trip.
 */
export const startProcess = async (
  host: Host,
  kind: NodeKind,
  home: string,
  options: StartOptions = {},
): Promise<StartResult> => {
  const paths = homePaths(home, kind);
  const limit = options.limit ?? startLimit;
  const variables = { ...options.environment, ...(options.javaHome ? { JAVA_HOME: options.javaHome } : {}) };
  const { stdout } = await host.script(
    startScript,
    [
      ...processArguments(kind, home),
      paths.startScript,
      String(Math.ceil(limit / 1000)),
      String(wantedFiles),
      ...listArguments(options.logs ?? logFiles(kind, home, new Map())),
      ...listArguments(Object.entries(variables).map(([name, value]) => `${name}=${value}`)),
      ...listArguments(options.wrapper ?? []),
      ...scriptArguments(kind, options),
    ],
    { limit: limit + 30_000, label: `start of ${home}` },
  );
  const records = recordsOf(stdout);
  const fields = fieldsOf(records);
  const process = processOf(records);
  return {
    did: fields.has("running") ? "already running" : "ran",
    code: integer(fields.get("code")) ?? 0,
    output: (fields.get("output") ?? "").trim(),
    marks: groupsOf(records, "log").map((group) => markOf(group)),
    at: integer(fields.get("at")) ?? 0,
    ...(process ? { process } : {}),
  };
};

const markOf = (group: ReadonlyMap<string, string>): LogMark => {
  const [inode, size] = (group.get("mark") ?? "").split(" ").map(Number);
  const path = group.get("log") ?? "";
  return size === undefined || inode === undefined ? { path, size: 0 } : { path, inode, size };
};

const marked = "logs";

const lookScript = `${processFunctions}
select_process "$1" "$2" "$3" "$4" "$5" "$6"
known=$7 ticks=$8
shift 8
if find_process || find_known "$known" "$ticks"; then emit_process; fi
emit ${marked} ''
${readScript}`;

/**
 * The process of a home and what its logs say since the marks, in one round trip. The process is looked for first: what is
 * read then has the last words of one that has ended. `known` as for `observeProcess`.
 */
export const observeStart = async (
  host: Host,
  kind: NodeKind,
  home: string,
  paths: readonly string[],
  marks: LogMarks,
  known?: ProcessId,
): Promise<LogsRead & { readonly process?: ObservedProcess }> => {
  const { stdout } = await host.script(
    lookScript,
    [...processArguments(kind, home), ...knownArguments(known), ...readArguments(paths, marks)],
    { label: `watch the process of ${home}` },
  );
  const border = `${marked}\0\0`;
  const [told = "", ...said] = stdout.split(border);
  const process = processOf(recordsOf(told));
  return { ...logsOf(said.join(border), paths, marks), ...(process ? { process } : {}) };
};
