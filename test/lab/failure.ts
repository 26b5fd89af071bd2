import type { Context } from "mocha";
import type { Lab } from "./lab.js";

/** Lines of each log that are shown: enough for the last start of a node. */
const shown = 25;

const logs = ["fe/log/fe.log", "fe/log/fe.out", "be/log/be.INFO", "be/log/be.out", "be/log/sim-crimes.log"];

/** For `afterEach`: prints what the nodes logged, where a test has failed. Their logs are gone with the lab. */
export const tellFailure = (lab: () => Lab | undefined) =>
  async function (this: Context): Promise<void> {
    if (this.currentTest?.state !== "failed") {
      return;
    }
    for (const host of lab()?.fleet.hosts ?? []) {
      const files = logs.map((log) => `'${host.path(`/opt/starrocks/${log}`)}'`).join(" ");
      const { stdout } = await host.exec(
        `for file in ${files}; do [ ! -s "$file" ] || { echo "== ${host.name} \${file##*/}"; tail -n ${shown} "$file"; }; done`,
      );
      console.error(stdout);
    }
  };
