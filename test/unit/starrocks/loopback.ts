import { execFile } from "node:child_process";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { TransientError, UserError } from "../../../provider/error.js";
import type { Host } from "../../../provider/host/types.js";

/** This machine as a host: its bash, and its loopback for tunnels. */
export const loopback: Host = {
  name: "here",
  run: () => unused("run"),
  readFile: () => unused("readFile"),
  writeFile: () => unused("writeFile"),
  upload: () => unused("upload"),
  stream: () => unused("stream"),
  script: (text, args, options) =>
    new Promise((resolve, reject) => {
      execFile(
        "bash",
        ["-c", text, "bash", ...args],
        { env: { ...process.env, ...options?.env }, maxBuffer: 16 * 1024 * 1024 },
        (error, stdout, stderr) =>
          error ? reject(new UserError(`${error.message}\n${stderr}`)) : resolve({ code: 0, stdout, stderr }),
      );
    }),
  connect: (address, port) =>
    new Promise<Duplex>((resolve, reject) => {
      const socket = connect(port, address);
      socket.once("connect", () => resolve(socket));
      socket.once("error", (error) => reject(new TransientError(`${address}:${port}: ${error.message}`)));
    }),
};

const unused = (name: string): never => {
  throw new Error(`The vocabulary does not use ${name}.`);
};
