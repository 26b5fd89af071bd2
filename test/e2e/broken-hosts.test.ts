import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "../engine/stack.js";
import { namespacesPossible } from "../fleet/fleet.js";
import { assertDone, assertFailed } from "../lab/failed.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { NodeProcesses } from "../lab/node-processes.js";
import { stateOf, told } from "../lab/told.js";
import { buildJdk } from "../simulator/jdk.js";
import type { BuiltRelease } from "../simulator/release.js";

const impossible = namespacesPossible();

describe("a cluster whose hosts are not fit for it yet", () => {
  let lab: Lab;
  let release: BuiltRelease;
  let next: BuiltRelease;

  before(async () => {
    // With a disk of their own, too small for much more than a release, and for the metadata of an FE.
    const fleet = { sudo: "none", ...(impossible === undefined && { smallDisks: { "/opt": "48m" } }) } as const;
    lab = await Lab.create({ kind: impossible === undefined ? "namespaces" : "loopback", fleet });
    release = await lab.release("3.5.7");
    next = await lab.release("3.5.8");
  });
  afterEach("the state has what is done, and no node: nothing of one was begun", async function () {
    const state = await stateOf(lab.stack);
    const isDeployed = this.currentTest?.title === "is deployed when all is mended";
    const begun = Object.entries(state).filter(
      ([name, what]) => !(name.startsWith("sr-release-") && what === "staged"),
    );
    assert.ok(isDeployed || begun.length === 0, JSON.stringify(state));
  });
  after(() => lab?.close());

  const up = (change: (args: PlainArgs) => void = () => undefined, ...more: readonly string[]): Promise<Outcome> => {
    const apart = (args: PlainArgs): void => {
      if (impossible === undefined) {
        for (const node of [args.frontends.leader, ...(args.frontends.followers ?? [])]) {
          node.metaDir = "/data/fe/meta";
        }
      }
      change(args);
    };
    lab.declare(lab.args(release, apart));
    // So that what one host says does not depend on how far the others are.
    return lab.stack.start("up", ["--skip-preview", "--continue-on-error", ...more]).ended;
  };
  const host = (name: string) => lab.fleet.host(name);
  const backend = ({ backends }: PlainArgs, name: string) => {
    const node = backends.nodes.find((one) => one.name === name);
    assert.ok(node);
    return node;
  };
  const frontend = ({ frontends }: PlainArgs, name: string) => {
    const node = [frontends.leader, ...(frontends.followers ?? [])].find((one) => one.name === name);
    assert.ok(node);
    return node;
  };

  it("says of each host why it cannot be worked on, and keeps what it could do on the others", async () => {
    await host("fe1").powerOff();
    await host("fe2").refuseAuth();
    await host("be1").wrongHostKey();
    const full = impossible === undefined;
    if (full) {
      await host("be3").fillDisk("/opt");
    }
    const outcome = await up((args) => {
      args.connection.perDialTimeout = 3;
      Object.assign(backend(args, "be2").connection as object, { become: { user: "nobody" } });
    });
    await host("fe1").powerOn();
    await host("fe2").acceptAuth();
    await host("be1").restoreHostKey();
    if (full) {
      await host("be3").freeDisk("/opt");
    }
    assertFailed(outcome, {
      "sr-release-fe-fe1":
        /: the (host did not answer \(is it up, .*\?\)|port is open but nothing speaks SSH on it) within 3 s\.$/,
      "sr-release-fe-fe2": /refused the login of user `starrocks`: tried privateKey\. The host allows: publickey\.$/,
      "sr-release-be-be1":
        /shows the ssh-ed25519 key SHA256:\S+, but \S+ line \d+ has the ssh-ed25519 key SHA256:\S+\. Either this is another machine, or its key was changed\./,
      "sr-release-be-be2":
        // sudo does not say to somebody without a password whether it would take one.
        /cannot run commands as `nobody`: (the login user may not use sudo: add it to sudoers|sudo asks for a password: set `become\.password`, or allow)/,
      ...(full && {
        "sr-release-be-be3":
          /^Staging StarRocks 3\.5\.7 on \S+ needs about \S+ [kM]B below \/opt\/starrocks\/releases, but 0 B are free\. Nothing was sent\./,
      }),
    });
    const state = await stateOf(lab.stack);
    assert.equal(state["sr-release-fe-fe3"], "staged");
    assert.ok(!("sr-release-fe-fe1" in state) && !("sr-preflight" in state), JSON.stringify(state));
  });

  it("says that a disk became full while the archive came, or while it was unpacked, and keeps no half of it", async function () {
    if (impossible !== undefined) {
      this.skip();
    }
    /** What the host's disk has room for until this program is run. */
    const filler = "/opt/starrocks/filler";
    const fills = (program: string, when: string) =>
      `#!/bin/bash\nif ${when}; then /bin/cat /dev/zero > ${filler} 2>/dev/null; fi\nexec /bin/${program} "$@"\n`;
    const takeAway = [
      await host("be2").addProgram("cat", fills("cat", '[[ $(readlink "/proc/$$/fd/1") == *.part-* ]]')),
      await host("be3").addProgram("tar", fills("tar", '[[ " $* " == *" -x"* ]]')),
    ];
    const targets = ["be2", "be3"].flatMap((name) => ["--target", `**::sr-release-be-${name}`]);
    const outcome = await up(undefined, ...targets);
    const left = await Promise.all(
      ["be2", "be3"].map(async (name) => {
        await host(name).exec(`rm ${filler}`);
        return (await host(name).exec("cd /opt/starrocks && find . -type f ! -path '*/.expected/*'")).stdout.trim();
      }),
    );
    await Promise.all(takeAway.map((take) => take()));
    assertFailed(outcome, {
      "sr-release-be-be2": /no room for \S+ \(.*\); nothing of it was kept\./,
      "sr-release-be-be3":
        /no space left on \/opt \(0 of 48M free after removing what was unpacked\)\. Free some space below/,
    });
    // What arrived whole need not be sent again.
    assert.deepEqual(left, ["", `./releases/.incoming/${release.sha256}.tar.gz`]);
  });

  it("says that the archive is missing on this machine", async () => {
    const outcome = await up(({ release }) => {
      release.archive = "/nowhere/StarRocks-3.5.7.tar.gz";
    });
    const message =
      /^`release\.archive` cannot be read on this machine: ENOENT: .* '\/nowhere\/StarRocks-3\.5\.7\.tar\.gz'\. \S+ does not have this release yet/;
    // The host that has the release does not need the archive.
    const others = ["fe-fe1", "fe-fe2", "be-be1", "be-be2", "be-be3"];
    assertFailed(outcome, Object.fromEntries(others.map((name) => [`sr-release-${name}`, message])));
  });

  it("says that the archive is not the one that its sha256 is of, and keeps nothing of it", async () => {
    const outcome = await up(({ release }) => {
      release.sha256 = "5".repeat(64);
    });
    const errors = Object.entries(told(outcome, "error")).filter(([name]) => name !== "");
    assert.equal(errors.length, 6);
    for (const [, text] of errors) {
      assert.match(
        text,
        new RegExp(`${release.archive} arrived with sha256 ${release.sha256}, expected 5{64}; it was removed\\.`),
      );
    }
    assert.deepEqual(
      (await host("be1").exec(`ls ${host("be1").path("/opt/starrocks/releases/.incoming")}`)).stdout,
      "",
    );
  });

  it("says that another version is in the archive, and where a JDK is missing or too old", async () => {
    const old = join(lab.jdk, "..", "jdk-11");
    const none = join(lab.jdk, "..", "jdk-none");
    await buildJdk({ directory: old, version: 11 });
    mkdirSync(none);
    const outcome = await up((args) => {
      args.release = { version: "3.5.7", archive: next.archive, sha256: next.sha256 };
      frontend(args, "fe1").javaHome = none;
      frontend(args, "fe2").javaHome = old;
    });
    const other = (part: string) =>
      new RegExp(
        `^Cannot stage StarRocks 3\\.5\\.7 on \\S+: archive says 3\\.5\\.8\\S*, declared 3\\.5\\.7 \\(${part} of ${next.archive}\\)\\. Correct \`release\\.version\` or the archive\\.$`,
      );
    assertFailed(outcome, {
      "sr-release-fe-fe1":
        /^Expected `javaHome` "\S+jdk-none" on \S+ to be JDK 17 or newer for StarRocks 3\.5\.7; found: \S+jdk-none \(no bin\/java that runs\)/,
      "sr-release-fe-fe2":
        /^Expected `javaHome` "\S+jdk-11" on \S+ to be JDK 17 or newer for StarRocks 3\.5\.7; found: \S+jdk-11 \(11\.\S+\)/,
      "sr-release-fe-fe3": other("fe"),
      "sr-release-be-be1": other("be"),
      "sr-release-be-be2": other("be"),
      "sr-release-be-be3": other("be"),
    });
  });

  it("says all that the pre-flight finds in one message, and starts nothing", async () => {
    const be1 = host("be1");
    await be1.exec(
      `cd /; nohup ${process.execPath} -e 'require("net").createServer().listen(8040, "${be1.address}")' > /dev/null 2>&1 &`,
    );
    await host("be2").limits({ nofile: 512 });
    await host("fe2").clockOffset(60_000);
    const byHand = host("fe3").path("/opt/starrocks/fe");
    await host("fe3").exec(`mkdir -p '${byHand}/lib'`, { user: lab.fleet.user });
    const closed = impossible === undefined ? "/srv/starrocks" : "/etc/passwd/starrocks";
    const outcome = await up((args) => {
      backend(args, "be3").storage = [closed];
      if (impossible === undefined) {
        frontend(args, "fe1").metaDir = "/opt/starrocks/fe/meta";
      }
    });
    await be1.kill("createServer");
    await host("be2").limits({ nofile: 2048 });
    await host("fe2").clockOffset(0);
    await host("fe3").exec(`rm -r '${byHand}'`);
    const lines = (told(outcome, "error")["sr-preflight"] ?? "").split("\n");
    const [first, ...found] = lines;
    assert.equal(first, "The pre-flight found what must be mended first; nothing was touched.");
    const expected = [
      /^BE be1 \(\S+\): .*8040.*; free it or give the node another port$/,
      /^BE be2 \(\S+\): Expected user \S+ to be allowed at least 1024 open files, as a BE refuses to start with less; the hard limit is 512\. Add ".* - nofile 655350"/,
      impossible === undefined
        ? /^BE be3 \(\S+\): Expected user starrocks to be able to write \/srv\/starrocks, but \/srv belongs to root \(drwxr-xr-x\)\. Run on the host: sudo install -d -o starrocks \/srv\/starrocks\.$/
        : /^BE be3 \(\S+\): Expected user \S+ to be able to write .*, but \/etc\/passwd is no folder\. Choose another path\.$/,
    ];
    expected.push(
      /^FE fe3 \(\S+\): \S+\/fe\/lib on \S+ is not a link: \S+ was not made by pulumi-starrocks, .* Choose another `deployDir` or `home` for this node\.$/,
    );
    if (impossible === undefined) {
      expected.push(
        /^FE fe1 \(\S+\): Expected 5\.4 GB free for the metadata at \/opt\/starrocks\/fe\/meta, but \/opt has \S+ MB of \S+ MB left\. Free some space, or choose another path\.$/,
      );
    }
    expected.push(
      /^The clock of FE fe2 is (59|60|61) s ahead of that of FE fe[13]; at most 5 s are allowed between any two nodes\. Against this machine's they are at \+\S+ s \(\S+\) and [+-]\S+ s \(\S+\)\. Set the clocks/,
    );
    for (const [index, pattern] of expected.entries()) {
      assert.match(found[index] ?? "", pattern);
    }
    assert.equal(found.length, expected.length, found.join("\n"));
    assertFailed(outcome, { "sr-preflight": /./ });
    assert.deepEqual(new NodeProcesses(lab.fleet).look(), []);
  });

  it("is deployed when all is mended", async () => {
    const outcome = await up();
    assertDone(outcome);
    assert.deepEqual(
      new NodeProcesses(lab.fleet)
        .look()
        .map(({ host }) => host)
        .sort(),
      ["be1", "be2", "be3", "fe1", "fe2", "fe3"],
    );
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
