import { setTimeout as sleep } from "node:timers/promises";
import { startWorkload } from "./workload.js";

const usage = "Usage: node main.js host[:port][,host[:port]…] [seconds]; the password is read from STARROCKS_PASSWORD";

/** Runs the workload for some seconds, or until Ctrl-C, and prints its report. */
const main = async ([contacts, seconds]: readonly string[]): Promise<number> => {
  if (contacts === undefined) {
    console.error(usage);
    return 2;
  }
  const frontends = contacts.split(",").map((contact) => {
    const [host = "", port] = contact.split(":");
    return { host, ...(port === undefined ? {} : { port: Number(port) }) };
  });
  const workload = await startWorkload({ frontends, password: process.env.STARROCKS_PASSWORD ?? "" });
  const interrupted = new Promise<void>((resolve) => process.once("SIGINT", () => resolve()));
  await Promise.race([interrupted, ...(seconds === undefined ? [] : [sleep(Number(seconds) * 1000)])]);
  const { failures, lostKeys, ...report } = await workload.stop();
  console.log(JSON.stringify(report, undefined, 2));
  for (const { kind, at, error } of failures) {
    console.log(`${at.toISOString()} ${kind} failed: ${error}`);
  }
  return lostKeys.length === 0 ? 0 : 1;
};

if (require.main === module) {
  main(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
