import type { SudoKind } from "../types.js";

/**
 * `sudo` as the login user meets it. Everybody is one user of this machine, so it only decides and then runs the command;
 * `--user` has no effect but the environment's USER.
 */
export const sudoProgram = (kind: SudoKind, user: string, passwordFile: string): string => `#!/usr/bin/env bash
ask=yes stdin= prompt="[sudo] password for ${user}: " target=root
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; break ;;
    -u|--user) target=$2; shift 2 ;;
    --user=*) target=\${1#*=}; shift ;;
    -p|--prompt) prompt=$2; shift 2 ;;
    --prompt=*) prompt=\${1#*=}; shift ;;
    -g|--group|-C|-h) shift 2 ;;
    --non-interactive) ask=no; shift ;;
    --stdin) stdin=yes; shift ;;
    --*) shift ;;
    -*)
      [[ $1 == *n* ]] && ask=no
      [[ $1 == *S* ]] && stdin=yes
      if [[ $1 == *u ]]; then target=$2; shift; fi
      if [[ $1 == *p ]]; then prompt=$2; shift; fi
      shift ;;
    *) break ;;
  esac
done
case ${kind} in
  none)
    echo "${user} is not in the sudoers file." >&2
    exit 1 ;;
  password)
    if [ "$ask" = no ]; then echo "sudo: a password is required" >&2; exit 1; fi
    if [ -z "$stdin" ]; then
      echo "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper" >&2
      exit 1
    fi
    for attempt in 1 2 3; do
      printf '%s' "$prompt" >&2
      IFS= read -r given || { echo "sudo: no password was provided" >&2; exit 1; }
      [ "$given" = "$(cat '${passwordFile}')" ] && good=yes && break
      echo "Sorry, try again." >&2
    done
    if [ -z "$good" ]; then echo "sudo: 3 incorrect password attempts" >&2; exit 1; fi ;;
esac
[ $# -gt 0 ] || exit 0
exec env USER="$target" LOGNAME="$target" SUDO_USER=${user} "$@"
`;

export const hostnameProgram = (name: string): string => `#!/usr/bin/env bash\necho ${name}\n`;

/**
 * `date` of a host whose clock is wrong. Limits: bash's own clock and the times of files are right; programs of the tests
 * add FLEET_CLOCK_OFFSET_MS, which is in the environment of every process, to what they read.
 */
export const dateProgram = (ms: number): string => `#!/usr/bin/env bash
for argument; do
  case $argument in
    -d|--date*|-r|--reference*|-s|--set*) exec /bin/date "$@" ;;
  esac
done
now=$(/bin/date +%s%3N)
case $now in *N) now=$(/bin/date +%s)000 ;; esac
now=$((now + ${ms}))
if /bin/date --version > /dev/null 2>&1; then
  exec /bin/date -d "@$((now / 1000)).$(printf %03d $((now % 1000)))" "$@"
fi
exec /bin/date -r $((now / 1000)) "$@"
`;
