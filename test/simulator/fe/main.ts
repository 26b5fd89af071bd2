import fs from "node:fs";
import path from "node:path";
import { nameProcess } from "../process-name.js";
import { openLog } from "./log.js";
import { readBuild } from "./settings/build.js";
import { readConf, StartFailure } from "./settings/conf.js";
import { watchFaults } from "./settings/faults.js";
import { readOptions } from "./settings/options.js";
import { featuresOf } from "./settings/version.js";
import { readArguments } from "./startup/arguments.js";
import { lockPidFile } from "./startup/pid.js";
import { type Process, start } from "./startup/start.js";

const died = 255;

const required = (env: NodeJS.ProcessEnv, name: string): string => {
  const value = env[name];
  if (value === undefined || value === "") {
    throw new StartFailure(`env ${name} is not set.`);
  }
  return value;
};

const failed = (error: unknown, own: Pick<Process, "log" | "features"> | undefined): void => {
  const text = error instanceof Error ? error.message : String(error);
  process.stdout.write(`${text}\n`);
  if (error instanceof StartFailure && own !== undefined) {
    own.log.warn(error.where, text);
  }
  own?.log.warn(
    "StarRocksFE.start():141",
    `StarRocksFE start failed ${error instanceof StartFailure ? text : (error as Error).stack}`,
  );
  // 2.x logs the failure and ends its main thread: a half-dead process may remain.
  if (own === undefined || own.features.exitsOnStartFailure) {
    process.exit(died);
  }
  setInterval(() => undefined, 60_000);
};

/** `com.starrocks.StarRocksFE`: started by start_fe.sh with its arguments and environment. */
export const main = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> => {
  let own: Process | undefined;
  try {
    nameProcess("java");
    const home = required(env, "STARROCKS_HOME");
    const build = readBuild(home, process.argv[1] ?? "");
    const features = featuresOf(build.version);
    const conf = readConf(path.join(home, "conf", "fe.conf"), env);
    const options = readOptions(home, env, build.options);
    const log = openLog(conf.text("sys_log_dir", path.join(home, "log")), home);
    const faults = watchFaults(home, build.faults);
    own = { home, build, features, conf, options, faults, log, arguments: readArguments(argv) };
    for (const folder of ["plugins", "temp_dir"]) {
      fs.mkdirSync(path.join(home, folder), { recursive: true });
    }
    if (features.pidFileByProcess) {
      await lockPidFile(required(env, "PID_DIR"), options.pidLockRetryMs);
    }
    await start(own);
  } catch (error) {
    failed(error, own);
  }
};

if (require.main === module) {
  main(process.argv.slice(2), process.env).catch((error: unknown) => failed(error, undefined));
}
