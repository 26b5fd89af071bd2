import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";
import { seconds } from "../wait.js";
import { becomeFailure } from "./become.js";
import { assertFits, type Line, lineOf } from "./command-line.js";
import { secretsOf } from "./connection.js";
import { BecomeError, CommandError, UnreachableError } from "./errors.js";
import type { Live } from "./link.js";
import { notStarted, startLimit } from "./not-started.js";
import { Collector, redact, tail } from "./output.js";
import { Preamble } from "./preamble.js";
import { quoteAll } from "./quote.js";
import { jobOf, shorten, type Target } from "./run.js";
import type { Command, StreamOptions } from "./types.js";

/** The end of stderr that is kept for an error. */
const stderrBound = 64 * 1024;

/** Opens a command as a stream, once the command itself has started: stdin goes in, stdout comes out. */
export const openStream = async (target: Target, command: Command, options: StreamOptions = {}): Promise<Duplex> => {
  const { link } = target;
  const job = { ...jobOf(target, command, { ...options, stdin: "" }), limit: undefined };
  const line = lineOf(job);
  assertFits(line, link.name);
  const release = link.hold();
  try {
    const { stream } = await link.use((live) =>
      link.session(live, line.text, (channel) => ({
        stream: new CommandStream(channel, live, target, {
          line,
          label: options.label ?? shorten(quoteAll(command)),
          becomes: job.become?.user,
        }),
      })),
    );
    stream.onceClosed(release);
    await stream.started;
    return stream;
  } catch (error) {
    release();
    throw error;
  }
};

interface About {
  readonly line: Line;
  /** The command as errors name it. */
  readonly label: string;
  readonly becomes: string | undefined;
}

const nothing = function (this: Duplex) {
  return this;
};

/**
 * Ends when the command ended well, and is destroyed with the reason when it did not: whoever reads to the end knows
 * that the command succeeded. A slow reader slows the command down: nothing is kept here.
 */
class CommandStream extends Duplex {
  /** The command began; rejects when it could not. */
  readonly started: Promise<void>;
  private readonly before: { readonly out: Preamble; readonly err: Preamble };
  private readonly said = new Collector(stderrBound, "last");
  private begin: () => void = () => undefined;
  private refuse: (error: Error) => void = () => undefined;
  private readonly starting: NodeJS.Timeout;
  private running = false;
  private answered = false;
  private exit: { readonly code: number | undefined; readonly signal: string | undefined } | undefined;
  private channelClosed = false;
  private pending: ((error?: Error | null) => void) | undefined;
  // Clients of sockets call these; on a command they have no meaning.
  readonly setKeepAlive = nothing;
  readonly setNoDelay = nothing;
  readonly setTimeout = nothing;
  readonly ref = nothing;
  readonly unref = nothing;
  readonly destroySoon = () => this.destroy();

  constructor(
    private readonly channel: ClientChannel,
    private readonly live: Live,
    private readonly target: Target,
    private readonly about: About,
  ) {
    super({ allowHalfOpen: false });
    const { mark } = about.line;
    this.before = { out: new Preamble(mark), err: new Preamble(mark) };
    this.started = new Promise((resolve, reject) => {
      this.begin = resolve;
      this.refuse = reject;
    });
    this.started.catch(() => undefined);
    this.starting = setTimeout(() => this.giveUp(), startLimit);
    // The command may have failed before anybody listens: who reads or writes then hears of it.
    this.on("error", () => undefined);
    channel.on("data", (chunk: Buffer) => this.onStdout(chunk));
    channel.stderr.on("data", (chunk: Buffer) => this.onStderr(chunk));
    channel.on("error", () => channel.close());
    channel.on("exit", (code: number | null, signal?: string) => {
      this.exit = { code: code ?? undefined, signal };
    });
    channel.on("close", () => this.onClose());
  }

  /** Calls back when the channel is closed, whether or not anybody reads what it gave. */
  onceClosed(act: () => void): void {
    this.channelClosed ? act() : this.channel.once("close", act);
  }

  override _read(): void {
    this.channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.channelClosed) {
      done(this.failure());
      return;
    }
    // A write is never called back once the channel has closed.
    this.pending = done;
    this.channel.write(chunk, () => this.written());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.channelClosed) {
      this.channel.close();
    }
    done(error);
  }

  private written(error?: Error): void {
    const done = this.pending;
    this.pending = undefined;
    done?.(error);
  }

  private onStdout(chunk: Buffer): void {
    const own = this.before.out.take(chunk);
    if (own && !this.destroyed && !this.push(own)) {
      this.channel.pause();
    }
  }

  private onStderr(chunk: Buffer): void {
    const own = this.before.err.take(chunk);
    if (own) {
      this.said.add(own);
    }
    if (this.before.err.passed) {
      this.running = true;
      clearTimeout(this.starting);
      this.begin();
    } else {
      this.answer();
    }
  }

  /** Answers sudo once; a second question means that the answer was wrong. */
  private answer(): void {
    const password = this.target.connection.become?.password;
    const questions = this.before.err.text.split(this.about.line.prompt).length - 1;
    if (questions > 1) {
      this.refuse(new BecomeError(`${this.target.link.name}: sudo did not accept \`become.password\`.`));
      this.channel.close();
    } else if (questions === 1 && !this.answered && password !== undefined) {
      this.answered = true;
      this.channel.write(`${password}\n`);
    }
  }

  private giveUp(): void {
    const error = notStarted(this.target.link.name, `did not start within ${seconds(startLimit)}`, {
      ...this.about,
      said: this.before.err.text,
    });
    this.refuse(error);
    this.destroy(error);
  }

  private onClose(): void {
    this.channelClosed = true;
    clearTimeout(this.starting);
    if (!this.running) {
      const error = this.notStarted();
      this.refuse(error);
      this.destroy(error);
    } else if (this.exit?.code === 0) {
      this.written();
      this.push(null);
    } else {
      const error = this.failure();
      this.written(error);
      this.destroy(error);
    }
  }

  private failure(): Error {
    const { link, connection } = this.target;
    if (!this.exit) {
      return this.live.lost ?? new UnreachableError(`${link.name}: the channel of a command was lost.`, "lost");
    }
    const { code, signal } = this.exit;
    return new CommandError(code === undefined ? `was killed by ${signal}` : `failed with exit code ${code}`, {
      host: link.name,
      command: redact(this.about.label, secretsOf(connection)),
      stdout: "",
      stderr: redact(tail(this.said.text()), secretsOf(connection)),
      ...(code === undefined ? {} : { code }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  private notStarted(): Error {
    const { link } = this.target;
    const said = this.before.err.text.replaceAll(this.about.line.prompt, "");
    if (this.live.lost) {
      return this.live.lost;
    }
    return this.about.becomes === undefined
      ? new UnreachableError(
          `${link.name}: a command was not started: ${said.trim() || "no reason was given"}.`,
          "lost",
        )
      : becomeFailure(link.name, this.about.becomes, said, this.exit?.code);
  }
}
