import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { seconds } from "../wait.js";
import { homePaths, type NodeKind } from "./layout.js";
import { type ObservedProcess, processArguments, processFunctions, processOf } from "./process.js";
import { fieldsOf, integer, recordsOf } from "./records.js";
import { parseVersion, stopFlags } from "./versions.js";

export interface StopOptions {
  /** Let running queries end and, on a leading FE, hand over first, where the version does that well. */
  readonly graceful: boolean;
  /** Seconds after which the process is killed (SIGKILL). */
  readonly timeoutSeconds: number;
  /** Version of what runs; without it no flag is passed. */
  readonly version?: string;
}

export interface StopResult {
  readonly did: "was not running" | "stopped" | "killed";
  /** Seconds that it took. */
  readonly seconds: number;
  /** What ran before. */
  readonly process?: ObservedProcess;
  /** What the stop script said; empty when it was not asked (no pid file that names the process). */
  readonly output: string;
}

/**
 * Flags of the stop script. Never `--timeout`: the limit is kept here, for every version alike and for scripts that hang,
 * and a kill is reported as one.
 */
const stopArguments = (kind: NodeKind, { graceful, version }: StopOptions): readonly string[] => {
  const parsed = version === undefined ? undefined : parseVersion(version);
  return parsed ? stopFlags(parsed, kind, { graceful }) : [];
};

/** The process runs as another user, so nothing was sent to it. */
export class NotSignalled extends UserError {}

/** `stopped in 2.1 s`, for the journal. */
export const describeStop = (result: StopResult): string =>
  result.did === "was not running" ? "was not running" : `${result.did} after ${seconds(result.seconds * 1000)}`;

// A stop script's exit code proves nothing either: without a pid file it says 0 and stops nothing, with another PID_DIR the
// same, old ones return before the process ended, 3.4's waits for ever. So: signal, and look at the process itself.
const stopScript = `${processFunctions}
select_process "$1" "$2" "$3" "$4" "$5" "$6"
script=$7 seconds=$8 patience=$9
shift 9
if ! find_process; then
  [ -z "$FILED" ] || rm -f -- "$PID_FILE"
  emit did 'was not running'
  exit 0
fi
emit_process
# Milliseconds in NOW. From bash 5 on, without a process for each.
clock() {
  if [ -n "$EPOCHREALTIME" ]; then NOW=$((\${EPOCHREALTIME/[.,]/} / 1000)); else NOW=$(date +%s%3N); fi
}
elapsed() { clock; now=$((NOW - started)); }
clock
started=$NOW
output=$NODE_HOME/log/.stop.$$
refused() {
  kill -0 "$1" 2>/dev/null && return 1
  is_same_process "$1" "$2"
}
asked= running= signalled= another= asked_at=0
finish() {
  if [ -n "$running" ]; then kill -KILL -- "-$asked" 2>/dev/null; fi
  if [ -n "$asked" ]; then
    emit output "$(head -c 65536 -- "$output" 2>/dev/null | tr -d '\\0')"
    rm -f -- "$output"
  fi
}
if [ "$FILED" = "$FOUND" ] && [ -f "$script" ]; then
  mkdir -p -- "$NODE_HOME/log"
  set -m
  (cd -- "$NODE_HOME" && exec bash "$script" "$@") </dev/null >"$output" 2>&1 &
  asked=$! running=1
  set +m
fi
pid=$FOUND ticks=$FOUND_TICKS did=stopped
limit=$((seconds * 1000)) now=0
while :; do
  if ! is_same_process "$pid" "$ticks"; then
    # The process is gone; another of the same home (started twice, a child that outlived it) is stopped too.
    find_process || break
    pid=$FOUND ticks=$FOUND_TICKS signalled= another=1
  fi
  if refused "$pid" "$ticks"; then emit refused "$pid"; finish; exit 0; fi
  elapsed
  if [ "$now" -ge "$limit" ]; then
    if [ "$did" = killed ] && [ "$now" -ge $((limit + 15000)) ]; then emit survived "$pid"; finish; exit 0; fi
    kill -KILL "$pid" 2>/dev/null
    did=killed
  else
    if [ -n "$running" ] && ! kill -0 "$asked" 2>/dev/null; then
      if wait "$asked"; then asked_at=$now; else asked_at=-$patience; fi
      running=
    fi
    if [ -z "$asked$signalled" ] || [ -n "$another" ] || { [ -z "$running" ] && [ $((now - asked_at)) -ge "$patience" ]; }; then
      [ -n "$signalled" ] || kill -TERM "$pid" 2>/dev/null
      signalled=1
    fi
  fi
  sleep 0.1
done
elapsed
# The script polls each second or two, and may have more to do afterwards: its pause is cut short, as the node is down meanwhile.
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
  if [ -z "$running" ] || [ "$did" = killed ]; then break; fi
  # Of this signal bash says nothing.
  pkill -PIPE -g "$asked" -x sleep 2>/dev/null
  if kill -0 "$asked" 2>/dev/null; then sleep 0.1; else running=; fi
done
finish
rm -f -- "$PID_FILE"
emit did "$did"
emit elapsed "$now"
`;

/** Milliseconds after a stop script's success until a process that still runs is signalled directly. */
const patience = 10_000;

/**
 * Stops the home's process and proves that it is gone (pid and start time), whatever pid file and stop script say.
 * SIGKILL at the limit. One round trip.
 */
export const stopProcess = async (
  host: Host,
  kind: NodeKind,
  home: string,
  options: StopOptions,
): Promise<StopResult> => {
  const { stdout } = await host.script(
    stopScript,
    [
      ...processArguments(kind, home),
      homePaths(home, kind).stopScript,
      String(options.timeoutSeconds),
      String(Math.min(patience, options.timeoutSeconds * 500)),
      ...stopArguments(kind, options),
    ],
    { limit: options.timeoutSeconds * 1000 + 60_000, label: `stop of ${home}` },
  );
  const records = recordsOf(stdout);
  const fields = fieldsOf(records);
  const process = processOf(records);
  const output = (fields.get("output") ?? "").trim();
  if (fields.has("refused")) {
    throw new NotSignalled(
      `Expected to stop process ${fields.get("refused")} of ${home} on ${host.name}, but it runs as ${process?.user} and ` +
        "may not be signalled by the user that this connection runs commands as. Stop it as that user, or set `connection.become`.",
    );
  }
  if (fields.has("survived")) {
    throw new UserError(
      `Process ${fields.get("survived")} of ${home} on ${host.name} is still there 15 s after SIGKILL ` +
        "(it waits for a disk, or something such as systemd starts it again). See `ps` and `dmesg` on the host.",
    );
  }
  const did = fields.get("did");
  if (did !== "was not running" && did !== "stopped" && did !== "killed") {
    throw new Error(`The stop of ${home} on ${host.name} gave no result: ${stdout}`);
  }
  return {
    did,
    seconds: (integer(fields.get("elapsed")) ?? 0) / 1000,
    output,
    ...(process ? { process } : {}),
  };
};
