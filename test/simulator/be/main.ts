import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nameProcess } from "../process-name.js";
import { kindOf, type Node, type NodeState } from "./service/node.js";
import { openPorts } from "./service/ports.js";
import { startReporting } from "./service/report.js";
import { shutDown } from "./service/shutdown.js";
import { chooseAddress, listenAddress, ownAddresses } from "./settings/address.js";
import { type Build, type Features, featuresOf, readBuild, versionText } from "./settings/build.js";
import { type Conf, readConf } from "./settings/conf.js";
import { openCrimes } from "./settings/crimes.js";
import { type BackendFaults, watchFaults } from "./settings/faults.js";
import { type Log, openLog } from "./settings/log.js";
import { readOptions } from "./settings/options.js";
import { checkOpenFiles, findRoots, makeHomeFolders } from "./start.js";
import { openEngine } from "./storage/engine.js";

/** `exit(-1)`. */
const FAILED = 255;
const LINKER_FAILED = 127;
const WATCH_FAULTS_MS = 100;

const die = (code: number, text: string): never => {
  writeSync(2, text);
  process.exit(code);
};

/** The dynamic linker's part: from 3.4 on the start scripts say where jemalloc is. */
const link = (executable: string, { jemalloc }: Features): void => {
  const folders = (process.env.LD_LIBRARY_PATH ?? "").split(":").filter((folder) => folder !== "");
  if (jemalloc && !folders.some((folder) => existsSync(join(folder, "libjemalloc.so.2")))) {
    die(
      LINKER_FAILED,
      `${executable}: error while loading shared libraries: libjemalloc.so.2: cannot open shared object file: No such file or directory\n`,
    );
  }
};

/** Overwritten, never truncated, never removed. */
const writePidFile = (name: "be" | "cn"): void => {
  const path = `${process.env.PID_DIR ?? ""}/${name}.pid`;
  try {
    const descriptor = openSync(path, existsSync(path) ? "r+" : "w", 0o660);
    writeSync(descriptor, `${process.pid}\n`);
    closeSync(descriptor);
  } catch {
    die(FAILED, "fail to create pid file.");
  }
};

const loadConf = (path: string, features: Features): Conf => {
  if (!existsSync(path)) {
    return die(FAILED, `config::load() failed to open the file:${path}\nerror read config file. \n`);
  }
  const result = readConf(path, process.env, features);
  if (!result.ok) {
    return die(FAILED, `${result.message}\nerror read config file. \n`);
  }
  for (const warning of result.warnings) {
    writeSync(2, `${warning}\n`);
  }
  return result.conf;
};

const ownAddress = (conf: Conf, log: Log): string => {
  const networks = conf.text("priority_networks");
  const result = chooseAddress(networks, ownAddresses());
  if (!result.ok) {
    return log.fatal("backend_options.cpp:140", `wrong cidr format. cidr_str=${result.wrongNetwork}`);
  }
  if (!result.matched) {
    log.warning(
      "backend_options.cpp:90",
      `ip address range configured for priority_networks does not include the current IP address. priority_networks: ${networks}`,
    );
  }
  log.info("backend_options.cpp:100", `localhost ${result.address}`);
  return result.address;
};

/** Faults that strike a process which has started. */
const watch = (node: Node, readyAt: number): void => {
  setInterval(() => {
    const { find } = node.faults;
    const crash = find("crashLoop");
    if (crash !== undefined && performance.now() - readyAt > crash.afterMs) {
      writeSync(2, "*** SIGSEGV (@0x0) received by PID ***\n");
      process.kill(process.pid, "SIGKILL");
    }
    const dump = find("dumpCore");
    if (dump !== undefined && performance.now() - readyAt > dump.afterMs) {
      writeSync(2, "*** SIGSEGV (@0x0) received by PID ***\n");
      // While the kernel writes the core the process is there, and does nothing.
      process.kill(process.pid, "SIGSTOP");
    }
    const death = find("die");
    if (death !== undefined) {
      process.exit(death.exitCode ?? 1);
    }
  }, WATCH_FAULTS_MS);
};

const start = async (build: Build, executable: string, isComputeNode: boolean): Promise<void> => {
  const features = featuresOf(build.version);
  const home = process.env.STARROCKS_HOME ?? die(FAILED, "you need set STARROCKS_HOME environment variable.\n");
  if (features.wantsHeapLimit && process.env.TCMALLOC_HEAP_LIMIT_MB === undefined) {
    die(FAILED, "Environment variable TCMALLOC_HEAP_LIMIT_MB is not set, maybe you forgot to replace bin directory\n");
  }
  link(executable, features);
  const name = isComputeNode ? "cn" : "be";
  writePidFile(name);
  const conf = loadConf(join(home, "conf", `${name}.conf`), features);
  const log = openLog(conf.text("sys_log_dir"), name);
  const faults = watchFaults(home, build.faults);
  const options = readOptions(home, process.env, build.options);
  const kind = kindOf({ isComputeNode });
  log.info("daemon.cpp:290", versionText(build).split("\n").join(" ").trim());

  await misbehave(faults, log);
  const roots = findRoots(conf, features, isComputeNode, log);
  makeHomeFolders(home, conf);
  let steps = 0;
  const step = (text: string): void => {
    steps += 1;
    if (features.startSteps) {
      log.info("starrocks_be.cpp:120", `${kind} start step ${steps}: ${text}`);
    }
  };
  step("daemon threads start successfully");
  step("jdbc driver manager init successfully");
  const address = ownAddress(conf, log);
  step("backend network options init successfully");
  step("global env init successfully");
  await sleep(options.startDelayMs);
  checkOpenFiles(conf, options.openFilesLimit, log);
  const newFormat = faults.find("newDataFormat");
  const format = newFormat ? (newFormat.format ?? 2) : 1;
  const engine = openEngine(
    { roots, version: build.version, format, corrupt: faults.find("corruptMeta") !== undefined },
    log,
  );
  step("storage engine init successfully");
  step("exec env init successfully");
  step("storage engine start bg threads successfully");

  const crimes = openCrimes(home, name);
  const state: NodeState = {
    localhost: address,
    master: undefined,
    rebootTime: undefined,
    exiting: false,
    disabledDisks: [],
  };
  const listen = listenAddress(address);
  const startedAt = Date.now();
  const crime = crimes.note;
  const settings = { build, features, options, faults, conf, log, crime, isComputeNode };
  const node: Node = { ...settings, engine, listen, address, startedAt, state };
  const servers = await openPorts(node, step, () => {
    crimes.ended();
    process.exit(0);
  });
  if (features.startedLine) {
    // 3.1 has one text for both.
    log.info("starrocks_be.cpp:235", `${features.startSteps ? kind : "BE"} started successfully`);
  } else {
    log.info("starrocks_main.cpp:230", "StarRocks BE HeartBeat Service started correctly.");
    log.info("task_worker_pool.cpp:400", "Waiting to receive first heartbeat from frontend");
  }
  const stopReporting = startReporting(node);
  watch(node, performance.now());
  process.on("SIGTERM", () => {
    if (!state.exiting && faults.find("hangOnStop") === undefined) {
      state.exiting = true;
      stopReporting();
      void shutDown(node, servers, crimes.ended);
    }
  });
};

const misbehave = async (faults: BackendFaults, log: Log): Promise<void> => {
  const death = faults.find("dieAtStart");
  if (death !== undefined) {
    log.error("starrocks_main.cpp:140", death.message ?? "fail to init exec env");
    process.exit(death.exitCode ?? FAILED);
  }
  while (faults.find("hangAtStart") !== undefined) {
    await sleep(WATCH_FAULTS_MS);
  }
  await sleep(faults.find("slowStart")?.ms ?? 0);
};

const main = (): void => {
  const executable = process.argv[1] ?? "";
  const [first] = process.argv.slice(2);
  nameProcess("starrocks_be");
  const build = readBuild(executable);
  if (first === "--version" || first === "-v") {
    link(executable, featuresOf(build.version));
    writeSync(1, versionText(build));
    return;
  }
  if (first === "meta_tool") {
    die(1, "meta_tool: expected --operation\n");
  }
  // Node takes back the SIGHUP that nohup ignores; a real BE leaves it ignored.
  process.on("SIGHUP", () => undefined);
  void start(build, executable, first === "--cn");
};

main();
