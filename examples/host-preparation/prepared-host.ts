import { readFileSync } from "node:fs";
import { join } from "node:path";
import { remote, type types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

export interface PreparedHostArgs {
  /** How the host is reached; the user must be root, or allowed to use sudo without a password. */
  connection: pulumi.Input<types.input.remote.ConnectionArgs>;
  /** The user that StarRocks runs as, made when missing; the limits are set for it. */
  user: string;
  /** May log in as `user`: a line of authorized_keys, such as the content of `id_ed25519.pub`. */
  publicKey: string;
  /** Folders that are made and given to `user`: `deployDir`, and the disks' folders. */
  folders: string[];
  /** Also install a JDK of this version: frontends need one, backends do not. */
  jdk?: number;
}

const script = readFileSync(join(__dirname, "prepare.sh"), "utf8");

/** A host with the limits, kernel settings and JDK that StarRocks asks for. */
export class PreparedHost extends pulumi.ComponentResource {
  constructor(name: string, args: PreparedHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("example:index:PreparedHost", name, {}, opts);
    const quoted = [args.user, args.publicKey.trim(), String(args.jdk ?? ""), ...args.folders].map(
      (text) => `'${text.replaceAll("'", "'\\''")}'`,
    );
    new remote.Command(
      `${name}-prepare`,
      {
        connection: args.connection,
        // Running it again changes nothing, so a changed script simply runs again. By stdin: no limit on its length.
        create: `if [ "$(id -u)" = 0 ]; then bash -s -- ${quoted.join(" ")}; else sudo -n bash -s -- ${quoted.join(" ")}; fi`,
        stdin: script,
        addPreviousOutputInEnv: false,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
