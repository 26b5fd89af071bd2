/**
 * Becomes the command, beside a watch that ends all of its process group after so many seconds. Whatever the command starts
 * holds a pipe to the watch, so it ends with the last of them, and nobody need end it.
 */
const lifeScript = `
seconds=$1; shift
exec {held}> >(exec >/dev/null 2>&1; read -r -t "$seconds"; [ $? -le 128 ] || kill -KILL 0)
exec "$@"
`;

/**
 * What goes before a command whose processes must not outlive the one who is to stop them, be it that the power of his machine
 * fails. The command needs a process group of its own.
 */
export const livingFor = (milliseconds: number): readonly string[] => [
  "bash",
  "--norc",
  "-c",
  lifeScript,
  "life",
  String(Math.ceil(milliseconds / 1000)),
];
