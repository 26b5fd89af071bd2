import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { emitFunction, fieldsOf, integer, recordsOf } from "./records.js";

export interface HandOverOptions {
  /** Home of the leading FE, on whose host this runs. */
  readonly home: string;
  readonly javaHome: string;
  /** The leader's address and `edit_log_port`: `10.0.0.11:9010`. */
  readonly helper: string;
  /** `Name` in SHOW FRONTENDS of the follower that is to lead. */
  readonly target: string;
  /** Milliseconds for the follower to catch up with the leader; a healthy one needs about one second. */
  readonly limit: number;
}

export type HandOver =
  | { readonly did: "handed over"; readonly seconds: number }
  /** Nothing changed, as far as the tool knows; look at who leads. */
  | { readonly did: "refused"; readonly seconds: number; readonly said: string };

// The jar of the running release, as the view's links or a plain home have it: starrocks-bdb-je since 3.x, je before.
const script = `${emitFunction}
home=$1 java=$2/bin/java helper=$3 target=$4 seconds=$5
jar=
for file in "$home"/lib/starrocks-bdb-je-*.jar "$home"/lib/je-[0-9]*.jar; do
  if [ -r "$file" ]; then jar=$file; break; fi
done
if [ -z "$jar" ]; then emit missing "$home/lib/starrocks-bdb-je-*.jar"; exit 0; fi
if [ ! -x "$java" ]; then emit missing "$java"; exit 0; fi
started=$(date +%s%3N)
said=$(timeout -k 5 $((seconds + 20)) "$java" -jar "$jar" DbGroupAdmin -helperHosts "$helper" -groupName PALO_JOURNAL_GROUP \\
  -transferMaster -force "$target" "$seconds s" </dev/null 2>&1)
emit code $?
emit milliseconds $(($(date +%s%3N) - started))
emit said "$(tail -c 4096 <<<"$said" | tr -d '\\0')"
`;

/**
 * Moves the leadership of the FE group by BDB's own tool, as StarRocks has no statement for it (seen on 3.5.7: 0.9 s). The
 * process of the old leader then exits by itself; it comes back as a follower.
 */
export const handOver = async (host: Host, options: HandOverOptions): Promise<HandOver> => {
  const { home, javaHome, helper, target, limit } = options;
  const seconds = Math.max(1, Math.round(limit / 1000));
  const { stdout } = await host.script(script, [home, javaHome, helper, target, String(seconds)], {
    limit: (seconds + 40) * 1000,
    label: `hand the leadership over to ${target}`,
  });
  const fields = fieldsOf(recordsOf(stdout));
  const missing = fields.get("missing");
  if (missing !== undefined) {
    throw new UserError(
      `Expected ${missing} on ${host.name} to hand the leadership over with, found none. ` +
        "The release there is not whole, or `javaHome` is wrong; nothing was changed.",
    );
  }
  const said = (fields.get("said") ?? "").trim();
  const took = (integer(fields.get("milliseconds")) ?? 0) / 1000;
  // The tool's exit code alone proves nothing: some versions print a usage text and end well.
  return fields.get("code") === "0" && /the new master is:/i.test(said)
    ? { did: "handed over", seconds: took }
    : { did: "refused", seconds: took, said: said || `exit code ${fields.get("code") ?? "unknown"}` };
};
