import assert from "node:assert/strict";
import { until } from "../../provider/wait.js";
import { realHosts } from "../fleet/possible.js";
import { assertDone } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import { itemsOf } from "../lab/journal.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { NodeProcesses, restarted } from "../lab/node-processes.js";
import { itemsSince } from "../lab/step-watch.js";
import { previewThenUp } from "../lab/story.js";
import { recordedVersions, told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";

describe("a minor version change of a group that another FE than the declared one leads", () => {
  let lab: Lab;
  const login = () => ({
    frontends: ["fe1", "fe2", "fe3"].map((name) => ({ host: lab.fleet.host(name).address })),
    password: rootPassword,
  });
  /** The start script writes these options into fe.out, where an FE that ran out of memory says so. */
  const options = '"-Xmx1g -XX:+UseG1GC -XX:+HeapDumpOnOutOfMemoryError -XX:+ExitOnOutOfMemoryError"';
  const common = ({ frontends }: PlainArgs): void => {
    frontends.config = { ...frontends.config, JAVA_OPTS: options };
  };
  const unrehearsed = (args: PlainArgs): void => {
    common(args);
    args.rehearsal = false;
  };

  /** Through whichever FE answers: the next call asks another one after a failure. */
  let session: Session;
  const rows = async () => {
    const seen = await session.query("SHOW FRONTENDS");
    return seen.map((row) => ({
      host: lab.fleet.hosts.find(({ address }) => address === row.IP)?.name ?? "",
      name: String(row.Name),
      port: String(row.EditLogPort),
      address: String(row.IP),
      leads: row.Role === "LEADER",
      version: String(row.Version).split("-")[0],
    }));
  };

  /** By the tool that an operator has for it, on the leader's host. */
  const moveLeadership = async (to: string): Promise<void> => {
    const seen = await rows();
    const leader = seen.find(({ leads }) => leads);
    const target = seen.find(({ host }) => host === to);
    assert.ok(leader && target);
    const host = lab.fleet.host(leader.host);
    const home = host.path("/opt/starrocks/fe");
    const { stdout } = await host.exec(
      `'${lab.jdk}/bin/java' -jar '${home}'/lib/starrocks-bdb-je-*.jar DbGroupAdmin -helperHosts ${leader.address}:${leader.port} ` +
        `-groupName PALO_JOURNAL_GROUP -transferMaster -force '${target.name}' '20 s' 2>&1`,
    );
    assert.match(stdout, /The new master is: /);
  };
  const leads = (who: string): Promise<void> =>
    until(
      async () => {
        const seen = await rows().catch(() => []);
        const leader = seen.find((one) => one.leads);
        return leader?.host === who
          ? { done: true, value: undefined }
          : { done: false, seen: leader?.host ?? "nobody" };
      },
      { what: `${who} to lead`, limit: 30_000 },
    );

  const versions = (): Promise<readonly (string | undefined)[]> =>
    until(
      async () => {
        const seen = await rows().catch(() => []);
        return seen.length > 0
          ? { done: true, value: seen.map(({ version }) => version) }
          : { done: false, seen: "no FE answers" };
      },
      { what: "an FE to answer", limit: 30_000 },
    );

  /**
   * Old FEs that read what a new one wrote, but for the declared leader in its own stop: a graceful one gives the
   * leadership to a new FE, and the process follows it until it ends.
   */
  const crimes = async (): Promise<readonly string[]> => {
    const fe1 = itemsOf(lab.journal()).find(({ id }) => id === "FE fe1");
    const time = (verb: string): number => fe1?.steps.find((step) => step.verb === verb)?.time ?? 0;
    const texts = await Promise.all(
      lab.fleet.hosts.map(async (host) => {
        const text = await host.readFile(`/opt/starrocks/${host.name.slice(0, 2)}/log/sim-crimes.log`);
        return (text ?? "").split("\n").filter((line) => {
          const at = line === "" ? 0 : Date.parse(JSON.parse(line).at);
          return line !== "" && !(host.name === "fe1" && at > time("turn") && at < time("stop"));
        });
      }),
    );
    return texts.flat();
  };

  before(async () => {
    lab = await Lab.create({ kind: realHosts(), backends: 1 });
    lab.declare(lab.args(await lab.release("3.4.10"), unrehearsed));
    await lab.stack.up();
    session = new Session(login());
  });
  afterEach(tellFailure(() => lab));
  after(async () => {
    session?.close();
    await lab?.close();
  });

  it("hands leadership to the declared leader first: no FE of the old version reads metadata of the new one", async () => {
    await moveLeadership("fe3");
    await leads("fe3");
    // The process that led has ended by itself, and nobody starts it again but the next operation.
    lab.declare(lab.args(await lab.release("3.5.7"), unrehearsed));
    await previewThenUp(lab);
    assert.deepEqual(await crimes(), []);
    const items = itemsOf(lab.journal());
    const handed = items.flatMap(({ id, steps }) =>
      steps.filter(({ verb, mark }) => verb === "handover" && mark === "done").map(({ detail }) => `${id}: ${detail}`),
    );
    assert.deepEqual(
      handed.map((text) => text.replace(/ after .*/, "")),
      [`FE fe3: ${lab.fleet.host("fe1").address} leads`],
    );
    assert.deepEqual(await versions(), ["3.5.7", "3.5.7", "3.5.7"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("goes down again where that is declared: the FEs first, then the BE", async () => {
    lab.declare(
      lab.args(await lab.release("3.4.10"), (args) => {
        common(args);
        // As the hazard table asks: what the FEs of the newer version have written is passed over, with a warning in their log.
        args.frontends.config = { ...args.frontends.config, ignore_unknown_log_id: "true" };
        args.direction = "downgrade";
      }),
    );
    const { restarted } = await previewThenUp(lab, "downgrade");
    const rehearsed = itemsOf(lab.journal()).find(({ id }) => id === "rehearsal");
    assert.ok(rehearsed?.steps.some(({ verb, mark }) => verb === "verdict" && mark === "done"));
    const { stdout: warned } = await lab.fleet
      .host("fe2")
      .exec(`grep -c 'WARN .*UNKNOWN Operation Type' '${lab.fleet.host("fe2").path("/opt/starrocks")}/fe/log/fe.log'`);
    assert.notEqual(Number(warned), 0);
    assert.deepEqual(restarted, ["be1", "fe1", "fe2", "fe3"]);
    const stops = itemsOf(lab.journal())
      .flatMap(({ id, steps }) =>
        steps.filter(({ verb, mark }) => verb === "stop" && mark === "done").map(({ time }) => ({ id, time })),
      )
      .sort((one, other) => one.time - other.time)
      .map(({ id }) => id);
    assert.equal(stops.at(-1), "BE be1");
    assert.equal(stops.at(-2), "FE fe1");
    assert.deepEqual(await versions(), ["3.4.10", "3.4.10", "3.4.10"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("brings the FE that has handed leadership over to its end, though Ctrl-C comes before its stop", async () => {
    if (!(await rows()).some(({ host, leads }) => leads && host === "fe3")) {
      await moveLeadership("fe3");
    }
    await leads("fe3");
    lab.declare(lab.args(await lab.release("3.5.7"), unrehearsed));
    const known = lab.journals().length;
    const up = lab.stack.start("up", ["--skip-preview"]);
    const marked = async (id: string, verb: string) =>
      until<void>(
        async () => {
          const steps = itemsSince(lab, known).find((item) => item.id === id)?.steps ?? [];
          return steps.some((step) => step.verb === verb && step.mark === "done")
            ? { done: true, value: undefined }
            : { done: false, seen: up.output() };
        },
        { what: `${id} to ${verb}`, limit: 120_000, every: 5 },
      );
    await marked("BE be1", "prove");
    // The stop asks the next leader first: time for a Ctrl-C.
    const next = lab.fleet.host("fe1");
    await next.writeFile("/opt/starrocks/fe/sim/fault.json", JSON.stringify({ fault: "slowSql", ms: 1000 }));
    await marked("FE fe3", "handover");
    up.interrupt();
    const outcome = await up.ended;
    await next.exec(`rm ${next.path("/opt/starrocks/fe/sim/fault.json")}`);
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.equal(new NodeProcesses(lab.fleet).look().length, 4, "every node runs");
    const fe3 = itemsSince(lab, known).find(({ id }) => id === "FE fe3");
    assert.deepEqual(
      fe3?.steps.filter(({ verb }) => ["stop", "prove"].includes(verb)).map(({ mark }) => mark),
      ["skipped", "done"],
    );
    assert.equal((await recordedVersions(lab.stack)).fe3, "3.5.7");
    assertDone(await lab.stack.up());
    assert.deepEqual(await versions(), ["3.5.7", "3.5.7", "3.5.7"]);
  });

  it("stops the FE that leads where the tool refuses, waits for the election, and tells who leads after how long", async () => {
    if (!(await rows()).some(({ host, leads }) => leads && host === "fe3")) {
      await moveLeadership("fe3");
    }
    await leads("fe3");
    const fe3 = lab.fleet.host("fe3");
    const refuses = 'console.error("usage: java { DbGroupAdmin }"); process.exitCode = 255;';
    await fe3.exec(
      `jar=$(readlink -f ${fe3.path("/opt/starrocks/fe/lib")}/starrocks-bdb-je-*.jar) && ` +
        `chmod u+w "\${jar%/*}" "$jar" && echo '${refuses}' >"$jar"`,
    );
    lab.declare(lab.args(await lab.release("3.5.8"), unrehearsed));
    // With Ctrl-C between the refusal and the stop, which asks the leader first: nothing was done to it yet.
    const running = new NodeProcesses(lab.fleet).byHost().fe3;
    const known = lab.journals().length;
    const canceled = lab.stack.start("up", ["--skip-preview"]);
    await until<void>(
      async () => {
        const items = itemsSince(lab, known);
        const steps = items.find((item) => item.id === "FE fe3")?.steps ?? [];
        if (items.some(({ id, steps: of }) => id === "BE be1" && of.some(({ verb }) => verb === "prove"))) {
          await fe3.writeFile("/opt/starrocks/fe/sim/fault.json", JSON.stringify({ fault: "slowSql", ms: 1000 }));
        }
        return steps.some(({ verb, mark }) => verb === "handover" && mark === "not met")
          ? { done: true, value: undefined }
          : { done: false, seen: canceled.output() };
      },
      { what: "the hand-over to be refused", limit: 120_000, every: 5 },
    );
    canceled.interrupt();
    const { exitCode, stdout } = await canceled.ended;
    await fe3.exec(`rm ${fe3.path("/opt/starrocks/fe/sim/fault.json")}`);
    assert.equal(exitCode, 1, stdout);
    assert.equal(new NodeProcesses(lab.fleet).byHost().fe3, running, "it was not restarted");
    assert.match(stdout, /FE fe3 was not touched/);
    const { up } = await previewThenUp(lab);
    assertDone(up);
    const steps = itemsOf(lab.journal()).find(({ id }) => id === "FE fe3")?.steps ?? [];
    const told = (verb: string) =>
      steps.filter((step) => step.verb === verb).map(({ mark, detail }) => `${mark}: ${detail}`);
    assert.deepEqual(told("handover"), ["not met: refused: usage: java { DbGroupAdmin }; the stop elects another one"]);
    const [stopped = ""] = told("stop");
    const [, elected, seconds] = /^done: .*; (\S+) leads after ([\d.]+) s without a leader$/.exec(stopped) ?? [];
    assert.ok(
      ["fe1", "fe2"].some((name) => lab.fleet.host(name).address === elected),
      stopped,
    );
    assert.ok(Number(seconds) < 30, stopped);
    assert.deepEqual(await versions(), ["3.5.8", "3.5.8", "3.5.8"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("takes the one FE back whose older build is bad on the way down, and touches nothing else", async () => {
    const bad = { fe: { faults: [{ fault: "dieAtStart", message: "class not found" }] } } as const;
    lab.declare(
      lab.args(await lab.release("3.5.7", bad), (args) => {
        unrehearsed(args);
        args.direction = "downgrade";
      }),
    );
    const processes = new NodeProcesses(lab.fleet);
    const before = processes.byHost();
    const outcome = await lab.stack.start("up", ["--skip-preview"]).ended;
    const touched = restarted(before, processes.byHost());
    assert.equal(outcome.exitCode, 1, outcome.stdout);
    assert.equal(touched.length, 1, touched.join());
    assert.match(touched[0] ?? "", /^fe[23]$/);
    assert.match(
      told(outcome, "error")[`sr-fe-${touched[0]}`] ?? "",
      /class not found[\s\S]*\nFE fe[23] was taken back to 3\.5\.8 and is proven there\./,
    );
    assert.deepEqual(await versions(), ["3.5.8", "3.5.8", "3.5.8"]);
    lab.declare(lab.args(await lab.release("3.5.8"), unrehearsed));
    assert.deepEqual((await previewThenUp(lab)).restarted, []);
  });

  it("is destroyed", async () => {
    await lab.stack.destroy();
    for (const host of lab.fleet.hosts) {
      assert.deepEqual(await host.processes(), [], `processes of ${host.name}`);
    }
  });
});
