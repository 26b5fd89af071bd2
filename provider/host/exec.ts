import type { ClientChannel } from "ssh2";
import type { UserError } from "../error.js";
import { seconds } from "../wait.js";
import { killGrace, type Line } from "./command-line.js";
import { BecomeError, UnreachableError } from "./errors.js";
import type { Link, Live } from "./link.js";
import { notStarted, startLimit } from "./not-started.js";
import { Collector } from "./output.js";
import { Preamble } from "./preamble.js";

/** Sends a command's stdin, given a way to write that waits for room; ends early without error when the command ended. */
export type Feed = (write: (chunk: Buffer) => Promise<boolean>) => Promise<void>;

export interface Execution {
  readonly line: Line;
  /** Answers sudo's question. */
  readonly password?: string | undefined;
  /** User that sudo should make of us, for messages. */
  readonly becomes?: string | undefined;
  readonly cwd?: string | undefined;
  readonly feed?: Feed | undefined;
  /** Milliseconds that the host gives the command; ours ends a little later, for the case that the host does not. */
  readonly limit?: number | undefined;
  /** Milliseconds without any progress after which a fed command is given up. */
  readonly idleLimit?: number | undefined;
  /** Milliseconds for the whole of a command that has an `idleLimit`. */
  readonly wholeLimit?: number | undefined;
  /** Most bytes of stdout. */
  readonly bound: number;
}

export interface Outcome {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds since the command can have started at the earliest. */
  readonly took: number;
  /** The command was over its limit and ended by the host, or given up by us. */
  readonly late: boolean;
  /** stdout had more than its bound. */
  readonly overflowed: boolean;
}

/** Milliseconds that a daemon left behind may hold an ended command's output open; OpenSSH would wait for ever. */
const lingerLimit = 2_000;
/** Milliseconds on top of the host's own limit and its grace, for the way. */
const slack = 5_000;
/** The end of stderr that is kept. */
const stderrBound = 1024 * 1024;

/** Exit codes of `timeout` when it ended the command politely or for certain. */
const timeoutCodes = [124, 137];

export const execute = (link: Link, execution: Execution): Promise<Outcome> =>
  link.use(async (live) => {
    const start = (channel: ClientChannel, asked: number) => ({
      outcome: new Run(link.name, live, channel, asked, execution).outcome(),
    });
    const { outcome } = await link.session(live, execution.line.text, start);
    return outcome;
  });

/** One command on its channel, from the first byte of the login shell to the exit code. */
class Run {
  private readonly stdout: Collector;
  private readonly stderr = new Collector(stderrBound, "last");
  private readonly before: { readonly out: Preamble; readonly err: Preamble };
  private started = false;
  private exit: { readonly code?: number; readonly signal?: string } | undefined;
  private answered = false;
  private gaveUp = false;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;
  private resolve: (outcome: Outcome) => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;

  constructor(
    private readonly name: string,
    private readonly live: Live,
    private readonly channel: ClientChannel,
    /**
     * The command started at this time, or later. Its mark tells when it did, but a busy machine may read that no sooner than
     * the end, and an end by the limit would then look like an exit code of the command's own.
     */
    private earliest: number,
    private readonly execution: Execution,
  ) {
    this.stdout = new Collector(execution.bound, "first");
    const { mark } = execution.line;
    this.before = { out: new Preamble(mark), err: new Preamble(mark) };
  }

  outcome(): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.listen();
      this.after(startLimit, () => this.fail(this.notStarted(`did not start within ${seconds(startLimit)}`)));
    }).finally(() => clearTimeout(this.timer));
  }

  private listen(): void {
    const { channel } = this;
    channel.on("data", (chunk: Buffer) => this.onStdout(chunk));
    channel.stderr.on("data", (chunk: Buffer) => this.onStderr(chunk));
    channel.on("error", () => channel.close());
    channel.on("exit", (code: number | null, signal?: string) => {
      this.exit = { ...(code === null ? {} : { code }), ...(signal === undefined ? {} : { signal }) };
      this.linger();
    });
    channel.on("close", () => {
      this.closed = true;
      this.end();
    });
  }

  private onStdout(chunk: Buffer): void {
    this.progress();
    const own = this.before.out.take(chunk);
    if (own) {
      this.stdout.add(own);
      if (this.stdout.overflowed) {
        this.channel.close();
        this.end();
      }
    }
  }

  private onStderr(chunk: Buffer): void {
    this.progress();
    const own = this.before.err.take(chunk);
    if (own) {
      this.stderr.add(own);
    }
    if (this.before.err.passed) {
      this.start();
    } else {
      this.answer();
    }
  }

  /** Answers sudo once; a second question means that the answer was wrong. */
  private answer(): void {
    const { line, password, becomes = "" } = this.execution;
    const questions = this.before.err.text.split(line.prompt).length - 1;
    if (questions > 1) {
      this.fail(new BecomeError(`${this.name}: sudo did not accept \`become.password\` (user \`${becomes}\`).`));
    } else if (questions === 1 && !this.answered && password !== undefined) {
      this.answered = true;
      this.earliest = performance.now();
      this.channel.write(`${password}\n`);
    }
  }

  private start(): void {
    if (this.started) {
      return;
    }
    this.started = true;
    const { limit, feed } = this.execution;
    clearTimeout(this.timer);
    if (limit !== undefined) {
      this.after(limit + killGrace * 1000 + slack, () => this.giveUp());
    }
    this.progress();
    if (feed) {
      this.feed(feed).catch((error) => this.fail(error));
    } else {
      this.channel.end();
    }
  }

  private async feed(feed: Feed): Promise<void> {
    await feed(
      (chunk) =>
        new Promise((resolve) => {
          const over = () => resolve(false);
          if (this.closed || this.exit || this.live.lost) {
            return over();
          }
          // A write is never called back once the channel has closed.
          this.channel.once("close", over).once("exit", over);
          // A chunk is many packets; together they are one system call.
          this.live.stream.cork();
          this.channel.write(chunk, () => {
            this.channel.off("close", over).off("exit", over);
            this.progress();
            resolve(true);
          });
          this.live.stream.uncork();
        }),
    );
    this.channel.end();
  }

  /** Something moved, so a command without a fixed limit gets its time anew. */
  private progress(): void {
    const { idleLimit, wholeLimit = Number.POSITIVE_INFINITY } = this.execution;
    if (idleLimit !== undefined && this.started && !this.exit) {
      this.after(Math.min(idleLimit, this.earliest + wholeLimit - performance.now()), () => this.giveUp());
    } else if (this.exit) {
      this.linger();
    }
  }

  private linger(): void {
    this.after(lingerLimit, () => {
      this.channel.close();
      this.end();
    });
  }

  private giveUp(): void {
    this.gaveUp = true;
    this.channel.close();
    this.end();
  }

  private after(milliseconds: number, act: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(act, milliseconds);
  }

  private fail(error: unknown): void {
    this.channel.close();
    this.reject(error);
  }

  private end(): void {
    const { exit } = this;
    if (this.live.lost && !exit) {
      this.reject(this.live.lost);
    } else if (!this.started) {
      this.reject(this.notStarted("was not started"));
    } else if (!exit && !this.gaveUp && !this.stdout.overflowed) {
      this.reject(
        new UnreachableError(
          `${this.name}: the host closed the channel of a command without saying how it ended.`,
          "lost",
        ),
      );
    } else {
      this.resolve(this.result(performance.now() - this.earliest));
    }
  }

  private result(took: number): Outcome {
    const { limit } = this.execution;
    const code = this.exit?.code;
    const ended = limit !== undefined && code !== undefined && timeoutCodes.includes(code) && took >= limit * 0.95;
    return {
      code,
      signal: this.exit?.signal,
      stdout: this.stdout.text(),
      stderr: this.stderr.text(),
      took,
      late: this.gaveUp || ended,
      overflowed: this.stdout.overflowed,
    };
  }

  private notStarted(what: string): UserError {
    const { line, becomes, cwd } = this.execution;
    return notStarted(this.name, what, { line, becomes, cwd, said: this.before.err.text, code: this.exit?.code });
  }
}
