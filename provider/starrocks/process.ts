import { TransientError } from "../error.js";
import type { Host } from "../host/types.js";
import { homePaths, kindLayouts, type NodeKind } from "./layout.js";
import { emitFunction, fieldsOf, integer, type Rec, recordsOf } from "./records.js";

/** The process of a node's home. A pid may be given again; pid and start ticks together name one process for ever. */
export interface ObservedProcess {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks (hundredths of a second on x86-64 and ARM64) from boot to its start. */
  readonly startTicks: number;
  /** Epoch seconds by the host's clock, rounded down (to a second early at most). */
  readonly startedAt: number;
  readonly user: string;
  readonly cmdline: string;
  /** JAVA_HOME of its environment, where that has it and can be read. */
  readonly javaHome?: string;
  /** Whether the pid file in `bin/` names it: stop scripts find nothing else. */
  readonly pidFile: "names it" | "missing" | "stale";
}

/**
 * Bash functions that find the process of a home. A process belongs to the home when its environment says so
 * (start scripts export STARROCKS_HOME; a real FE names its home nowhere else for sure), or its program is the home's
 * `lib/…`, or, where its environment cannot be read, an argument is a path inside the home. Paths are compared as
 * files, seen through the process' own root: symlinks agree, a container with the same path does not.
 * For bash 4.2 (CentOS 7).
 */
export const processFunctions = `${emitFunction}
select_process() {
  PROGRAM=$1 PLACE=$2 HAVING=$3 WITHOUT=$4 NODE_HOME=$5 PID_FILE=$6
}

read_arguments() {
  ARGV=()
  local element
  # A process that ends while it is read makes every further read fail: the loop must end with the first.
  {
    while IFS= read -r -d '' element; do ARGV+=("$element"); done
    [ -z "$element" ] || ARGV+=("$element")
  } 2>/dev/null <"/proc/$1/cmdline"
  [ "\${#ARGV[@]}" -gt 0 ]
}

# Start ticks of process $1 in TICKS, the kernel's flags in FLAGS; false when it is gone or a zombie.
read_ticks() {
  local stat=
  TICKS= FLAGS=0
  { IFS= read -r -d '' stat <"/proc/$1/stat"; } 2>/dev/null
  [ -n "$stat" ] || return 1
  set -- \${stat##*) }
  case $1 in Z | X) return 1 ;; esac
  TICKS=\${20} FLAGS=$7
}

is_same_process() { read_ticks "$1" && [ "$TICKS" = "$2" ]; }

# Whether folder $2, as process $1 names it, is the home (or its current release) on this host.
is_home() {
  local root=/proc/$1/root
  if [ -d "$root/." ]; then
    [ "$root$2" -ef "$NODE_HOME" ] && return 0
    [ "$root$2" -ef "$NODE_HOME/current" ] && return 0
    [ "$2" = "$NODE_HOME" ] && [ "$root/" -ef / ] && ! [ -e "$root$2" ]
  else
    [ "$2" = "$NODE_HOME" ]
  fi
}

is_program() {
  local element position=0 having= named=
  for element in "\${ARGV[@]}"; do
    case " $WITHOUT " in *" $element "*) return 1 ;; esac
    [ -z "$HAVING" ] || [ "$element" != "$HAVING" ] || having=1
    case $element in
      "$PROGRAM" | *[./]"$PROGRAM")
        if [ "$PLACE" = anywhere ] || [ $position = 0 ]; then
          named=1
        elif [ $position = 1 ]; then
          case \${ARGV[0]##*/} in bash | sh | dash | node | nodejs | python*) named=1 ;; esac
        fi
        ;;
    esac
    position=$((position + 1))
  done
  [ -n "$named" ] && { [ -z "$HAVING" ] || [ -n "$having" ]; }
}

is_of_home() {
  local element said=
  while IFS= read -r -d '' element; do
    case $element in
      STARROCKS_HOME=*)
        said=1
        is_home "$1" "\${element#*=}" && return 0
        ;;
    esac
  done 2>/dev/null <"/proc/$1/environ"
  for element in "\${ARGV[@]}"; do
    case $element in */lib/"$PROGRAM") is_home "$1" "\${element%/lib/*}" && return 0 ;; esac
    [ -n "$said" ] && continue
    case $element in "$NODE_HOME"/* | *[=:,]"$NODE_HOME"/*) is_home "$1" "$NODE_HOME" && return 0 ;; esac
  done
  return 1
}

is_node_process() { read_ticks "$1" && read_arguments "$1" && is_program && is_of_home "$1"; }

# The node's process in FOUND and FOUND_TICKS (the oldest when there are several), the pid file's content in FILED.
find_process() {
  local pid
  FOUND= FOUND_TICKS= FILED=
  { IFS= read -r FILED <"$PID_FILE"; } 2>/dev/null
  case $FILED in
    '' | *[!0-9]*) ;;
    *) if is_node_process "$FILED"; then FOUND=$FILED FOUND_TICKS=$TICKS; return 0; fi ;;
  esac
  while IFS=/ read -r _ _ pid _; do
    is_node_process "$pid" || continue
    if [ -z "$FOUND" ] || [ "$TICKS" -lt "$FOUND_TICKS" ]; then FOUND=$pid FOUND_TICKS=$TICKS; fi
  done < <(grep -lF -- "$PROGRAM" /proc/[0-9]*/cmdline 2>/dev/null)
  [ -n "$FOUND" ]
}

# Process $1 that was seen before with start ticks $2: while it executes its next program the kernel shows none of its arguments.
# Nor does it of one that exits, which takes seconds where a lot of memory is freed (PF_EXITING is 4).
find_known() { [ -n "$1" ] && is_same_process "$1" "$2" && [ $((FLAGS & 4)) = 0 ] && FOUND=$1 FOUND_TICKS=$2; }

emit_process() {
  local key value boot=0 element
  read_arguments "$FOUND"
  while read -r key value; do
    if [ "$key" = btime ]; then boot=$value; break; fi
  done </proc/stat
  emit process.pid "$FOUND"
  emit process.ticks "$FOUND_TICKS"
  emit process.started $((boot + FOUND_TICKS / 100))
  emit process.user "$(stat -c %U "/proc/$FOUND" 2>/dev/null)"
  emit process.cmdline "\${ARGV[*]}"
  emit process.filed "$FILED"
  while IFS= read -r -d '' element; do
    case $element in JAVA_HOME=?*) emit process.java "\${element#*=}" ;; esac
  done 2>/dev/null <"/proc/$FOUND/environ"
  # It may have ended since it was found.
  return 0
}
`;

/** What names one process for ever. */
export type ProcessId = Pick<ObservedProcess, "pid" | "startTicks">;

/** Arguments of `find_known`. */
export const knownArguments = (known: ProcessId | undefined): readonly string[] =>
  known === undefined ? ["", ""] : [String(known.pid), String(known.startTicks)];

/** Arguments of `select_process`: six of them. */
export const processArguments = (kind: NodeKind, home: string): readonly string[] => {
  const { program, place, having, without } = kindLayouts[kind].process;
  return [program, place, having ?? "", without.join(" "), home, homePaths(home, kind).pidFile];
};

const pidFileState = (filed: string, pid: number): ObservedProcess["pidFile"] => {
  if (filed === "") {
    return "missing";
  }
  return filed === String(pid) ? "names it" : "stale";
};

/** What `emit_process` told, if it did. */
export const processOf = (records: readonly Rec[]): ObservedProcess | undefined => {
  const fields = fieldsOf(records);
  const pid = integer(fields.get("process.pid"));
  const startTicks = integer(fields.get("process.ticks"));
  if (pid === undefined || startTicks === undefined) {
    return undefined;
  }
  const javaHome = fields.get("process.java");
  return {
    pid,
    startTicks,
    startedAt: integer(fields.get("process.started")) ?? 0,
    user: fields.get("process.user") ?? "",
    cmdline: fields.get("process.cmdline") ?? "",
    ...(javaHome !== undefined && { javaHome }),
    pidFile: pidFileState(fields.get("process.filed") ?? "", pid),
  };
};

const observeScript = `${processFunctions}
select_process "$1" "$2" "$3" "$4" "$5" "$6"
if find_process || find_known "$7" "$8"; then emit_process; fi
`;

/**
 * The running process of this home, whatever its pid file says; never one of another home. One on its way up is a shell, nohup
 * and java in turn, and cannot be recognized between two of them: `known`, as it was seen before, is there as long as its pid is.
 */
export const observeProcess = async (
  host: Host,
  kind: NodeKind,
  home: string,
  known?: ProcessId,
): Promise<ObservedProcess | undefined> => {
  const { stdout } = await host.script(observeScript, [...processArguments(kind, home), ...knownArguments(known)], {
    label: `look for the process of ${home}`,
  });
  return processOf(recordsOf(stdout));
};

/** Whether a process of this home runs; undefined where its host cannot be asked, which may heal by itself. */
export const isRunning = async (host: Host, kind: NodeKind, home: string): Promise<boolean | undefined> => {
  try {
    return (await observeProcess(host, kind, home)) !== undefined;
  } catch (error) {
    if (!(error instanceof TransientError)) {
      throw error;
    }
    return undefined;
  }
};

/** Whether two observations are of one process. */
export const isSameProcess = (one: ProcessId | undefined, other: ProcessId | undefined): boolean =>
  one !== undefined && other !== undefined && one.pid === other.pid && one.startTicks === other.startTicks;
