import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { type JdkNeed, jdkNeed, type Version } from "./versions.js";

export interface Jdk {
  /** What JAVA_HOME must be. */
  readonly home: string;
  /** As Java says it: `17.0.15`, `1.8.0_402`. */
  readonly version: string;
  readonly major: number;
  /** It has `javac`; without it is a plain JRE. */
  readonly compiler: boolean;
}

/** A place that was looked at: a working Java, or why it is none. */
export type JavaSeen = Jdk | { readonly home: string; readonly problem: string };

export interface JdkWish {
  /** The only place to take, if given. */
  readonly javaHome?: string;
  readonly version: Version;
  /** A BE needs no compiler, whatever an FE of its version needs. Default false. */
  readonly runtime?: boolean;
}

/**
 * The Java for an FE of this version: `javaHome` where it is declared, which then must fit. Else looked at are, in this
 * order, JAVA_HOME of a login shell, `javac` and `java` on the PATH, and the usual folders. Of those that fit, the release
 * that StarRocks' own line is used with wins over newer ones, so that all hosts take the same; order decides among equals.
 */
export const findJdk = async (host: Host, wish: JdkWish): Promise<Jdk> => {
  const { found, seen } = await startable(host, await look(host, wish.javaHome), wish);
  if (!found) {
    const others = wish.javaHome === undefined ? [] : await look(host, undefined);
    const all = [...seen, ...others.filter(({ home }) => home !== wish.javaHome)];
    throw new UserError(notFoundMessage(host.name, all, wish));
  }
  return found;
};

/** What a BE gets as JAVA_HOME. */
export interface Runtime {
  readonly home?: string;
  /** What is wrong with it, or with there being none: the BE runs all the same. */
  readonly problem?: string;
}

/**
 * Java for a BE's JNI: `javaHome` as it is declared, else the first fit one, else none. It is not tried: a JVM on each BE's host
 * would take a second of a deployment, and a BE starts without one.
 */
export const findRuntime = async (host: Host, { javaHome, version }: JdkWish): Promise<Runtime> => {
  const wish = { version, runtime: true, ...(javaHome !== undefined && { javaHome }) };
  const seen = await look(host, javaHome);
  const found = chooseJdk(seen, wish);
  const { text } = jdkNeed(version);
  const list = seen.map(seenText).join("; ");
  if (found) {
    return { home: found.home };
  }
  return javaHome === undefined
    ? {
        problem:
          `A BE has no Java (${text}${list && `; found: ${list}`}): it runs, but Java UDFs, JDBC catalogs, HDFS and whatever else needs JNI do not work. ` +
          "Install one, or name its folder with the BE's `javaHome`.",
      }
    : { home: javaHome, problem: `A BE's \`javaHome\` is no ${text}: ${list}. What needs JNI may not work there.` };
};

/** At one place, or wherever Javas are. */
const look = async (host: Host, place: string | undefined): Promise<readonly JavaSeen[]> =>
  parseFindings((await host.script(findScript, [place ?? ""])).stdout);

/** The best of those seen that does start: a JVM takes long to start, so that most are known by their `release` file only. */
const startable = async (
  host: Host,
  seen: readonly JavaSeen[],
  wish: JdkWish,
): Promise<{ readonly found: Jdk | undefined; readonly seen: readonly JavaSeen[] }> => {
  const best = chooseJdk(seen, wish);
  if (!best) {
    return { found: undefined, seen };
  }
  const { stdout } = await host.script(startScript, [best.home]);
  const problem = stdout.split("\n").find((line) => line !== "");
  if (problem === undefined) {
    return { found: best, seen };
  }
  return startable(
    host,
    seen.map((one) => (one === best ? { home: best.home, problem } : one)),
    wish,
  );
};

/** The choice alone; `seen` in the order of the search. */
export const chooseJdk = (
  seen: readonly JavaSeen[],
  { javaHome, runtime = false, version }: JdkWish,
): Jdk | undefined => {
  const need = jdkNeed(version);
  const fitting = seen
    .filter((one): one is Jdk => "version" in one)
    .filter((one) => need.fits(one.major) && (one.compiler || runtime || !need.compiler))
    .filter(({ home }) => javaHome === undefined || home === javaHome);
  return fitting.toSorted(
    (a, b) => (runtime ? 0 : Number(b.compiler) - Number(a.compiler)) || rank(a, need) - rank(b, need),
  )[0];
};

const rank = ({ major }: Jdk, { preferred }: JdkNeed): number => {
  const index = preferred.indexOf(major);
  return index >= 0 ? index : preferred.length + major;
};

const notFoundMessage = (host: string, seen: readonly JavaSeen[], { javaHome, version }: JdkWish): string => {
  const need = jdkNeed(version);
  const wanted = `${need.text}${need.compiler ? ", with javac" : ""}`;
  const list = seen.length > 0 ? seen.map(seenText).join("; ") : "no Java at all";
  return javaHome === undefined
    ? `StarRocks ${version.text} needs ${wanted} on ${host}; found: ${list}. ` +
        "Install one (the same on every FE), or name its folder with `javaHome`."
    : `Expected \`javaHome\` "${javaHome}" on ${host} to be ${wanted} for StarRocks ${version.text}; found: ${list}. ` +
        "Name a folder that fits, or leave `javaHome` out to have one found.";
};

const seenText = (one: JavaSeen): string =>
  "version" in one ? `${one.home} (${one.version}${one.compiler ? "" : ", no javac"})` : `${one.home} (${one.problem})`;

/** `17.0.15` → 17, `1.8.0_402` → 8, `21-ea` → 21. */
export const javaMajor = (version: string): number | undefined => {
  const [, first, old] = /^(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  const major = first === "1" ? (old ?? first) : first;
  return major === undefined ? undefined : Number(major);
};

/** Lines of the script: home, `javac` or `-`, and what the Java said or has written of its version, with tabs between. */
export const parseFindings = (stdout: string): readonly JavaSeen[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [home = "", compiler, said = ""] = line.split("\t");
      const version = /^(?:JAVA_VERSION=|.*version )"([^"]+)"/.exec(said)?.[1];
      const major = version && javaMajor(version);
      return version && major
        ? { home, version, major, compiler: compiler === "javac" }
        : { home, problem: said === "" ? "no bin/java that runs" : said };
    });

/** Prints why a Java does not start, and nothing when it does. */
const startScript = `out=$(timeout 20 "$1/bin/java" -version </dev/null 2>&1) || printf '%s\\n' "$out" "exit code $?"`;

// A login shell may print, read or hang: its answer is marked, its input empty, its time limited. A JDK's `release` file
// has its version (since 8); those without one are asked, all at once, as each takes a while to start. A place that is
// reached by two names counts once, by its first.
const findScript = `
declared=$1
places=()
if [ -n "$declared" ]; then
  places+=("$declared")
else
  login=$(timeout 5 bash -lc 'printf "\\nlogin-java-home=%s\\n" "$JAVA_HOME"' </dev/null 2>/dev/null | sed -n 's/^login-java-home=//p' | tail -n 1)
  if [ -n "$login" ]; then places+=("$login"); fi
  for tool in javac java; do
    file=$(command -v "$tool") && file=$(readlink -f -- "$file") || continue
    home=\${file%/bin/$tool}
    places+=("\${home%/jre}")
  done
  for place in /usr/lib/jvm/* /usr/java/* /opt/*jdk* /opt/java/* /usr/local/*jdk*; do
    if [ -x "$place/bin/java" ]; then places+=("$place"); fi
  done
fi
declare -A known
folder=$(mktemp -d) || exit 1
trap 'rm -rf -- "$folder"' EXIT
count=0
for place in "\${places[@]}"; do
  real=$(readlink -f -- "$place/bin/java" 2>/dev/null); real=\${real:-$place}
  if [ -n "\${known[$real]}" ]; then continue; fi
  known[$real]=yes
  {
    compiler=-; said=
    if [ -x "$place/bin/javac" ]; then compiler=javac; fi
    if [ -x "$place/bin/java" ]; then
      said=$(grep -m 1 '^JAVA_VERSION="' "$place/release" 2>/dev/null)
      if [ -z "$said" ]; then
        out=$(timeout 20 "$place/bin/java" -version </dev/null 2>&1)
        said=$(grep -m 1 'version "' <<<"$out" || head -n 1 <<<"$out")
      fi
    fi
    printf '%s\\t%s\\t%s\\n' "$place" "$compiler" "$said" >"$folder/$(printf %04d "$count")"
  } &
  count=$((count + 1))
done
wait
if [ "$count" -gt 0 ]; then cat -- "$folder"/*; fi
`;
