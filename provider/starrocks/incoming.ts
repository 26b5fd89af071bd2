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
