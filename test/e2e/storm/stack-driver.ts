import { until } from "../../../provider/wait.js";
import type { Stack } from "../../engine/stack.js";
import { recordedNodes } from "../../lab/told.js";
import type { Driver } from "./driver.js";

/** Milliseconds in which a provider whose engine was killed brings the node that it is at to its end. */
const orphanLimit = 60_000;

/** What an operation says at its end; all of it where it came to none. */
const diagnosticsOf = (stdout: string): string =>
  /^Diagnostics:\n([\s\S]*?)(?=^Outputs:|^Resources:|$(?![\s\S]))/m.exec(stdout)?.[1] ?? stdout;

/** The real engine. */
export const stackDriver = (stack: Stack): Driver => ({
  folder: stack.folder,
  up: async (args) => {
    if (args) {
      stack.write({ "cluster.json": JSON.stringify({ name: "sr", args }) });
    }
    const running = stack.start(args ? "up" : "destroy", ["--skip-preview"]);
    return {
      ended: running.ended.then(({ exitCode, stderr, stdout }) => ({
        exitCode,
        told: `${diagnosticsOf(stdout)}\n${stderr}`,
      })),
      kill: async () => {
        await stack.crash(running);
        await until(
          async () => {
            const left = stack.processes().filter(({ command }) => command.includes("dynamic-provider"));
            return left.length === 0 ? { done: true, value: undefined } : { done: false, seen: `${left.length} left` };
          },
          { what: "the provider of the killed engine to end by itself", limit: orphanLimit, every: 50 },
        );
        await stack.cancel();
      },
    };
  },
  nodes: () => recordedNodes(stack),
  close: () => stack.close(),
});
