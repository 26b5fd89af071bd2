import { nearestFunction } from "./folders.js";
import { listenFunction } from "./listening.js";
import { processFunctions } from "./process.js";

/** Programs that our scripts and StarRocks' own need; curl or wget only for `release.url`. */
export const ensuredPrograms: readonly string[] = [
  ..."chmod chown cp cut date df dirname env getopt grep gzip head id ln ls mkdir mktemp mv nohup od ps readlink rm sed".split(
    " ",
  ),
  ..."sha256sum sleep sort stat tail tar timeout touch tr uname wc curl wget".split(" "),
];

/** Tells the facts that `limits.ts` reads. */
export const hostScript = `${processFunctions}${nearestFunction}${listenFunction}
node=("\${@:2:$1}"); shift $((1 + $1))
programs=("\${@:2:$1}"); shift $((1 + $1))
paths=("\${@:2:$1}"); shift $((1 + $1))
user=$(id -un 2>/dev/null)
emit run.user "$user"
emit uid "$EUID"
emit kernel "$(uname -srm)"
emit files.soft "$(ulimit -S -n)"
emit files.hard "$(ulimit -H -n)"
emit processes.soft "$(ulimit -S -u)"
emit processes.hard "$(ulimit -H -u)"
emit cpus "$(nproc 2>/dev/null)"
for program in "\${programs[@]}"; do
  command -v "$program" >/dev/null 2>&1 || emit missing "$program"
done
while read -r key value _; do
  case $key in MemTotal: | MemAvailable: | SwapTotal:) emit "\${key%:}" "$value" ;; esac
done </proc/meminfo
while IFS= read -r line; do
  case $line in
    flags*:*) case " $line " in *' avx2 '*) emit avx2 yes ;; *) emit avx2 no ;; esac; break ;;
  esac
done </proc/cpuinfo
while IFS= read -r line; do
  case $line in PRETTY_NAME=*) line=\${line#*=}; line=\${line#\\"}; emit os "\${line%\\"}" ;; esac
done 2>/dev/null </etc/os-release
setting() { local value; if read -r value 2>/dev/null <"$2"; then emit "$1" "$value"; fi; }
setting overcommit /proc/sys/vm/overcommit_memory
setting map_count /proc/sys/vm/max_map_count
setting swappiness /proc/sys/vm/swappiness
setting thp /sys/kernel/mm/transparent_hugepage/enabled

# systemd-logind: the last file that says it wins.
kills=no
for file in /etc/systemd/logind.conf /usr/lib/systemd/logind.conf.d/*.conf /etc/systemd/logind.conf.d/*.conf; do
  [ -r "$file" ] || continue
  while IFS= read -r line; do
    case $line in KillUserProcesses=[yYtT1]*) kills=yes ;; KillUserProcesses=*) kills=no ;; esac
  done <"$file"
done
if [ "$EUID" = 0 ] || [ -e "/var/lib/systemd/linger/$user" ]; then kills=no; fi
emit kills "$kills"

for path in "\${paths[@]}"; do
  emit disk "$path"
  nearest "$path"
  path=$NEAREST line=
  { read -r _; IFS= read -r line; } < <(df -k --output=size,avail,fstype,target -- "$path" 2>/dev/null)
  emit df "$line"
  if ! [ -d "$path" ] || ! [ -w "$path" ] || ! [ -x "$path" ]; then
    emit closed "$path"
    emit mode "$(stat -c '%A %U' -- "$path" 2>/dev/null)"
  fi
done

if [ "\${#node[@]}" -gt 0 ]; then
  select_process "\${node[@]:0:6}"
  if find_process; then emit_process; fi
  if [ -r "\${node[6]}" ]; then emit seal "$(<"\${node[6]}")"; fi
fi

# Addresses are in the kernel's own tables: neither "ip" nor "hostname -I" is everywhere.
leaf=
while read -r first second third _; do
  case $first in
    '|--') leaf=$second ;;
    /32) if [ "$third" = LOCAL ]; then emit address "$leaf"; fi ;;
  esac
done 2>/dev/null </proc/net/fib_trie
while read -r first _; do
  emit address "\${first:0:4}:\${first:4:4}:\${first:8:4}:\${first:12:4}:\${first:16:4}:\${first:20:4}:\${first:24:4}:\${first:28:4}"
done 2>/dev/null </proc/net/if_inet6

if [ $# -gt 0 ]; then emit_listeners "$@"; fi
true
`;
