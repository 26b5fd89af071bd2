import { once } from "node:events";
import { readFile } from "node:fs/promises";
import ssh2, { type Client, type SFTPWrapper } from "ssh2";
import { command } from "../../fleet/command.js";
import type { AuthKind, ExecResult, Fleet, Host } from "../../fleet/types.js";

/** Logs in with ssh2, checking the host's key as a careful client does. */
export const login = async (fleet: Fleet, host: Host, auth: AuthKind = "key"): Promise<Client> => {
  const {
    host: address,
    port,
    user,
    knownHosts,
    privateKey,
    privateKeyPassword,
    agentSocketPath,
    password,
  } = fleet.connection(host, auth);
  const expected = (await readFile(knownHosts, "utf8"))
    .split("\n")
    .map((line) => line.split(" "))
    .find(([name]) => name === (port === 22 ? address : `[${address}]:${port}`))?.[2];
  const client = new ssh2.Client();
  client.on("error", () => {});
  const ready = Promise.race([
    once(client, "ready"),
    once(client, "close").then(() => Promise.reject(new Error(`${host.name} closed the connection`))),
  ]);
  client.connect({
    ...{ host: address, port, username: user },
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(privateKeyPassword === undefined ? {} : { passphrase: privateKeyPassword }),
    ...(agentSocketPath === undefined ? {} : { agent: agentSocketPath }),
    ...(password === undefined ? {} : { password }),
    readyTimeout: 5000,
    hostVerifier: (key: Buffer) => key.toString("base64") === expected,
  });
  await ready;
  return client;
};

export interface RunResult extends ExecResult {
  readonly signal: string | undefined;
}

export const run = async (client: Client, script: string, stdin = ""): Promise<RunResult> =>
  new Promise((resolve, reject) => {
    client.exec(script, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      let stdout = "";
      let stderr = "";
      channel.on("data", (chunk: Buffer) => {
        stdout += chunk;
      });
      channel.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk;
      });
      channel.on("close", (code: number | null, signal?: string) =>
        resolve({ code: code ?? -1, signal, stdout, stderr }),
      );
      channel.end(stdin);
    });
  });

export const sftpOf = async (client: Client): Promise<SFTPWrapper> =>
  new Promise((resolve, reject) => {
    client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp)));
  });

/** The `ssh` command. */
export const ssh = async (
  fleet: Fleet,
  host: Host,
  script: string,
  ...options: readonly string[]
): Promise<ExecResult> => {
  const settings = [
    "BatchMode=yes",
    "ConnectTimeout=5",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${fleet.knownHosts}`,
  ];
  return command("ssh", [
    ...["-F", "none", "-i", fleet.key.path, "-p", String(host.port)],
    ...settings.flatMap((setting) => ["-o", setting]),
    ...[...options, `${fleet.user}@${host.address}`, script],
  ]);
};
