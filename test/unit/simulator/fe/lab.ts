import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2/promise";
import type { Fault } from "../../../simulator/fe/settings/faults.js";
import type { Options } from "../../../simulator/fe/settings/options.js";

/** Times of a lab: everything that takes a real cluster minutes. */
const quick: Partial<Options> = {
  jvmStartMs: 10,
  httpDelayMs: 10,
  heartbeatIntervalMs: 250,
  bdbHeartbeatTimeoutMs: 1500,
  electionMs: 400,
  silentElectionMs: 300,
  exitWithoutQuorumMs: 4000,
  hangWithoutQuorumMs: 600,
  helperRetryMs: 150,
  checkpointIntervalMs: 300,
  detachedRoundMs: 200,
  readyLogMs: 200,
  stopMs: 10,
  gracefulMinMs: 500,
  tabletCheckerMs: 200,
  repairDelayMs: 300,
  balanceMs: 600_000,
  decommissionCheckMs: 200,
  pidLockRetryMs: 50,
  statisticsTables: 0,
};

export interface FrontendWish {
  readonly version?: string;
  readonly helper?: FrontendProcess;
  readonly options?: Partial<Options>;
  readonly conf?: Readonly<Record<string, string | number>>;
  /** Do not wait until it is ready. */
  readonly unready?: boolean;
}

const compiled = (file: string): string => path.join(__dirname, "../../../simulator", file);

/** Waits in a test: what is awaited must come soon, or the test fails with its name. */
export const eventually = async <T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  limitMs = 25_000,
): Promise<T> => {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await probe().catch(() => undefined);
    if (value !== undefined && value !== false) {
      return value;
    }
    if (performance.now() > end) {
      throw new Error(`Expected ${what} within ${limitMs} ms`);
    }
    await sleep(25);
  }
};

class Home {
  readonly home: string;
  readonly address: string;
  child: ChildProcess | undefined;
  readonly #program: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  constructor(home: string, address: string, program: readonly string[], env: Readonly<Record<string, string>>) {
    this.home = home;
    this.address = address;
    this.#program = program;
    this.#env = env;
  }

  file(name: string): string {
    return path.join(this.home, name);
  }

  write(name: string, text: string): void {
    fs.mkdirSync(path.dirname(this.file(name)), { recursive: true });
    fs.writeFileSync(this.file(name), text);
  }

  read(name: string): string {
    return fs.existsSync(this.file(name)) ? fs.readFileSync(this.file(name), "utf8") : "";
  }

  launch(...args: readonly string[]): void {
    const out = fs.openSync(this.file("out"), "a");
    const env = { ...process.env, STARROCKS_HOME: this.home, PID_DIR: this.file("bin"), ...this.#env };
    this.child = spawn(process.execPath, [...this.#program, ...args], { env, stdio: ["ignore", out, out] });
    fs.closeSync(out);
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.child === undefined || !this.isRunning) {
      return;
    }
    const gone = once(this.child, "exit");
    this.child.kill(signal);
    await gone;
  }

  async exitCode(limitMs = 25_000): Promise<number> {
    await eventually("the process to exit", async () => !this.isRunning, limitMs);
    return this.child?.exitCode ?? -1;
  }

  fault(fault: Fault | { readonly fault: string }, name = "fault"): void {
    this.write(`sim/${name}.json`, JSON.stringify(fault));
  }

  heal(name = "fault"): void {
    fs.rmSync(this.file(`sim/${name}.json`), { force: true });
  }

  async get(port: number, target: string, headers: Readonly<Record<string, string>> = {}) {
    const { host, ...from } = { host: this.address };
    return new Promise<{ status: number; body: string; headers: http.IncomingHttpHeaders }>((resolve, reject) => {
      const request = http.get(
        { host, port, path: target, headers, agent: false, timeout: 3000, ...from },
        (response) => {
          let body = "";
          response.on("data", (chunk) => {
            body += String(chunk);
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
        },
      );
      request.on("timeout", () => request.destroy(new Error("timed out")));
      request.on("error", reject);
    });
  }
}

export type Rows = Record<string, string>[];

export class FrontendProcess extends Home {
  /** One statement over a connection of its own. Rejects with mysql2's error, or after `timeoutMs`. */
  async sql(
    text: string,
    login: { readonly user?: string; readonly password?: string; readonly timeoutMs?: number } = {},
  ): Promise<Rows> {
    const { user = "root", password = "", timeoutMs = 5000 } = login;
    const connection = await mysql.createConnection({
      host: this.address,
      port: 9030,
      user,
      password,
      connectTimeout: timeoutMs,
    });
    connection.on("error", () => undefined);
    const late = sleep(timeoutMs).then(() => {
      throw new Error("timed out");
    });
    try {
      const [rows] = await Promise.race([connection.query(text), late]);
      return rows as unknown as Rows;
    } finally {
      connection.destroy();
    }
  }

  start(helper?: FrontendProcess): void {
    this.launch("com.starrocks.StarRocksFE", ...(helper === undefined ? [] : ["--helper", `${helper.address}:9010`]));
  }

  async ready(): Promise<void> {
    await eventually("ready", async () => {
      const { body } = await this.get(8030, "/api/bootstrap");
      return JSON.parse(body).status === "OK";
    }).catch(() => {
      const tail = `${this.log.slice(-1500)}\n${this.read("out").slice(-500)}`;
      throw new Error(`Expected FE ${this.address} (running: ${this.isRunning}) to be ready:\n${tail}`);
    });
  }

  get log(): string {
    return this.read("log/fe.log");
  }

  get crimes(): Record<string, string>[] {
    return this.read("log/sim-crimes.log")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
}

export class BackendProcess extends Home {}

/** Frontends and backends on 127.x addresses of one test; `close` ends every process and removes the homes. */
export class Lab {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), "starrocks-fe-"));
  readonly #homes: Home[] = [];
  readonly #network = `127.${30 + (process.pid % 100)}.${Lab.#count++ % 250}`;
  static #count = 0;

  #next(): string {
    return `${this.#network}.${10 + this.#homes.length}`;
  }

  frontend({ version = "3.5.7", options = {}, conf = {} }: FrontendWish = {}): FrontendProcess {
    const address = this.#next();
    const home = path.join(this.#folder, address);
    const env = { STARROCKS_SIM: JSON.stringify({ ...quick, ...options }) };
    const fe = new FrontendProcess(home, address, [compiled("fe/main.js")], env);
    this.#homes.push(fe);
    const settings = { priority_networks: `${address}/32`, ...conf };
    fe.write(
      "conf/fe.conf",
      Object.entries(settings)
        .map(([key, value]) => `${key} = ${value}\n`)
        .join(""),
    );
    fe.write("lib/build.json", JSON.stringify({ version, commit: "d2da301" }));
    for (const folder of ["bin", "meta", "log"]) {
      fs.mkdirSync(fe.file(folder), { recursive: true });
    }
    return fe;
  }

  async found(wish: FrontendWish = {}): Promise<FrontendProcess> {
    const fe = this.frontend(wish);
    fe.start();
    await fe.ready();
    return fe;
  }

  async follower(leader: FrontendProcess, wish: FrontendWish = {}, role = "FOLLOWER"): Promise<FrontendProcess> {
    const fe = this.frontend(wish);
    await leader.sql(`ALTER SYSTEM ADD ${role} "${fe.address}:9010"`);
    fe.start(wish.helper ?? leader);
    await fe.ready();
    return fe;
  }

  /** A leader and two followers. */
  async group(wish: FrontendWish = {}): Promise<readonly [FrontendProcess, FrontendProcess, FrontendProcess]> {
    const leader = await this.found(wish);
    const second = await this.follower(leader, wish);
    const third = await this.follower(leader, wish);
    await eventually("three live FEs", async () =>
      (await leader.sql("SHOW FRONTENDS")).every((row) => row.Alive === "true"),
    );
    return [leader, second, third];
  }

  backend(): BackendProcess {
    const address = this.#next();
    const home = path.join(this.#folder, address);
    const options = { startDelayMs: 0, stopDelayMs: 0, openFilesLimit: 655_350 };
    const env = { STARROCKS_SIM: JSON.stringify(options), LD_LIBRARY_PATH: path.join(home, "lib") };
    const be = new BackendProcess(home, address, [path.join(home, "lib/starrocks_be")], env);
    this.#homes.push(be);
    be.write("conf/be.conf", `priority_networks = ${address}/32\nstorage_root_path = ${home}/storage\n`);
    be.write("lib/build.json", JSON.stringify({ version: "3.5.7", commit: "d2da301", faults: [], options: {} }));
    be.write("lib/starrocks_be", `require(${JSON.stringify(compiled("be/main.js"))});`);
    be.write("lib/libjemalloc.so.2", "");
    for (const folder of ["bin", "log"]) {
      fs.mkdirSync(be.file(folder), { recursive: true });
    }
    return be;
  }

  /** Starts backends and adds them, alive. */
  async backends(fe: FrontendProcess, count: number): Promise<BackendProcess[]> {
    const backends = Array.from({ length: count }, () => this.backend());
    for (const be of backends) {
      be.launch();
    }
    await fe.sql(`ALTER SYSTEM ADD BACKEND ${backends.map(({ address }) => `"${address}:9050"`).join(", ")}`);
    await eventually("live BEs", async () => (await fe.sql("SHOW BACKENDS")).every((row) => row.Alive === "true"));
    return backends;
  }

  async close(): Promise<void> {
    await Promise.all(this.#homes.map((home) => home.stop("SIGKILL")));
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

export const rowOf = (rows: Rows, fe: { readonly address: string }): Record<string, string> =>
  rows.find((row) => row.IP === fe.address) ?? {};
