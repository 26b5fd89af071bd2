// The real Pulumi CLI, driven as users drive it: a project folder, a local file backend, the commands of the CLI.

import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation/events.js";
import { atExit } from "../fleet/exit.js";
import { engineFolder } from "./binaries.js";
import { crash } from "./crash.js";
import { killMarked, type MarkedProcess, markedProcesses, markerName } from "./processes.js";
import { layOut, type Program, writeFiles } from "./project.js";
import { type Ended, type Running, start } from "./running.js";

export type { Program } from "./project.js";
export type { Running } from "./running.js";

export type Operation = "preview" | "up" | "refresh" | "destroy";

export interface StackOptions {
  readonly program: Program;
  /** Values of the stack's configuration; keys without a namespace belong to the project `lab`. */
  readonly config?: Readonly<Record<string, string | { readonly secret: string }>>;
  /** Environment of the CLI and all that it starts. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folders put first on its PATH: stand-ins for plugins. */
  readonly path?: readonly string[];
  /** Called with what operations print, as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface OperationOptions {
  /** True: the operation must fail. False (default): it must succeed. Otherwise an error with its output is thrown. */
  readonly expectFailure?: boolean;
}

/** How an operation ended, and what the engine told of it on the way. */
export interface Outcome extends Ended {
  readonly events: readonly EngineEvent[];
}

/** The part of `pulumi stack export` that tests look at. */
export interface ExportedState {
  readonly version: number;
  readonly deployment: {
    readonly resources?: readonly ExportedResource[];
    readonly pending_operations?: readonly { readonly type: string; readonly resource: ExportedResource }[];
  };
}

export interface ExportedResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly initErrors?: readonly string[];
  readonly dependencies?: readonly string[];
}

export interface Stack {
  /** The project's folder: Pulumi.yaml, the program, node_modules. */
  readonly folder: string;
  /** The environment in which the CLI runs, for what this interface lacks. */
  readonly env: NodeJS.ProcessEnv;
  preview(args?: readonly string[], options?: OperationOptions): Promise<Outcome>;
  /** Without the preview that the CLI shows first; `start` has no such default. */
  up(args?: readonly string[], options?: OperationOptions): Promise<Outcome>;
  refresh(args?: readonly string[], options?: OperationOptions): Promise<Outcome>;
  destroy(args?: readonly string[], options?: OperationOptions): Promise<Outcome>;
  /** Starts an operation, to signal it or to watch its output. */
  start(operation: Operation, args?: readonly string[]): Running<Outcome>;
  /** Kills the engine of a running operation, see `crash`. */
  crash(running: Running<Outcome>): Promise<void>;
  /** Any other command of the CLI; rejects when it fails. */
  run(...args: readonly string[]): Promise<Ended>;
  /** Replaces or adds files of the program. */
  write(files: Readonly<Record<string, string>>): void;
  setConfig(key: string, value: string, options?: { readonly secret?: boolean }): Promise<void>;
  outputs(): Promise<Readonly<Record<string, unknown>>>;
  export(): Promise<ExportedState>;
  import(state: ExportedState): Promise<void>;
  /** Frees the lock that a killed engine left. */
  cancel(): Promise<void>;
  /** Living processes of this stack's engine, its providers too, also those whose engine was killed. */
  processes(): readonly MarkedProcess[];
  /** Kills what still runs and removes every file. Does not destroy resources. */
  close(): Promise<void>;
}

const stackName = "lab";

export const createStack = async (options: StackOptions): Promise<Stack> => {
  const home = mkdtempSync(join(tmpdir(), "pulumi-starrocks-stack-"));
  const marker = randomUUID();
  const folder = join(home, "project");
  const free = atExit(() => {
    killMarked(marker);
    rmSync(home, { recursive: true, force: true });
  });
  const env = await environment(home, marker, options);
  layOut(options.program, folder);

  const command = (args: readonly string[], onOutput?: (text: string) => void): Running =>
    start(["pulumi", ...args], { cwd: folder, env, ...(onOutput && { onOutput }) });
  const run = async (...args: readonly string[]): Promise<Ended> => expectCode(args, await command(args).ended, false);

  const startOperation = (operation: Operation, args: readonly string[] = []): Running<Outcome> => {
    const log = join(home, `events-${randomUUID()}.json`);
    const agreed = operation === "preview" ? [] : ["--yes"];
    const running = command([operation, ...agreed, "--event-log", log, ...args], options.onOutput);
    return { ...running, ended: running.ended.then((ended) => ({ ...ended, events: readEvents(log) })) };
  };
  const operate =
    (operation: Operation, ...always: readonly string[]) =>
    async (args: readonly string[] = [], { expectFailure = false }: OperationOptions = {}): Promise<Outcome> =>
      expectCode([operation, ...args], await startOperation(operation, [...always, ...args]).ended, expectFailure);

  const stack: Stack = {
    folder,
    env,
    preview: operate("preview"),
    up: operate("up", "--skip-preview"),
    refresh: operate("refresh", "--skip-preview"),
    destroy: operate("destroy", "--skip-preview"),
    start: startOperation,
    crash: ({ pid }) => crash(pid, join(home, "backend")),
    run,
    write: (files) => writeFiles(folder, files),
    setConfig: async (key, value, { secret = false } = {}) => {
      await run("config", "set", secret ? "--secret" : "--plaintext", key, value);
    },
    outputs: async () => JSON.parse((await run("stack", "output", "--json", "--show-secrets")).stdout),
    export: async () => JSON.parse((await run("stack", "export")).stdout),
    import: async (state) => {
      writeFiles(home, { "state.json": JSON.stringify(state) });
      await run("stack", "import", "--file", join(home, "state.json"));
    },
    cancel: async () => {
      await run("cancel", "--yes");
    },
    processes: () => markedProcesses(marker),
    close: async () => {
      killMarked(marker);
      rmSync(home, { recursive: true, force: true });
      free();
    },
  };
  try {
    await run("stack", "init", stackName);
    await setAll(run, options.config ?? {});
    return stack;
  } catch (error) {
    await stack.close();
    throw error;
  }
};

/** Nothing of this machine's own Pulumi is used or touched: backend, plug-ins, credentials and home are the stack's. */
const environment = async (
  home: string,
  marker: string,
  { env = {}, path = [] }: StackOptions,
): Promise<NodeJS.ProcessEnv> => {
  for (const name of ["backend", "pulumi", "tmp", "user"]) {
    mkdirSync(join(home, name));
  }
  const { PATH, LANG } = process.env;
  return {
    PATH: [...path, await engineFolder(), PATH].join(delimiter),
    ...(LANG && { LANG }),
    // A killed engine leaves its pipes there.
    TMPDIR: join(home, "tmp"),
    HOME: join(home, "user"),
    COLUMNS: "120",
    NO_COLOR: "1",
    PULUMI_HOME: join(home, "pulumi"),
    PULUMI_BACKEND_URL: `file://${join(home, "backend")}`,
    PULUMI_CONFIG_PASSPHRASE: "correct horse battery staple",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // It makes the CLI accept --event-log.
    PULUMI_DEBUG_COMMANDS: "true",
    [markerName]: marker,
    ...env,
  };
};

/** One command for all values, as each start of the CLI takes half a second. */
const setAll = async (run: Stack["run"], config: NonNullable<StackOptions["config"]>): Promise<void> => {
  const values = Object.entries(config).flatMap(([key, value]) =>
    typeof value === "string" ? ["--plaintext", `${key}=${value}`] : ["--secret", `${key}=${value.secret}`],
  );
  if (values.length > 0) {
    await run("config", "set-all", ...values);
  }
};

/** The engine's log of events, a JSON text each line; its last line is cut when the engine was killed. */
const readEvents = (log: string): readonly EngineEvent[] =>
  existsSync(log)
    ? readFileSync(log, "utf8")
        .split("\n")
        .flatMap((line) => {
          try {
            return [JSON.parse(line) as EngineEvent];
          } catch {
            return [];
          }
        })
    : [];

const expectCode = <T extends Ended>(args: readonly string[], ended: T, expectFailure: boolean): T => {
  if ((ended.exitCode !== 0) !== expectFailure) {
    const wanted = expectFailure ? "a failure" : "exit code 0";
    throw new Error(
      `Expected ${wanted} of pulumi ${args.join(" ")}, got ${ended.exitCode}:\n${ended.stdout}\n${ended.stderr}`,
    );
  }
  return ended;
};
