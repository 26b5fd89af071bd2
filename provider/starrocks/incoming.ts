/**
 * Bash functions for working folders below `.incoming`. A name ends in pid and start time of the script that uses the
 * folder, so that leftovers of a dead one are known as such.
 */
export const incomingFunctions = `
discard() {
  if [ -e "$1" ]; then chmod -R u+w -- "$1" 2>/dev/null; rm -rf -- "$1"; fi
}
ticks_of() {
  local stat=
  { IFS= read -r -d '' stat <"/proc/$1/stat"; } 2>/dev/null
  set -- \${stat##*) }
  echo "\${20}"
}
discard_leftovers() {
  local entry owner
  for entry in "$1"/*.work; do
    owner=\${entry%.work}
    owner=\${owner##*.}
    if [ "$(ticks_of "\${owner%-*}")" != "\${owner#*-}" ]; then discard "$entry"; fi
  done
}
`;

/**
 * A script's folder `$work` below `$incoming`, which is gone when it ends; and `fail`, which says what failed and how much
 * space there is. Wants `incomingFunctions`.
 */
export const workingFolder = `fail() {
  emit failed "$1"
  emit detail "$2"
  discard "$work"
  emit space "$(df -h --output=avail,size,target -- "$incoming" | tail -n 1)"
  exit 0
}
trap 'discard "$work"' EXIT
trap 'exit 1' HUP INT TERM PIPE
shopt -s nullglob
discard_leftovers "$incoming"
mkdir -p -- "$work" "$release" || exit 1
umask 022
`;
