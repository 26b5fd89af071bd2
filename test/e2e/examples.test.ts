import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../engine/root.js";
import { createStack, type Program, type Stack, type StackOptions } from "../engine/stack.js";
import { standIns } from "../stand-ins/folder.js";

const release = { version: "3.5.7", archive: "/srv/StarRocks-3.5.7-ubuntu-amd64.tar.gz", sha256: "5".repeat(64) };
const secrets = { rootPassword: { secret: "correct horse" }, privateKey: { secret: "-----BEGIN a key" } };
const frontends = ["10.0.0.11", "10.0.0.12", "10.0.0.13"];
const backends = ["10.0.0.21", "10.0.0.22", "10.0.0.23"];

const quickstart = {
  release: JSON.stringify(release),
  frontends: JSON.stringify(frontends.map((host) => ({ host }))),
  backends: JSON.stringify(backends.map((host) => ({ host, storage: ["/data/starrocks"] }))),
  ...secrets,
};

interface Plan {
  readonly resourcePlans: Readonly<Record<string, { readonly goal?: { readonly dependencies?: readonly string[] } }>>;
}

describe("the examples", () => {
  let stack: Stack | undefined;
  const preview = async (program: Program, config: StackOptions["config"]): Promise<string> => {
    stack = await createStack({ program, path: [standIns], ...(config && { config }) });
    return (await stack.preview(["--save-plan", "plan.json"])).stdout;
  };
  const example = (name: string) => join(root, "examples", name);
  afterEach(() => stack?.close());

  it("quickstart previews a first deployment on the hosts of its configuration", async () => {
    const text = await preview(example("quickstart"), quickstart);
    assert.match(text, /quickstart: 6 nodes are started, no other running node is stopped/);
    assert.match(text, /FE 10\.0\.0\.11.*: .*start/);
  });

  it("the root's Pulumi.yaml runs the quickstart, and its resources find the package", async () => {
    const files = readdirSync(example("quickstart"), { withFileTypes: true }).filter((entry) => entry.isFile());
    const program = Object.fromEntries([
      ["Pulumi.yaml", readFileSync(join(root, "Pulumi.yaml"), "utf8")],
      ...files.map(({ name }) => {
        const path = join("examples/quickstart", name);
        return [path, readFileSync(join(root, path), "utf8")];
      }),
    ]) as Record<string, string>;
    delete program["examples/quickstart/Pulumi.yaml"];
    assert.match(await preview(program, quickstart), /6 nodes are started/);
  });

  it("high-availability previews three FEs and three BEs on named hosts", async () => {
    const names = ["fe1", "fe2", "fe3", "be1", "be2", "be3"];
    const text = await preview(example("high-availability"), {
      version: "3.5.7",
      releaseUrl: "https://releases.starrocks.io/starrocks/StarRocks-3.5.7-ubuntu-amd64.tar.gz",
      releaseSha256: release.sha256,
      hosts: JSON.stringify(Object.fromEntries(names.map((name, index) => [name, [...frontends, ...backends][index]]))),
      ...secrets,
    });
    assert.match(text, /analytics: 6 nodes are started/);
    for (const name of names) {
      assert.match(text, new RegExp(`${name.slice(0, 2).toUpperCase()} ${name}.*: .*start`));
    }
  });

  it("host-preparation prepares every host before anything of the cluster is touched", async () => {
    const text = await preview(example("host-preparation"), {
      frontends: JSON.stringify(frontends),
      backends: JSON.stringify(backends),
      release: JSON.stringify(release),
      publicKey: "ssh-ed25519 AAAA a key",
      ...secrets,
    });
    assert.match(text, /example:index:PreparedHost +10\.0\.0\.11/);
    assert.match(text, /analytics: 6 nodes are started/);
    const { resourcePlans } = JSON.parse(readFileSync(join(stack?.folder ?? "", "plan.json"), "utf8")) as Plan;
    const releases = Object.entries(resourcePlans).filter(([urn]) => urn.includes("dynamic/starrocks:Release::"));
    assert.equal(releases.length, 6);
    for (const [urn, { goal }] of releases) {
      const prepared = goal?.dependencies?.filter((one) => one.includes("command:remote:Command::")) ?? [];
      assert.equal(prepared.length, 6, `${urn} comes after the preparation of all hosts`);
    }
  });
});
