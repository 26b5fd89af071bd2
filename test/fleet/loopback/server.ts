import { Sshd, type SshdOptions } from "./sshd.js";

/**
 * A program: the SSH servers of one fleet, apart from the tests, as each command is a fork, and that takes the longer the
 * more memory a process has (1 ms with 50 MB, 18 ms with 350 MB). It ends with the process that forked it.
 */

/** What can be asked of a host's server. */
export type Deed = Exclude<keyof Sshd, "constructor">;

export type Request =
  | { readonly id: number; readonly host: string; readonly open: SshdOptions }
  | { readonly id: number; readonly host: string; readonly deed: Deed; readonly args: readonly unknown[] };

export type Answer =
  | { readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly login: string };

const servers = new Map<string, Sshd>();

const tell = (answer: Answer): void => {
  process.send?.(answer);
};

const serve = async (request: Request): Promise<unknown> => {
  const { host } = request;
  if ("open" in request) {
    servers.set(host, new Sshd(request.open, () => tell({ login: host })));
    return undefined;
  }
  const server = servers.get(host);
  if (!server) {
    throw new Error(`Expected one of the hosts ${[...servers.keys()].join(", ")}, got ${host}`);
  }
  return (server[request.deed] as (...args: readonly unknown[]) => unknown).call(server, ...request.args);
};

process.on("message", (request: Request) => {
  serve(request).then(
    (value) => tell({ id: request.id, value }),
    (error: unknown) => tell({ id: request.id, error: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
