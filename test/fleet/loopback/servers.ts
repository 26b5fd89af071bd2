import { type ChildProcess, fork } from "node:child_process";
import type { Answer, Deed, Request } from "./server.js";
import type { Sshd, SshdOptions } from "./sshd.js";

const program = require.resolve("./server.js");

/** A host's SSH server, in the process of its fleet's servers. */
export class RemoteSshd {
  readonly #servers: SshServers;
  readonly #host: string;

  constructor(servers: SshServers, host: string) {
    this.#servers = servers;
    this.#host = host;
  }

  /** Logins since creation. */
  get logins(): number {
    return this.#servers.logins(this.#host);
  }

  open(options: SshdOptions): Promise<unknown> {
    return this.#servers.ask({ host: this.#host, open: options });
  }

  /** What `Sshd` does by this name. */
  async ask<D extends Deed>(deed: D, ...args: Parameters<Sshd[D]>): Promise<Awaited<ReturnType<Sshd[D]>>> {
    const value = await this.#servers.ask({ host: this.#host, deed, args });
    return value as Awaited<ReturnType<Sshd[D]>>;
  }
}

type Answered = Extract<Answer, { id: number }>;

const ended = (id: number): Answered => ({ id, error: "The process of the SSH servers has ended" });

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** The process of a fleet's SSH servers. It keeps nobody from ending but those who wait for its answer. */
export class SshServers {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answered) => void>();
  readonly #logins = new Map<string, number>();
  #last = 0;

  constructor() {
    // A group of its own: Ctrl-C is for the tests, which still need their hosts for a while.
    this.#child = fork(program, {
      ...{ detached: true, execArgv: [], serialization: "advanced" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child.on("message", (answer: Answer) => this.#hear(answer));
    this.#child.on("exit", () => {
      for (const id of this.#waiting.keys()) {
        this.#hear(ended(id));
      }
    });
    this.#unref();
  }

  host(name: string): RemoteSshd {
    return new RemoteSshd(this, name);
  }

  logins(host: string): number {
    return this.#logins.get(host) ?? 0;
  }

  async ask(request: WithoutId<Request>): Promise<unknown> {
    const id = ++this.#last;
    const answered = new Promise<Answered>((resolve) => {
      this.#waiting.set(id, resolve);
    });
    this.#child.channel?.ref();
    this.#child.ref();
    this.#child.send({ ...request, id }, (error) => error && this.#hear(ended(id)));
    const { error, value } = await answered;
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) {
      this.#unref();
    }
    if (error !== undefined) {
      throw new Error(error);
    }
    return value;
  }

  /** Its connections end with it. */
  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) {
      const ended = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
      this.#child.ref();
      this.#child.kill("SIGKILL");
      await ended;
    }
  }

  #hear(answer: Answer): void {
    if ("login" in answer) {
      this.#logins.set(answer.login, this.logins(answer.login) + 1);
    } else {
      this.#waiting.get(answer.id)?.(answer);
    }
  }

  #unref(): void {
    this.#child.channel?.unref();
    this.#child.unref();
  }
}
