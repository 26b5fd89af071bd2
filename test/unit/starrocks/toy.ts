import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { prepareHome, switchTo } from "../../../provider/starrocks/home.js";
import { type NodeKind, releaseFolder } from "../../../provider/starrocks/layout.js";
import { stageRelease } from "../../../provider/starrocks/release.js";
import { until } from "../../../provider/wait.js";
import { type LocalHost, localHost } from "./local-host.js";

// A release of a few lines of bash that keeps the contract of 3.5's scripts where these tests look: who writes the pid file,
// what exit code 0 says, what runs from where. test/simulator has the real thing.

const findHome = `
bin=$(cd "$(dirname "$0")"; pwd)
export STARROCKS_HOME=$(cd "$bin/.."; pwd)
mkdir -p "$STARROCKS_HOME/log" 2>/dev/null
fault() { [ -e "$STARROCKS_HOME/sim/$1" ]; }
`;

const start = (kind: "fe" | "be", command: string): string => `#!/bin/bash
${findHome}
pid=$(cat "$bin/${kind}.pid" 2>/dev/null)
if [ -n "$pid" ] && ps -q "$pid" -o cmd= | grep -qE 'starrocks_be|StarRocksFE'; then
  echo "running as process $pid. Stop it first."
  exit 1
fi
if fault hang-start; then sleep 1000; fi
echo "terminal says hello"
[ "$1" = --daemon ] && shift
nohup ${command} "$@" >>"$STARROCKS_HOME/log/${kind}.out" 2>&1 </dev/null &
exit 0
`;

const stop = (kind: "fe" | "be", signal: string): string => `#!/bin/bash
${findHome}
if fault hang-stop; then while :; do sleep 0.2; done; fi
signal=${signal}
echo "flags: $*"
case $1 in -g | --graceful) signal=TERM ;; esac
[ -f "$bin/${kind}.pid" ] || exit 0
pid=$(cat "$bin/${kind}.pid")
kill -0 "$pid" 2>/dev/null || { echo 'ERROR: pid process may not be ${kind}'; exit 1; }
fault deaf-script && exit 0
kill "-$signal" "$pid"
if fault lazy-stop; then sleep 2; fi
# Who adopts the process here may be slow to take note of its end.
lives() { case $(ps -o stat= -q "$pid") in '' | Z*) return 1 ;; esac; }
while lives; do sleep 0.05; done
rm -f "$bin/${kind}.pid"
if fault lazy-stop; then echo "stopped the workers, too"; fi
`;

const live = (kind: "fe" | "be"): string => `
if [ -e "$STARROCKS_HOME/sim/die" ]; then echo "dies at once"; exit 1; fi
printf %s $$ >"$STARROCKS_HOME/bin/${kind}.pid"
if [ -e "$STARROCKS_HOME/sim/immortal" ]; then trap '' TERM; else trap 'exit 0' TERM; fi
exec 9<> <(:)
while :; do read -r -t 0.05 <&9; done
`;

const program = (version: string, commit: string): string => `#!/bin/bash
if [ "$1" = --version ]; then printf '%s\\nBuildType: RELEASE\\n' '${version}-${commit}'; exit; fi
mkdir -p "$STARROCKS_HOME/lib/made-by-be" || exit 1
${live("be")}`;

const java = `#!/bin/bash
case " $* " in
  *' --version '*) cat "$STARROCKS_HOME/lib/starrocks-fe.jar"; exit ;;
esac
${live("fe")}`;

const showVersion = (command: string): string => `#!/bin/bash
${findHome}
${command} --version
`;

export interface Toy {
  readonly version: string;
  readonly commit?: string;
  /** What the release says of itself, when it lies. */
  readonly inside?: string;
  readonly without?: readonly string[];
  readonly more?: Readonly<Record<string, string | Buffer>>;
  /** Names in the archive begin with `./`, or with `fe/` and `be/`. */
  readonly names?: "dotted" | "flat";
}

export interface ToyArchive {
  readonly archive: string;
  readonly sha256: string;
  readonly version: string;
  readonly releaseId: string;
}

export const buildToy = (folder: string, toy: Toy): ToyArchive => {
  const { version, commit = "d2da301" } = toy;
  const said = toy.inside ?? version;
  const files: Record<string, string | Buffer> = {
    "be/bin/start_be.sh": start("be", `"$STARROCKS_HOME/lib/starrocks_be"`),
    "be/bin/stop_be.sh": stop("be", "KILL"),
    "be/bin/show_be_version.sh": showVersion(`"$STARROCKS_HOME/lib/starrocks_be"`),
    "be/lib/starrocks_be": program(said, commit),
    "be/lib/jni-packages/reader.jar": "reader",
    "be/lib/hadoop/hadoop.jar": "hadoop",
    "be/conf/be.conf": "be_port = 9060\n",
    "be/www/index.html": "www",
    "fe/bin/start_fe.sh": start("fe", `"$JAVA_HOME/bin/java" -Xmx1g com.starrocks.StarRocksFE`),
    "fe/bin/stop_fe.sh": stop("fe", "TERM"),
    "fe/bin/show_fe_version.sh": showVersion(`"$JAVA_HOME/bin/java" com.starrocks.StarRocksFE`),
    "fe/lib/starrocks-fe.jar": `Build version: ${said}\nCommit hash: ${commit}\n`,
    "fe/conf/fe.conf": "http_port = 8030\n",
    "fe/webroot/index.html": "webroot",
    "LICENSE.txt": "license",
    ...toy.more,
  };
  const top = toy.names === "flat" ? "." : `StarRocks-${version}-ubuntu-amd64`;
  const root = mkdtempSync(join(folder, "build-"));
  for (const [path, content] of Object.entries(files)) {
    if (!toy.without?.includes(path)) {
      const file = join(root, top, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { mode: /\/bin\/|starrocks_be/.test(path) ? 0o755 : 0o644 });
    }
  }
  const archive = join(folder, `StarRocks-${version}-ubuntu-amd64 ${Math.random().toString(36).slice(2)}.tar.gz`);
  const names = toy.names === "flat" ? readdirSync(root) : [toy.names === "dotted" ? `./${top}` : top];
  execFileSync("tar", ["-czf", archive, "-C", root, "--", ...names]);
  rmSync(root, { recursive: true });
  const sha256 = createHash("sha256").update(readFileSync(archive)).digest("hex");
  return { archive, sha256, version, releaseId: `${version}-${sha256.slice(0, 12)}` };
};

export interface Bench {
  /** A folder of this test, its name with a space, a quote and a dollar. */
  readonly folder: string;
  readonly deployDir: string;
  readonly javaHome: string;
  readonly host: LocalHost;
  stage(toy: ToyArchive): Promise<void>;
  /** A home on this release, ready to start. */
  makeHome(kind: NodeKind, name: string, toy: ToyArchive): Promise<string>;
  /** Sets a fault that the toys look at. */
  fault(home: string, name: string): void;
  mend(home: string, name: string): void;
  /** Ends what still runs and removes the folder. */
  clear(): Promise<void>;
}

export const openBench = (user?: { uid: number; gid: number }): Bench => {
  const folder = mkdtempSync(join(tmpdir(), "it's a $HOME "));
  chmodSync(folder, 0o777);
  const deployDir = join(folder, "opt/star rocks");
  const javaHome = join(folder, "jdk");
  const host = localHost(user);
  mkdirSync(join(javaHome, "bin"), { recursive: true });
  writeFileSync(join(javaHome, "bin/java"), java, { mode: 0o755 });
  const stage = async (toy: ToyArchive): Promise<void> => {
    await stageRelease(host, { deployDir, javaHome, parts: ["fe", "be"], source: { archive: toy.archive }, ...toy });
  };
  return {
    folder,
    deployDir,
    javaHome,
    host,
    stage,
    makeHome: async (kind, name, toy) => {
      const home = join(deployDir, name);
      const view = { home, kind, releaseId: toy.releaseId, releaseFolder: releaseFolder(deployDir, toy.releaseId) };
      await stage(toy);
      await prepareHome(host, { home, kind });
      await switchTo(host, view);
      return home;
    },
    fault: (home, name) => {
      mkdirSync(join(home, "sim"), { recursive: true });
      writeFileSync(join(home, "sim", name), "");
    },
    mend: (home, name) => rmSync(join(home, "sim", name)),
    clear: async () => {
      await until(
        async () => {
          const left = processesOf(folder);
          for (const pid of left) {
            killQuietly(pid);
          }
          return left.length === 0 ? { done: true, value: undefined } : { done: false, seen: left.join(" ") };
        },
        { what: "the test's processes to end", limit: 10_000, every: 20 },
      );
      execFileSync("chmod", ["-R", "u+rwX", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** Processes that have the test's own, unique folder in their arguments. */
export const processesOf = (folder: string): readonly number[] =>
  readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && argumentsOf(pid).includes(folder));

const argumentsOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
};

export const killQuietly = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
};

export const nobody = { uid: 65534, gid: 65534 } as const;
export const isRoot = process.getuid?.() === 0;
