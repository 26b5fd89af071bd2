import assert from "node:assert/strict";
import { until } from "../../provider/wait.js";
import { tellFailure } from "../lab/failure.js";
import { itemsOf } from "../lab/journal.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { NodeProcesses, nodeCommand, restarted } from "../lab/node-processes.js";
import { told } from "../lab/told.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("a rehearsal whose cluster cannot be asked, or whose operation ends by force", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  const declare = (release: BuiltRelease, change: (args: PlainArgs) => void = () => undefined): void =>
    lab.declare(lab.args(release, change));

  const rehearsing = async (): Promise<readonly string[]> =>
    (await lab.fleet.host("fe1").processes())
      .map(({ command }) => command)
      .filter((command) => /java .*rehearsal-/.test(command));

  const copies = async (): Promise<string> => {
    const host = lab.fleet.host("fe1");
    return (await host.exec(`ls -d '${host.path("/opt/starrocks")}'/rehearsal-* 2>/dev/null; true`)).stdout;
  };

  const untilRehearses = (wanted: boolean): Promise<void> =>
    until<void>(
      async () => {
        const found = await rehearsing();
        return found.length > 0 === wanted && (wanted || (await copies()) === "")
          ? { done: true, value: undefined }
          : { done: false, seen: found.join("; ") || (await copies()) };
      },
      { what: wanted ? "the FE of the rehearsal" : "nothing to be left of the rehearsal", limit: 60_000, every: 100 },
    );

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 1 });
    processes = new NodeProcesses(lab.fleet);
    declare(await lab.release("3.4.10"));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("stops the operation where the login is refused", async () => {
    declare(await lab.release("3.5.7"), (args) => {
      args.sql = { ...args.sql, password: "wrong" };
    });
    const before = processes.byHost();
    const outcome = await lab.stack.up([], { expectFailure: true });
    assert.match(
      told(outcome, "error")["sr-rehearsal"] ?? "",
      /The rehearsal of StarRocks 3\.5\.7 on \S+ failed[^\n]*\n.*Access denied[\s\S]*No node of the cluster was touched/,
    );
    assert.deepEqual(restarted(before, processes.byHost()), []);
  });

  const ends: readonly { readonly what: string; readonly end: (up: ReturnType<Lab["stack"]["start"]>) => unknown }[] = [
    { what: "an engine that is killed", end: (up) => lab.stack.crash(up) },
    {
      what: "a provider that is told to end",
      end: () => {
        const provider = lab.stack.processes().find(({ command }) => /dynamic-provider/.test(command));
        assert.ok(provider);
        process.kill(provider.pid, "SIGTERM");
      },
    },
  ];
  for (const { what, end } of ends) {
    it(`leaves nothing of it with ${what}`, async () => {
      declare(await lab.release("3.5.7", { fe: { faults: [{ fault: "hangAtStart" }] } }));
      const before = processes.byHost();
      const up = lab.stack.start("up", ["--skip-preview"]);
      await untilRehearses(true);
      await end(up);
      assert.notEqual((await up.ended).exitCode, 0);
      await untilRehearses(false);
      assert.deepEqual(restarted(before, processes.byHost()), []);
      await lab.stack.cancel();
    });
  }

  it("ends by itself where the machine of its operator is lost, and its copy goes with its host", async () => {
    const old = await lab.release("3.4.10");
    declare(await lab.release("3.5.7", { fe: { faults: [{ fault: "hangAtStart" }] } }), (args) => {
      args.rehearsal = { limit: 5 };
      args.limits = { ...(args.limits as object), start: 15, leader: 1, stop: 1, sql: 1, command: 10 };
    });
    const up = lab.stack.start("up", ["--skip-preview"]);
    await untilRehearses(true);
    for (const { command, pid } of lab.stack.processes()) {
      if (/dynamic-provider/.test(command)) {
        process.kill(pid, "SIGKILL");
      }
    }
    await lab.stack.crash(up);
    await up.ended;
    await lab.stack.cancel();
    const began = performance.now();
    await until<void>(
      async () => {
        const found = await rehearsing();
        return found.length === 0 ? { done: true, value: undefined } : { done: false, seen: found.join("; ") };
      },
      { what: "its FE to end by itself", limit: 90_000 },
    );
    assert.ok(performance.now() - began > 10_000, "not before whoever might look at it had given up");
    assert.match(await copies(), /rehearsal-3\.5\.7-/);
    declare(old, (args) => {
      args.rehearsal = { host: args.backends.nodes[0]?.host };
    });
    await lab.stack.up();
    assert.equal(await copies(), "");
  });

  it("is left alone by another operator's, who waits for the lease", async () => {
    const second = await lab.secondStack(lab.args(await lab.release("3.4.10")));
    await second.up();
    const args = lab.args(await lab.release("3.5.8"), ({ limits }) => {
      Object.assign(limits as object, { lease: 1 });
    });
    second.write({ "cluster.json": JSON.stringify({ name: "sr", args }) });
    declare(await lab.release("3.5.7", { fe: { faults: [{ fault: "hangAtStart" }] } }));
    const alone = ["--skip-preview", "--target", "**::sr-rehearsal"];
    const first = lab.stack.start("up", alone);
    try {
      await untilRehearses(true);
      const [process] = await rehearsing();
      const { stdout } = await second.up(alone, { expectFailure: true });
      assert.match(
        stdout,
        /The rehearsal of StarRocks 3\.5\.8 on \S+ failed[^\n]*\n.*Waited 1 s for the right to change this cluster.*stack lab of lab.* is changing this cluster[\s\S]*Nothing was started or copied/,
      );
      assert.deepEqual(await rehearsing(), [process]);
    } finally {
      await lab.stack.crash(first);
      await first.ended;
      await second.close();
      await lab.stack.cancel();
    }
    await untilRehearses(false);
  });

  it("starts the FEs that are down as they were, and is done then", async () => {
    declare(await lab.release("3.5.7"));
    await lab.fleet.host("fe1").kill(nodeCommand);
    const outcome = await lab.stack.up();
    assert.match(told(outcome, "info")["sr-rehearsal"] ?? "", /rehearsal of StarRocks 3\.5\.7 on \S+ passed/);
    const items = itemsOf(lab.journal());
    const rehearsal = items.find(({ id }) => id === "rehearsal");
    assert.ok(rehearsal?.steps.every(({ mark }) => mark === "done"));
    assert.ok(items.some(({ id, steps }) => id === "FE fe1, found down" && steps.at(-1)?.mark === "done"));
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("does not start metadata on a version that was never tried on it, where the whole cluster is created anew", async () => {
    await lab.stack.destroy();
    declare(await lab.release("4.0.1"));
    const outcome = await lab.stack.up([], { expectFailure: true });
    assert.match(
      told(outcome, "error")["sr-rehearsal"] ?? "",
      /FE fe1 \(\S+\) holds metadata of StarRocks 3\.5\.7.* and none of its group runs: 4\.0\.1 cannot be rehearsed on it.*Declare 3\.5\.7 first/s,
    );
    assert.deepEqual(processes.look(), []);
    const alone = await lab.stack.up(["--target", "**::sr-rehearsal"], { expectFailure: true });
    assert.match(alone.stdout, /No FE of the cluster runs, though there is a cluster/);
    declare(await lab.release("3.5.7"));
    await lab.stack.up();
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
