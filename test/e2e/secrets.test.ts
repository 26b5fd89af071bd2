import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "../engine/stack.js";
import { namespacesPossible } from "../fleet/fleet.js";
import { tellFailure } from "../lab/failure.js";
import { Lab } from "../lab/lab.js";
import { sampleProcesses } from "../lab/process-sampler.js";
import type { BuiltRelease } from "../simulator/release.js";

const impossible = namespacesPossible();

/** Credentials come from the stack's configuration, as in a user's program; the first BE is reached by password, all else by key. */
const program = `
const pulumi = require("@pulumi/pulumi");
const starrocks = require("pulumi-starrocks");
const { name, args } = JSON.parse(require("node:fs").readFileSync("cluster.json", "utf8"));
const config = new pulumi.Config();
const become = { user: args.connection.user, password: config.requireSecret("login") };
const { privateKey, ...connection } = args.connection;
const byKey = { privateKey: config.requireSecret("key"), privateKeyPassword: config.requireSecret("passphrase") };
args.connection = { ...connection, become };
for (const node of [args.frontends.leader]) {
  node.connection = { ...node.connection, ...byKey };
}
for (const node of args.backends.nodes) {
  node.connection = { ...node.connection, password: config.requireSecret("login") };
}
args.sql = { password: config.requireSecret("root") };
args.backends.config = { ...args.backends.config, object_storage_secret_access_key: config.requireSecret("setting") };
new starrocks.Cluster(name, args);
`;

const login = "login-7f3a-hunter2";
const root = "root-91bc-horse";
const setting = "setting-5d20-bucket";

/** Pulumi gives a program, on the machine that it is run on, the whole decrypted configuration in its environment. */
const programs = /^\S*node \S*\/@pulumi\/pulumi\/cmd\/run\/index\.js --monitor /;

describe("secrets: the root password, a login and sudo password, a private key and its passphrase, a setting", () => {
  let lab: Lab;
  let secrets: readonly string[];
  let good: BuiltRelease;
  const told: string[] = [];

  before(async () => {
    lab = await Lab.create({
      kind: impossible === undefined ? "namespaces" : "loopback",
      frontends: 1,
      backends: 1,
      fleet: { sudo: "password", password: login },
    });
    const { content, passphrase } = lab.fleet.encryptedKey;
    // A line from the middle of the key stands for all of it, however its ends of line are written.
    const lines = content.trim().split("\n");
    secrets = [root, login, setting, passphrase, lines[Math.floor(lines.length / 2)] ?? ""];
    assert.ok(secrets.every((secret) => secret.length >= 8));
    lab.stack.write({ "index.js": program });
    // As they are: the debug messages that Pulumi's SDK sends to the log of events hide values of the configuration, nothing else.
    for (const [name, value] of Object.entries({ root, login, setting, passphrase, key: content.trimEnd() })) {
      await lab.stack.run("config", "set", "--secret", name, "--", value);
    }
    good = await lab.release("3.5.7");
    declare(good);
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const declare = (release: BuiltRelease): void =>
    lab.declare(
      lab.args(release, (args) => {
        delete args.sql;
        delete args.connection.privateKey;
      }),
    );
  const shown = (text: string): readonly string[] => secrets.filter((secret) => text.includes(secret));

  /** Runs something while all processes are looked at, and keeps what was told of it. */
  const watched = async (work: () => Promise<Outcome>): Promise<Outcome> => {
    const sampled = sampleProcesses(secrets);
    const outcome = await work();
    const { found, commands } = sampled();
    assert.deepEqual(
      found.filter((command) => !programs.test(command)),
      [],
      "arguments and environments",
    );
    assert.ok(commands.size > 10, `${commands.size} commands seen`);
    told.push(JSON.stringify(outcome));
    return outcome;
  };

  it("are found by this test where they are", async () => {
    const sampled = sampleProcesses(secrets);
    const children = [
      spawn("sleep", ["1"], { env: { ...process.env, LOGIN: login } }),
      spawn("bash", ["-c", "sleep 1; true", root]),
    ];
    await Promise.all(children.map((child) => new Promise((resolve) => child.once("exit", resolve))));
    const { found } = sampled();
    assert.ok(found.includes("sleep 1"), `${found}`);
    assert.ok(
      found.some((command) => command.endsWith(root)),
      `${found}`,
    );
    const host = lab.fleet.host("be1");
    await host.writeFile("/opt/starrocks/told", `password = ${root}\n`);
    assert.deepEqual(await filesWithSecrets(), [`be1: ${host.path("/opt/starrocks/told")}`]);
    await host.exec(`rm ${host.path("/opt/starrocks/told")}`);
  });

  it("are seen by nobody while a cluster is previewed, deployed and left alone", async () => {
    await watched(() => lab.stack.preview(["--diff"]));
    await watched(() => lab.stack.up(["--diff"]));
    await watched(() => lab.stack.refresh(["--diff"]));
    await watched(() => lab.stack.preview(["--diff", "--expect-no-changes"]));
  });

  it("nor when a secret setting was edited on its host: refresh names it, and the next up writes it again", async () => {
    const host = lab.fleet.host("be1");
    const conf = host.path("/opt/starrocks/be/conf/be.conf");
    await host.exec(
      `sed -i 's/^object_storage_secret_access_key.*/object_storage_secret_access_key = edited/' '${conf}'`,
    );
    const { stdout } = await watched(() => lab.stack.refresh(["--diff"]));
    assert.match(stdout, /object_storage_secret_access_key/);
    await watched(() => lab.stack.up(["--diff"]));
    assert.match((await host.readFile("/opt/starrocks/be/conf/be.conf")) ?? "", new RegExp(`= ${setting}$`, "m"));
  });

  it("nor while an upgrade fails, and while the next one is done", async () => {
    const faults = [{ fault: "dieAtStart", message: "no such instruction" }] as const;
    declare(await lab.release("3.5.8", { be: { faults: [...faults] } }));
    const failed = await watched(() => lab.stack.up(["--diff"], { expectFailure: true }));
    assert.match(failed.stdout + failed.stderr, /no such instruction/);
    declare(await lab.release("3.5.8"));
    await watched(() => lab.stack.up(["--diff"]));
  });

  it("nor where a login is refused", async () => {
    await lab.fleet.host("fe1").refuseAuth();
    declare(await lab.release("3.5.9"));
    const failed = await watched(() => lab.stack.up(["--diff"], { expectFailure: true }));
    await lab.fleet.host("fe1").acceptAuth();
    assert.match(failed.stdout + failed.stderr, /refused the login of user/);
  });

  it("are in nothing that the CLI, its log of events and the journals told", () => {
    assert.ok(told.length >= 6);
    assert.deepEqual(shown(told.join("\n")), []);
    const journals = lab.journals().map((path) => readFileSync(path, "utf8"));
    assert.ok(journals.length >= 3);
    assert.deepEqual(shown(journals.join("\n")), []);
  });

  it("are in no state: neither exported, nor on the disk with its backups and history", async () => {
    const { stdout } = await lab.stack.run("stack", "export");
    assert.match(stdout, /"ciphertext"/);
    assert.deepEqual(shown(stdout), []);
    const backend = String(lab.stack.env.PULUMI_BACKEND_URL).slice("file://".length);
    const files = readdirSync(backend, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.length > 5);
    const leaks = files.filter((entry) => shown(readFileSync(join(entry.parentPath, entry.name), "utf8")).length > 0);
    assert.deepEqual(
      leaks.map(({ name }) => name),
      [],
    );
  });

  it("are in no file on a host", async () => {
    assert.deepEqual(await filesWithSecrets(), []);
  });

  /**
   * All that the tool and StarRocks write, temporary files too; but for StarRocks' own metadata, which SET PASSWORD fills, and
   * the setting, which is there to be written into be.conf.
   */
  const filesWithSecrets = async (): Promise<readonly string[]> => {
    const folders = ["/opt", "/data", "/disk1", "/disk2", "/home", "/tmp", "/var/tmp", "/root"];
    const found = await Promise.all(
      lab.fleet.hosts.map(async (host) => {
        const places = folders.map((folder) => `'${host.path(folder)}'`).join(" ");
        const { stdout } = await host.exec(`grep -rlaF --exclude-dir=meta -f - ${places} 2>/dev/null`, {
          stdin: `${secrets.filter((secret) => secret !== setting).join("\n")}\n`,
        });
        return stdout
          .split("\n")
          .filter((path) => path !== "")
          .map((path) => `${host.name}: ${path}`);
      }),
    );
    return found.flat();
  };
});
