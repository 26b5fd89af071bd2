import type { Duplex } from "node:stream";

/** A command and its arguments; quoted in one place (`host/quote.ts`), so nothing in it is ever evaluated by a shell. */
export type Command = readonly [string, ...string[]];

export interface RunOptions {
  /** Working folder on the host. */
  readonly cwd?: string;
  /** Environment variables for the command (passed through `env`, hence visible on the host: no secrets). */
  readonly env?: Readonly<Record<string, string>>;
  /** Data for stdin. Sent only once the command itself has started, so sudo's password never lies beside it. */
  readonly stdin?: string | Buffer;
  /** Milliseconds until the command is given up and its channel closed. Default: the connection's `commandLimit`. */
  readonly limit?: number;
  /** Run as the `become` user of the connection. Default true when the connection has `become`. */
  readonly become?: boolean;
  /** Exit codes that are answers, not errors. Default `[0]`; `"any"` never throws for a code. */
  readonly accept?: readonly number[] | "any";
  /** What stands for the command in an error; for scripts, whose text would say little. Default: the command, shortened. */
  readonly label?: string;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface UploadOptions {
  /** Hex digest that the file must have on the host before it gets its name. */
  readonly sha256: string;
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void;
  /** Milliseconds for looking at what is there already, then for the whole way, however steadily it goes on. Default: none but that something must move. */
  readonly limit?: number;
}

export interface WriteOptions {
  /** Default 0644. */
  readonly mode?: number;
  /** A file that is there keeps its own mode and, as far as the run user may give it, its group. */
  readonly keep?: boolean;
}

export type StreamOptions = Pick<RunOptions, "cwd" | "env" | "become" | "label">;

/** One machine over SSH. All of an operation's commands, files and tunnels share one connection. */
export interface Host {
  /** For people: `10.0.0.21`, with `:port` when that is not 22. */
  readonly name: string;
  /** Runs a command; throws `CommandError` (a `UserError`) for an exit code that is not accepted. */
  run(command: Command, options?: RunOptions): Promise<RunResult>;
  /** Runs a bash script with positional parameters (`$1` …); same rules. The text must hold no secret. */
  script(text: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Content of a file, or undefined when there is none. At most 16 MiB. */
  readFile(path: string): Promise<string | undefined>;
  /** Writes atomically (temporary name in the same folder, then renamed), as the run user. */
  writeFile(path: string, content: string, options?: WriteOptions): Promise<void>;
  /**
   * Streams a local file to `remotePath` with constant memory: into a temporary name, sha256 checked on the host,
   * then renamed. Sends nothing when the host already has a file of that name and digest.
   */
  upload(localPath: string, remotePath: string, options: UploadOptions): Promise<"sent" | "present">;
  /**
   * Runs a command as a stream, without a limit: what is written is its stdin, what is read its stdout. The stream ends
   * when the command ended with 0, and is destroyed with `CommandError` for any other code. It is given once the command runs.
   */
  stream(command: Command, options?: StreamOptions): Promise<Duplex>;
  /** A TCP stream from the host to address:port (direct-tcpip). Rejects with `TransientError` when refused. */
  connect(address: string, port: number): Promise<Duplex>;
}
