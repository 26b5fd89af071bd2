import { spawn } from "node:child_process";
import { chmod, readFile, rename, stat, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import { Duplex } from "node:stream";
import { TransientError, UserError } from "../../../provider/error.js";
import { CommandError } from "../../../provider/host/errors.js";
import type { Command, Host, RunOptions, RunResult } from "../../../provider/host/types.js";
import { programOf } from "./declared-programs.js";

export interface LocalHost extends Host {
  /** How often it was asked something: what would be round trips over SSH. */
  trips: number;
}

/** This machine as a host, without SSH; as another user where the tests run as root. */
export const localHost = (user?: { readonly uid: number; readonly gid: number }): LocalHost => {
  const prefix = user
    ? [programOf("setpriv") ?? "setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"]
    : [];
  const host: LocalHost = {
    name: "local",
    trips: 0,
    run: (command, options) => {
      host.trips += 1;
      return execute([...prefix, ...command] as unknown as Command, options);
    },
    script: (text, args, options) => host.run(["bash", "-c", text, "script", ...args], options),
    readFile: async (path) => {
      host.trips += 1;
      return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") {
          return undefined;
        }
        throw error;
      });
    },
    writeFile: async (path, content, options) => {
      host.trips += 1;
      const { mode = 0o644, keep = false } = options ?? {};
      const before = keep ? await stat(path).catch(() => undefined) : undefined;
      await writeFile(`${path}.new`, content);
      await chmod(`${path}.new`, before?.mode ?? mode);
      await rename(`${path}.new`, path);
    },
    upload: async (localPath, remotePath, options) => {
      const digestOf = async (path: string): Promise<string | undefined> => {
        const { stdout } = await host.run(["sha256sum", "--", path], { accept: "any" });
        return stdout.replace(/^\\/, "").split(" ")[0];
      };
      const before = host.trips;
      try {
        if ((await digestOf(remotePath)) === options.sha256) {
          return "present";
        }
        await host.run(["mkdir", "-p", "--", dirname(remotePath)]);
        await host.run(["cp", "--", localPath, `${remotePath}.new`]);
        const seen = await digestOf(`${remotePath}.new`);
        if (seen !== options.sha256) {
          throw new UserError(`Expected sha256 ${options.sha256} of ${localPath}, got ${seen}.`);
        }
        options.onProgress?.(1, 1);
        await host.run(["mv", "--", `${remotePath}.new`, remotePath]);
        return "sent";
      } finally {
        host.trips = before + 1;
      }
    },
    stream: async (command) => {
      host.trips += 1;
      return streamOf([...prefix, ...command]);
    },
    connect: (address, port) =>
      new Promise<Socket>((resolve, reject) => {
        const socket = connect(port, address, () => resolve(socket));
        socket.once("error", (error) => reject(new TransientError(error.message)));
      }),
  };
  return host;
};

/** Ends when the command ended with 0, and is destroyed otherwise. */
const streamOf = ([program = "", ...args]: readonly string[]): Duplex => {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  const said: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  child.stdin.on("error", () => {});
  const stream: Duplex = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => {
      child.stdin.end();
      done();
    },
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
    allowHalfOpen: false,
  });
  child.stdout.on("data", (chunk: Buffer) => stream.push(chunk) || child.stdout.pause());
  child.once("close", (code) => {
    if (code === 0) {
      stream.push(null);
    } else {
      const stderr = Buffer.concat(said).toString();
      const failure = { host: "local", command: program, stdout: "", stderr, code: code ?? 255 };
      stream.destroy(new CommandError(`failed with exit code ${code}`, failure));
    }
  });
  return stream;
};

/** Ends when the streams are closed, as an SSH channel does: a daemon that keeps them open is noticed. */
const execute = (command: Command, options: RunOptions = {}): Promise<RunResult> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = spawn(program, args, {
      cwd: options.cwd ?? "/",
      env: { PATH: process.env.PATH, HOME: "/", ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => {});
    child.stdin.end(options.stdin);
    const timer = setTimeout(() => {
      if (child.pid !== undefined) {
        process.kill(-child.pid, "SIGKILL");
      }
      child.stdout.destroy();
      child.stderr.destroy();
      reject(new UserError(`local: took longer than ${options.limit} ms`));
    }, options.limit ?? 60_000);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      const result = {
        code: code ?? 255,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      };
      const accept = options.accept ?? [0];
      if (accept === "any" || accept.includes(result.code)) {
        resolve(result);
      } else {
        reject(new UserError(`local: exit code ${result.code}: ${result.stderr}`));
      }
    });
  });
