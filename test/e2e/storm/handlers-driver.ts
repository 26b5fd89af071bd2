import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Mutex } from "../../../provider/rollout/mutex.js";
import { Cluster, type ClusterArgs } from "../../../sdk/index.js";
import type { PlainArgs } from "../../lab/lab.js";
import { recordedNode } from "../../lab/told.js";
import { registered } from "../../unit/sdk/monitor.js";
import type { Driver, Ended, Up } from "./driver.js";
import type { Declared, Kind, Recorded } from "./engine.js";
import type { Order, Told } from "./operator.js";

const script = require.resolve("./operator.js");

/** Milliseconds from SIGINT, with which the engine ends a provider, to SIGKILL. */
const endLimit = 5000;

/** The SDK's registrations go through one monitor of this process. */
const registering = new Mutex();

const typePrefix = "pulumi-nodejs:dynamic/starrocks:";

const kindOf = (type: string): Kind => {
  const name = type.slice(typePrefix.length);
  return `${name[0]?.toLowerCase()}${name.slice(1)}` as Kind;
};

/** What a program with this cluster registers, in its order. */
const declaredBy = async (args: PlainArgs): Promise<readonly Declared[]> => {
  const found = await registering.run(() => registered(() => new Cluster("sr", args as unknown as ClusterArgs)));
  return found
    .filter(({ type }) => type.startsWith(typePrefix))
    .map(({ deletedWith, dependsOn, inputs: { __provider, ...inputs }, name, type }) => ({
      name,
      kind: kindOf(type),
      dependsOn,
      deletedWith,
      inputs,
    }));
};

/** Drives the provider's handlers in a process that was forked for it, as the engine would. */
export const handlersDriver = (): Driver => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-storm-"));
  const state = new Map<string, Recorded>();

  const run = async (operator: ChildProcess, order: Order): Promise<Ended> => {
    let ended: Ended | undefined;
    operator.on("message", (message: Told) => {
      if (message.type === "ended") {
        ended = { exitCode: message.failures.length > 0 ? 1 : 0, told: message.failures.join("\n") };
        operator.kill("SIGINT");
        setTimeout(() => operator.kill("SIGKILL"), endLimit).unref();
      } else if (message.recorded) {
        state.set(message.name, message.recorded);
      } else {
        state.delete(message.name);
      }
    });
    operator.send(order);
    const [code] = await once(operator, "exit");
    return ended ?? { exitCode: typeof code === "number" ? code || 1 : undefined, told: "the operator has ended" };
  };

  return {
    folder,
    up: async (args): Promise<Up> => {
      const resources = args ? await declaredBy(args) : [];
      const operator = fork(script, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
      return {
        ended: run(operator, { resources, state: [...state.values()], folder }),
        kill: async () => {
          operator.kill("SIGKILL");
        },
      };
    },
    nodes: async () =>
      [...state.values()].flatMap(({ kind, outputs }) =>
        kind === "feNode" || kind === "beNode" ? [recordedNode(kind === "feNode" ? "fe" : "be", outputs)] : [],
      ),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
};
