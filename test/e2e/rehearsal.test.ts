import assert from "node:assert/strict";
import { until } from "../../provider/wait.js";
import { realHosts } from "../fleet/possible.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { previewPlan, previewThenUp } from "../lab/story.js";
import { told } from "../lab/told.js";
import type { Fault } from "../simulator/fe/settings/faults.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("the rehearsal of a new FE on a copy of the metadata", () => {
  let lab: Lab;
  let processes: NodeProcesses;
  const declare = (release: BuiltRelease, change: (args: PlainArgs) => void = () => undefined): void =>
    lab.declare(lab.args(release, change));

  /** What the simulated nodes saw that no isolated copy may do. */
  const crimes = async (): Promise<string> => {
    const logs = await Promise.all(
      lab.fleet.hosts.map(async (host) => {
        const { stdout } = await host.exec(
          `cat '${host.path("/opt/starrocks")}'/{fe,be}/log/sim-crimes.log 2>/dev/null`,
        );
        return stdout;
      }),
    );
    const crimesOfCopies = /a copy of a member talked to its group|FE of another cluster|another cluster's FE/;
    return logs
      .join("")
      .split("\n")
      .filter((line) => crimesOfCopies.test(line))
      .join("\n");
  };

  /** Folders of rehearsals on the host where they are done. */
  const copies = async (): Promise<readonly string[]> => {
    const host = lab.fleet.host("fe2");
    const { stdout } = await host.exec(`ls -d '${host.path("/opt/starrocks")}'/rehearsal-* 2>/dev/null; true`);
    return stdout.trim().split("\n").filter(Boolean);
  };

  const rehearsing = async (): Promise<readonly string[]> =>
    (await lab.fleet.host("fe2").processes())
      .map(({ command }) => command)
      .filter((command) => /rehearsal-/.test(command));

  /** Runs a change that the rehearsal must stop; gives what people read. */
  const stopped = async (): Promise<string> => {
    const before = processes.byHost();
    const outcome = await lab.stack.up([], { expectFailure: true });
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.deepEqual(restarted(before, processes.byHost()), [], "no node was touched");
    const errors = told(outcome, "error");
    assert.deepEqual(Object.keys(errors).filter(Boolean), ["sr-rehearsal"], outcome.stdout);
    assert.match(told(outcome, "info").sr ?? "", /sr: stopped at the rehearsal; nothing after it is touched\./);
    assert.deepEqual(await rehearsing(), [], "nothing of it runs any more");
    assert.equal(await crimes(), "");
    return errors["sr-rehearsal"] ?? "";
  };

  before(async () => {
    lab = await Lab.create({ kind: realHosts(), backends: 1 });
    processes = new NodeProcesses(lab.fleet);
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("is not planned where no cluster runs yet", async () => {
    declare(await lab.release("3.4.10"));
    const { plan } = await previewThenUp(lab);
    assert.doesNotMatch(plan ?? "", /rehearsal/);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("is not done for a patch", async () => {
    declare(await lab.release("3.4.10"));
    const { plan } = await previewThenUp(lab);
    assert.doesNotMatch(plan ?? "", /rehearsal/);
  });

  const bad: readonly { readonly fault: Fault; readonly line: RegExp }[] = [
    { fault: { fault: "dieOnReplay" }, line: /catch exception when replaying/ },
    { fault: { fault: "dieAtStart", message: "no such class" }, line: /no such class/ },
    { fault: { fault: "corruptMeta" }, line: /LOG_CHECKSUM/ },
  ];
  for (const { fault, line } of bad) {
    it(`stops a minor jump to a build that does ${fault.fault}, with nothing touched`, async () => {
      declare(await lab.release("3.5.7", { fe: { faults: [fault] } }));
      const error = await stopped();
      assert.match(error, /The rehearsal of StarRocks 3\.5\.7 on [\d.]+ failed \(judge\)\./);
      assert.match(error, line);
      assert.match(
        error,
        /No node of the cluster was touched\. Its process was stopped\. Copy and logs are kept in \S+:\S+\/rehearsal-3\.5\.7-/,
      );
      assert.equal((await copies()).length, 1, "the copy of the last failure is kept, and no other");
    });
  }

  it("stops at its limit where the FE never becomes ready and never ends", async () => {
    declare(await lab.release("3.5.7", { fe: { faults: [{ fault: "hangAtStart" }] } }), (args) => {
      args.rehearsal = { limit: 5 };
    });
    assert.match(await stopped(), /for the FE of 3\.5\.7 to start on the copy.*`rehearsal\.limit`/);
  });

  it("is refused where the host cannot isolate a process", async () => {
    const refuses = "#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n";
    const remove = await lab.fleet.host("fe2").addProgram("unshare", refuses);
    declare(await lab.release("3.5.7"));
    const error = await stopped().finally(remove);
    assert.match(error, /cannot cut a process off from its networks/);
    assert.match(error, /Operation not permitted/);
  });

  it("is refused where what should isolate does not", async () => {
    const pretends = '#!/usr/bin/env bash\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n';
    const remove = await lab.fleet.host("fe2").addProgram("unshare", pretends);
    assert.match(await stopped().finally(remove), /it has (a route by|an address on) /);
  });

  it("passes with a good build, alone, and leaves only what it was told to keep", async () => {
    declare(await lab.release("3.5.7"), (args) => {
      args.rehearsal = { keep: true };
    });
    const before = processes.byHost();
    // 6090, which no argument names, moved as the rehearsal would move it first.
    const listens = "require('net').createServer().on('error', () => process.exit()).listen(16090, '127.0.0.1')";
    await lab.fleet.host("fe2").exec(`'${process.execPath}' -e "${listens}" </dev/null >/dev/null 2>&1 &`);
    const outcome = await lab.stack
      .up(["--target", "**::sr-rehearsal"])
      .finally(() => lab.fleet.host("fe2").kill("listen(16090"));
    assert.deepEqual(restarted(before, processes.byHost()), []);
    assert.match(
      told(outcome, "info")["sr-rehearsal"] ?? "",
      /rehearsal of StarRocks 3\.5\.7 on [\d.]+ passed: ready after .* s, journal replayed to \d+, \d+ databases with \d+ tables, image\.\d+ written/,
    );
    assert.deepEqual(await rehearsing(), []);
    assert.equal(await crimes(), "", "the copy talked to nobody");
    const [copy, ...others] = await copies();
    assert.deepEqual(others, []);
    const conf = await lab.fleet.host("fe2").exec(`grep cloud_native_meta_port '${copy}/conf/fe.conf'`);
    assert.match(conf.stdout, /^cloud_native_meta_port\s*=\s*1[7-9]090$|^cloud_native_meta_port\s*=\s*20090$/m);
  });

  it("would have met its cluster without isolation", async () => {
    const [copy] = await copies();
    const fe2 = lab.fleet.host("fe2");
    const { user } = lab.fleet;
    await fe2.exec(`JAVA_HOME='${lab.jdk}' bash '${copy}/bin/start_fe.sh' --daemon </dev/null >/dev/null 2>&1`, {
      user,
    });
    await until(
      async () => {
        const seen = await crimes();
        return seen.includes("heartbeat of another cluster's FE")
          ? { done: true, value: undefined }
          : { done: false, seen };
      },
      { what: "the copy to call the BE", limit: 30_000 },
    );
    await fe2.kill(/rehearsal-/);
    await Promise.all(
      lab.fleet.hosts.map((host) => host.exec(`rm -f '${host.path("/opt/starrocks")}'/*/log/sim-crimes.log`)),
    );
  });

  it("is done again where a jump that it had passed was given up: the FEs still run the line that was to be left", async () => {
    // Another build of 3.5.7 than the one that was rehearsed last, as a patch of it would be.
    declare(await lab.release("3.5.7", { be: { faults: [{ fault: "dieAtStart", message: "no such class" }] } }));
    const conditional = /rehearsal, 3\.5\.\d+ on \S+: \[prove the isolation\] → \[copy the leader's metadata\]\s+→ /;
    assert.match((await previewPlan(lab)).plan ?? "", conditional);
    const failed = await lab.stack.up([], { expectFailure: true });
    assert.match(told(failed, "info")["sr-rehearsal"] ?? "", /rehearsal of StarRocks 3\.5\.7 on [\d.]+ passed/);
    assert.deepEqual(Object.keys(told(failed, "error")).filter(Boolean), ["sr-be-be1"], failed.stdout);

    declare(await lab.release("3.5.8"));
    assert.match((await previewPlan(lab)).plan ?? "", conditional);
    const { stdout } = await lab.stack.preview(["--diff"]);
    assert.doesNotMatch(stdout, /against/, "what is recorded beside the inputs is no difference");
    const outcome = await lab.stack.up(["--target", "**::sr-rehearsal"]);
    assert.match(told(outcome, "info")["sr-rehearsal"] ?? "", /rehearsal of StarRocks 3\.5\.8 on [\d.]+ passed/);
  });

  it("comes before every node of the whole change", async () => {
    declare(await lab.release("3.5.9"), (args) => {
      args.rehearsal = true;
    });
    const { plan, restarted: touched } = await previewThenUp(lab);
    assert.match(plan ?? "", /rehearsal, 3\.5\.9 on \S+: prove the isolation → copy the leader's metadata\s+→ /);
    assert.deepEqual(touched, ["be1", "fe1", "fe2", "fe3"]);
    assert.deepEqual(await copies(), [], "its copy, and those kept before, are gone");
    assert.deepEqual(await crimes(), "");
  });

  it("takes a second copy where the first was torn", async () => {
    declare(await lab.release("4.0.1", { fe: { faults: [{ fault: "tornLog" }] } }));
    const outcome = await lab.stack.up(["--target", "**::sr-rehearsal"]);
    assert.match(
      told(outcome, "info")["sr-rehearsal"] ?? "",
      /rehearsal of StarRocks 4\.0\.1 on [\d.]+ passed: on a second copy, as the first was torn, ready after/,
    );
    assert.deepEqual(await copies(), []);
    assert.equal(await crimes(), "");
  });
});
