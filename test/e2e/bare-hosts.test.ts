import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type Host, namespacesPossible } from "../fleet/fleet.js";
import { tellFailure } from "../lab/failure.js";
import { Lab } from "../lab/lab.js";
import { previewThenUp } from "../lab/story.js";
import type { BuiltRelease } from "../simulator/release.js";

/** What README says that a host must have, and of util-linux one program, which StarRocks' own scripts call. */
const packages = ["bash", "coreutils", "tar", "gzip", "procps", "grep", "sed"];
const getopt = "/usr/bin/getopt";
/** Of the equipment: the host itself, and the language that simulated nodes are written in. */
const equipment = ["sshd", "node", basename(process.execPath)];

const programsOf = (names: readonly string[]): readonly string[] | undefined => {
  const { error, status, stdout } = spawnSync("dpkg-query", ["--listfiles", ...names], { encoding: "utf8" });
  return error || status !== 0 ? undefined : stdout.split("\n").filter((path) => /\/s?bin\/[^/]+$/.test(path));
};

const needed = programsOf(packages);
const impossible = namespacesPossible() ?? (needed ? undefined : "dpkg does not tell which programs the packages have");

/** Removes all programs but those: in the host's own view of /usr, whatever path they would be called by. */
const bare = async (host: Host): Promise<void> => {
  const kept = [...(needed ?? []), ...equipment].map((path) => basename(path));
  const { code, stderr } = await host.exec(
    `declare -A kept; while read -r name; do kept[$name]=1; done
    rm=$(command -v rm)
    for path in /usr/local/{s,}bin/* /usr/{s,}bin/*; do
      [ "\${kept[\${path##*/}]}" ] || echo "$path"
    done | xargs "$rm" -rf --`,
    { stdin: `${kept.join("\n")}\n` },
  );
  assert.equal(code, 0, stderr);
};

describe("hosts with nothing but the programs that README names", () => {
  let lab: Lab;
  const declare = (release: BuiltRelease): void => lab.declare(lab.args(release));

  before(async function () {
    if (impossible !== undefined) {
      this.skip();
    }
    lab = await Lab.create({ kind: "namespaces", frontends: 1, backends: 1 });
    await Promise.all(lab.fleet.hosts.map(bare));
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("are refused without getopt, before anything of a node is made", async () => {
    declare(await lab.release("3.5.7"));
    const { stdout } = await lab.stack.up([], { expectFailure: true });
    assert.match(stdout, /Expected these programs on the host, but they are missing: getopt\. Install them\./);
    for (const host of lab.fleet.hosts) {
      assert.deepEqual(await host.processes(), [], `processes of ${host.name}`);
      assert.equal((await host.exec("ls -d /opt/starrocks/{fe,be} /disk1/starrocks")).stdout, "");
    }
  });

  it("are enough to create, upgrade, refresh and destroy a cluster", async () => {
    for (const host of lab.fleet.hosts) {
      await host.writeFile(getopt, readFileSync(getopt), { mode: 0o755 });
      const { stdout } = await host.exec("command -v awk find getopt perl setsid sh sudo");
      assert.equal(stdout, `${getopt}\n`);
    }
    await previewThenUp(lab);
    declare(await lab.release("3.5.8"));
    const { restarted } = await previewThenUp(lab);
    assert.deepEqual(restarted, ["be1", "fe1"]);
    await lab.stack.refresh(["--expect-no-changes"]);
    await lab.stack.destroy();
    for (const host of lab.fleet.hosts) {
      assert.deepEqual(await host.processes(), [], `processes of ${host.name}`);
    }
  });
});
