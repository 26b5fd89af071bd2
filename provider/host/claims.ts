import { UserError } from "../error.js";
import type { Host } from "./types.js";

/** The newest claim in a folder. */
export interface FoundClaim {
  /** Counts the claims; 0 when there was none. */
  readonly generation: number;
  /** The host's clock, epoch milliseconds. */
  readonly now: number;
  /** By the same clock; undefined when there was none, or one that cannot be read. */
  readonly expires: number | undefined;
  readonly text: string;
}

export interface WantedClaim {
  /** That of the claim that this one replaces; where another has come since, nothing is done. */
  readonly generation: number;
  /** Milliseconds; 0 gives the claim up. */
  readonly lifetime: number;
  /** One line, short enough for any file system's links: 800 bytes. */
  readonly text: string;
}

// A claim is a symbolic link `claim.<generation>` whose target is its text: made whole and by one contender only, with
// nothing to lock and nothing half written after a crash. The newest is never removed, so a late contender, whose number
// was used and removed before, sees that it is not the newest.
const functions = `
folder=$1
highest() {
  local entry number
  top=0
  for entry in "$folder"/claim.*; do
    number=\${entry##*.}
    case $number in '' | *[!0-9]*) continue ;; esac
    if [ "$number" -gt "$top" ]; then top=$number; fi
  done
}
show() { date +%s%3N; echo "$top"; readlink -- "$folder/claim.$top"; }
`;

const readScript = `${functions}
highest
show
true
`;

const makeScript = `${functions}
expected=$2 lifetime=$3 text=$4
mkdir -p -- "$folder" || exit 1
highest
if [ "$top" = "$expected" ]; then
  link=$folder/claim.$((expected + 1))
  target="$(($(date +%s%3N) + lifetime)) $text"
  message=$(LC_ALL=C ln -sT -- "$target" "$link" 2>&1) || [ -L "$link" ] || { echo "$message" >&2; exit 1; }
  highest
  if [ "$top" = $((expected + 1)) ] && [ "$(readlink -- "$link")" = "$target" ]; then
    for entry in "$folder"/claim.*; do
      number=\${entry##*.}
      case $number in '' | *[!0-9]*) continue ;; esac
      if [ "$number" -lt $((top - 8)) ]; then rm -f -- "$entry"; fi
    done
    echo won
    show
    exit 0
  fi
fi
echo lost
show
true
`;

const parse = (lines: readonly string[]): FoundClaim => {
  const [now, generation, claim = ""] = lines;
  const [, expires, text = ""] = /^(\d+) (.*)$/s.exec(claim) ?? [];
  return {
    generation: Number(generation),
    now: Number(now),
    expires: expires === undefined ? undefined : Number(expires),
    text,
  };
};

/** The newest claim in a folder, which need not exist. */
export const readClaim = async (host: Host, folder: string): Promise<FoundClaim> => {
  const { stdout } = await host.script(readScript, [folder], { label: `read the claims in ${folder}` });
  return parse(stdout.split("\n"));
};

/** Makes the next claim, unless somebody was quicker; gives the newest one after it. Makes the folder. */
export const makeClaim = async (
  host: Host,
  folder: string,
  { generation, lifetime, text }: WantedClaim,
): Promise<FoundClaim & { readonly won: boolean }> => {
  if (Buffer.byteLength(text) > 800 || text.includes("\n")) {
    throw new UserError(`Expected the text of a claim to be one line of at most 800 bytes, got \`${text}\`.`);
  }
  const args = [folder, String(generation), String(Math.ceil(lifetime)), text];
  const { stdout } = await host.script(makeScript, args, { label: `claim ${folder}` });
  const [result, ...lines] = stdout.split("\n");
  return { ...parse(lines), won: result === "won" };
};
