import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineFolder } from "../engine/binaries.js";
import { root } from "../engine/root.js";
import { type Running, start } from "../engine/running.js";

/** Everything that the quickstart starts has its temporary folder somewhere in its environment. */
const processesOf = (folder: string): readonly string[] =>
  readdirSync("/proc").flatMap((pid) => {
    try {
      const belongs = Number.isInteger(Number(pid)) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(folder);
      return belongs ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`] : [];
    } catch {
      return [];
    }
  });

const isFleetRegistry = (name: string): boolean => name.startsWith("pulumi-starrocks-fleets-");

/** The last line, for programs. */
interface Figures {
  readonly quickstart: boolean;
  readonly ok: boolean;
  readonly frontends: number;
  readonly backends: number;
  readonly real: readonly string[];
  readonly mostNodesDown: number;
  readonly writesAcknowledged: number;
  readonly writesLost: number;
  readonly readsOk: number;
  readonly seconds: readonly (readonly [string, number])[];
  readonly broken: readonly string[];
}

const figuresOf = (stdout: string): Figures => JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");

const main = join(root, "dist/test/quickstart/main.js");

/** `nobody`, where root plays the tests. */
const otherUser = 65534;
const become = ["setpriv", `--reuid=${otherUser}`, `--regid=${otherUser}`, "--clear-groups", "--no-new-privs"];

/** Why the story cannot be played by a user without rights; undefined where it can. */
const rootOnly = ((): string | undefined => {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const { error, status } = spawnSync(become[0] ?? "", [...become.slice(1), process.execPath, "--check", main]);
  return error || status !== 0 ? `${process.execPath} and ${root} are not for others than root to read` : undefined;
})();

describe("the quickstart", function () {
  // Its story is a minute on a machine that does nothing else.
  this.timeout(600_000);
  let folder: string;
  let engine: string;
  before(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "quickstart-test-")));
    engine = realpathSync(mkdtempSync(join(tmpdir(), "quickstart-engine-")));
    // Root's own may lie where nobody else may look.
    cpSync(await engineFolder(), engine, { recursive: true });
    chmodSync(engine, 0o755);
    if (process.getuid?.() === 0) {
      chownSync(folder, otherUser, otherUser);
    }
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(engine, { recursive: true, force: true });
  });

  const play = async (
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
    as: readonly string[] = [],
  ): Promise<Running> =>
    start([...as, process.execPath, main, ...args], {
      cwd: root,
      env: { ...process.env, TMPDIR: folder, PULUMI_STARROCKS_ENGINE: engine, ...env },
    });
  const assertNothingLeft = () => {
    assert.deepEqual(processesOf(folder), []);
    assert.deepEqual(
      readdirSync(folder).filter((name) => !isFleetRegistry(name)),
      [],
    );
    assert.deepEqual(
      readdirSync(folder).flatMap((name) => readdirSync(join(folder, name))),
      [],
    );
  };

  const by = rootOnly === undefined ? "for a user who is not root" : `for root (${rootOnly})`;
  it(`deploys, changes nothing the second time, upgrades under load, destroys, and tells so, ${by}`, async () => {
    const as = process.getuid?.() === 0 && rootOnly === undefined ? become : [];
    const { exitCode, stdout, stderr } = await (await play([], { HOME: folder }, as)).ended;
    assert.equal(exitCode, 0, stdout + stderr);
    assert.match(stdout, /^3 FE and 3 BE, each on a host of its own: SSH servers on this machine's loopback, at 127\./);
    assert.deepEqual(stdout.match(/(?<=━━ ).*(?= ━━)/g), [
      "up: 3.5.7 on hosts that have nothing",
      "up again: nothing to do",
      "preview of 3.5.8: the whole plan, nothing is done",
      "up: 3.5.7 → 3.5.8 while a client reads and writes",
      "destroy: every process stops, all data stays",
      "what happened",
    ]);
    const [, table = ""] = stdout.split("━━ what happened ━━");
    const rows = table.split("\n").map((line) =>
      line
        .trim()
        .replace(/ {2,}/g, " | ")
        .replace(/[\d.]+(?= s$)/, "n"),
    );
    for (const row of [
      "up | 3 FE and 3 BE run 3.5.7, each proven | n s",
      "up again | changed nothing | n s",
      "preview | the plan from 3.5.7 to 3.5.8 | n s",
      "up | 3.5.7 → 3.5.8, node by node | n s",
      "destroy | every process stopped, all data stays | n s",
      "of these lost | 0",
      "Promised: one node down at a time, no acknowledged write lost. A statement may fail when the node that it runs on is stopped.",
      "Everything was as promised.",
    ]) {
      assert.ok(rows.includes(row), `${row}\n${table}`);
    }
    const { readsOk, seconds, writesAcknowledged, ...figures } = figuresOf(stdout);
    assert.ok(writesAcknowledged > 0 && readsOk > 0, stdout);
    assert.ok(rows.some((row) => row.startsWith(`writes acknowledged | ${writesAcknowledged} | `)));
    assert.deepEqual(
      seconds.map(([name]) => name),
      ["up", "up again", "preview", "up", "destroy"],
    );
    assert.deepEqual(
      { ...figures },
      {
        ...figures,
        ...{ quickstart: true, ok: true, frontends: 3, backends: 3, real: [] },
        ...{ mostNodesDown: 1, writesLost: 0, broken: [] },
      },
    );
    assertNothingLeft();
  });

  it("makes do with one address, and keeps the cluster, with commands to play with it, until Ctrl-C", async () => {
    const running = await play(["--keep"], { QUICKSTART_ONE_ADDRESS: "1" });
    await running.saw(/mysql -h .*\n/, 280_000);
    assert.match(running.output(), /^1 FE and 3 BE, .*at 127\.0\.0\.1\.\nThere is one address only, .* so it is 1 FE/);
    const [, commands = ""] = running.output().split("In another terminal:");
    const [enter = "", preview = "", goBack = "", ...others] = commands
      .split("\n")
      .filter((line) => line.startsWith("  "));
    assert.deepEqual(
      others.map((line) => line.trim().split(" ").slice(0, 2).join(" ")),
      ["pulumi up", "pulumi destroy", "mysql -h"],
    );
    const inAnotherTerminal = (command: string) =>
      start(["bash", "-c", `${enter} && ${command}`], { cwd: "/", env: { PATH: process.env.PATH } }).ended;
    const same = await inAnotherTerminal(`${preview} --expect-no-changes`);
    assert.equal(same.exitCode, 0, same.stdout + same.stderr);
    const back = await inAnotherTerminal(goBack);
    assert.notEqual(back.exitCode, 0);
    assert.match(back.stdout, /Declare 3\.5\.8 or a newer version; or, if you mean it, `direction: "downgrade"`/);
    running.interrupt();
    const { exitCode, stdout } = await running.ended;
    assert.equal(exitCode, 0, stdout);
    const { ok, frontends, writesLost } = figuresOf(stdout);
    assert.deepEqual({ ok, frontends, writesLost }, { ok: true, frontends: 1, writesLost: 0 });
    assertNothingLeft();
  });

  for (const [moment, pattern] of [
    ["while the engine starts", /━━ up: /],
    ["while nodes are started", /BeNode quickstart-be-be\d created/],
  ] as const) {
    it(`leaves no process and no file when Ctrl-C comes ${moment}`, async () => {
      const running = await play();
      await running.saw(pattern, 240_000);
      assert.ok(processesOf(folder).length > 1);
      running.interrupt();
      const { exitCode } = await running.ended;
      assert.equal(exitCode, undefined, "it ends by the signal");
      assertNothingLeft();
    });
  }
});
