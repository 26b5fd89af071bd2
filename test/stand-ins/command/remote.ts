import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Client, type ClientChannel, type ConnectConfig } from "ssh2";
import { failed, type Props, type Run, type RunOutput } from "./run.js";

interface Connection {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
}

/** `remote.Command`: the text goes to the user's shell; variables by SSH's own request, which a server may refuse. */
export const runThere = (run: Run): Promise<RunOutput> =>
  exec(run.props, run.text, run.env, String(run.props.stdin ?? ""));

/** `remote.CopyToRemote` of a FileAsset or StringAsset. */
export const copyThere = async (props: Props): Promise<Props> => {
  const { path, text: content } = props.source as { readonly path?: string; readonly text?: string };
  if (path === undefined && content === undefined) {
    throw new Error("the stand-in for @pulumi/command copies only FileAsset and StringAsset");
  }
  const quoted = `'${String(props.remotePath).replaceAll("'", "'\\''")}'`;
  await exec(props, `cat > ${quoted}`, {}, path === undefined ? String(content) : await readFile(path));
  return props;
};

const exec = async (
  props: Props,
  command: string,
  env: Readonly<Record<string, string>>,
  stdin: string | Buffer,
): Promise<RunOutput> => {
  const client = new Client();
  const ready = once(client, "ready");
  client.connect(settings(props.connection as Connection));
  try {
    await ready;
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      client.exec(command, { env }, (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    channel.end(stdin);
    const closed = once(channel, "close");
    const [stdout, stderr, [code]] = await Promise.all([text(channel), text(channel.stderr), closed]);
    const output = { stdout: stdout.replace(/\n$/, ""), stderr: stderr.replace(/\n$/, "") };
    if (code !== 0) {
      throw failed(command, code, output);
    }
    return output;
  } finally {
    client.end();
  }
};

const settings = ({ host, port, user, password, privateKey, privateKeyPassword }: Connection): ConnectConfig => ({
  host,
  port: port ?? 22,
  username: user ?? "root",
  ...(password !== undefined && { password }),
  ...(privateKey !== undefined && { privateKey }),
  ...(privateKeyPassword !== undefined && { passphrase: privateKeyPassword }),
});
