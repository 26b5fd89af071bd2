import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildJdk, type JavaVersion } from "../../../simulator/jdk.js";
import { buildRelease, type ReleaseOptions } from "../../../simulator/release.js";

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

export interface Home {
  readonly path: string;
  readonly kind: "fe" | "be";
  /** The host that this home plays: a loopback address of its own, so that default ports do. */
  readonly address: string;
  readonly run: (command: string, env?: Readonly<Record<string, string>>) => Promise<Finished>;
  readonly read: (file: string) => Promise<string>;
  readonly write: (file: string, text: string) => Promise<void>;
  readonly append: (file: string, text: string) => Promise<void>;
  readonly has: (file: string) => boolean;
  readonly pid: (file?: string) => Promise<number>;
}

export interface Workshop {
  readonly folder: string;
  readonly home: (kind: "fe" | "be", options: Omit<ReleaseOptions, "directory">) => Promise<Home>;
  readonly jdk: (version: JavaVersion, jre?: boolean) => Promise<string>;
  readonly close: () => Promise<void>;
}

const LIMIT_MS = 15_000;
const LOOK_MS = 30;

export const eventually = async <T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  const until = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    if (performance.now() > until) {
      throw new Error(`Expected ${what} within ${LIMIT_MS} ms`);
    }
    await sleep(LOOK_MS);
  }
};

export const isAlive = async (pid: number): Promise<boolean> =>
  !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State: Z"));

export const gone = (pid: number): Promise<true> =>
  eventually(`process ${pid} to end`, async () => ((await isAlive(pid)) ? undefined : true));

const execute = (command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Finished> =>
  new Promise((resolve) => {
    execFile("bash", ["-c", command], { cwd, env, timeout: LIMIT_MS }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      resolve({ code: typeof code === "number" ? code : null, output: stdout + stderr });
    });
  });

/** Processes that were started below a folder, whoever is their parent now. */
const processesOf = async (folder: string): Promise<readonly number[]> => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, "latin1").catch(() => "")));
  return pids.filter((pid, index) => pid !== process.pid && environments[index]?.includes(`=${folder}/`));
};

let homes = 0;

export const openWorkshop = async (): Promise<Workshop> => {
  const folder = await mkdtemp(join(tmpdir(), "starrocks-sim-"));
  const makeHome = async (kind: "fe" | "be", options: Omit<ReleaseOptions, "directory">): Promise<Home> => {
    homes += 1;
    const number = homes;
    const root = join(folder, `${kind}-${number}`);
    const { archive } = await buildRelease({ ...options, directory: root, topLevel: "", parts: [kind] });
    await execute(`tar xzf ${archive}`, root, process.env);
    const path = join(root, kind);
    const address = `127.${50 + (process.pid % 150)}.${Math.floor(number / 200)}.${(number % 200) + 1}`;
    await mkdir(join(path, "sim"));
    await writeFile(
      join(path, "sim/options.json"),
      JSON.stringify({ openFilesLimit: 65_535, startDelayMs: 0, stopDelayMs: 50 }),
    );
    await appendFile(join(path, `conf/${kind}.conf`), `priority_networks = ${address}/32\n`);
    const base: NodeJS.ProcessEnv = {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: folder,
      STARROCKS_TEST: `${folder}/`,
    };
    return {
      path,
      kind,
      address,
      run: (command, env = {}) => execute(command, path, { ...base, ...env }),
      read: (file) => readFile(join(path, file), "utf8").catch(() => ""),
      write: (file, text) => writeFile(join(path, file), text),
      append: (file, text) => appendFile(join(path, file), text),
      has: (file) => existsSync(join(path, file)),
      pid: (file = `bin/${kind}.pid`) =>
        eventually(`a pid in ${file}`, async () => {
          const text = await readFile(join(path, file), "utf8").catch(() => "");
          return /^\d+/.test(text) ? Number.parseInt(text, 10) : undefined;
        }),
    };
  };
  return {
    folder,
    home: makeHome,
    jdk: (version, jre = false) =>
      buildJdk({ directory: join(folder, `jdk${version}${jre ? "-jre" : ""}`), version, jre }),
    close: async () => {
      for (const pid of await processesOf(folder)) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // Ended by itself meanwhile.
        }
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** Waits for the BE's HTTP port, which opens before the heartbeat port. */
export const ready = (home: Home, log = "log/be.INFO"): Promise<string> =>
  eventually(`${home.kind} in ${home.path} to start`, async () => {
    const text = await home.read(log);
    return /started (successfully|correctly)/.test(text) ? text : undefined;
  });
