// Stands for the simulated FE in the tests of the scripts: writes its pid file, notes what it was given, and stops when told.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nameProcess } from "../../../simulator/process-name.js";

const { STARROCKS_HOME: home = "", PID_DIR = "", STUB_DIES, JAVA_HOME, LOG_DIR, CLASSPATH } = process.env;
nameProcess("java");
const pidFile = join(PID_DIR, "fe.pid");
const ignores = (): boolean => existsSync(join(home, "sim/hangOnStop"));

writeFileSync(
  join(home, "stub.json"),
  JSON.stringify({ args: process.argv.slice(2), JAVA_HOME, LOG_DIR, PID_DIR, CLASSPATH }),
);
if (STUB_DIES !== undefined) {
  process.stdout.write("StarRocksFE start failed\n");
  process.exit(255);
}
const { version }: { readonly version: string } = JSON.parse(readFileSync(join(home, "lib/build.json"), "utf8"));
if (!version.startsWith("2.")) {
  writeFileSync(pidFile, String(process.pid));
}
setInterval(() => undefined, 1000);
for (const signal of ["SIGTERM", "SIGUSR1"] as const) {
  process.on(signal, () => {
    writeFileSync(join(home, "signal"), signal);
    if (!ignores()) {
      rmSync(pidFile, { force: true });
      process.exit(0);
    }
  });
}
