import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Kind, providerText } from "../../sdk/providers.js";
import type { Calls } from "./calls.js";
import { type Provider, startProvider } from "./harness.js";

const root = resolve(__dirname, "../../..");

/** The providers of this package in one process, as the engine has them in an operation. */
export interface Operation {
  readonly provider: Provider;
  readonly of: (kind: Kind) => Calls;
  /** What the process wrote: its output, its messages and the journals in the program's folder. */
  readonly everything: () => string;
  readonly journals: () => readonly string[];
  readonly end: () => Promise<void>;
}

/** A program's folder, with the package installed beside it. */
const programFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/pulumi-starrocks"));
  return folder;
};

export const startOperation = async (): Promise<Operation> => {
  const folder = programFolder();
  const provider = await startProvider({ text: providerText("beNode"), folder });
  const journals = () => {
    const within = join(folder, ".pulumi-starrocks/journal");
    try {
      return readdirSync(within).map((name) => readFileSync(join(within, name), "utf8"));
    } catch {
      return [];
    }
  };
  return {
    provider,
    of: (kind) => provider.with(providerText(kind)),
    journals,
    everything: () => [provider.output(), JSON.stringify(provider.logged), ...journals()].join("\n"),
    end: async () => {
      await provider.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** A port of this machine on which nobody listens. */
export const closedPort = (): Promise<number> =>
  new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolvePort(typeof address === "object" && address ? address.port : 0));
    });
  });
