import assert from "node:assert/strict";
import type { Outcome } from "../engine/stack.js";
import { assertDone, assertFailed } from "../lab/failed.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { nodeCommand } from "../lab/node-processes.js";
import { stateOf, told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("a cluster whose nodes do not start, or are not its own", () => {
  let lab: Lab;
  let release: BuiltRelease;

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 2 });
    release = await lab.release("3.5.7");
  });
  after(() => lab?.close());

  const host = (name: string) => lab.fleet.host(name);
  const fault = (name: string, home: string, what: object) =>
    host(name).writeFile(`${home}/sim/fault.json`, JSON.stringify(what));
  const mend = (name: string, home: string) => host(name).exec(`rm ${host(name).path(`${home}/sim/fault.json`)}`);
  const up = (change: (args: PlainArgs) => void = () => undefined, ...more: readonly string[]): Promise<Outcome> => {
    const alone = (args: PlainArgs): void => {
      // Else one BE that does not start keeps the other from being tried.
      args.backends.rollout = { ...args.backends.rollout, canary: false };
      change(args);
    };
    lab.declare(lab.args(release, alone));
    return lab.stack.start("up", ["--skip-preview", "--continue-on-error", ...more]).ended;
  };
  /** Takes over what is in the folders of be2. */
  const adopt = ({ backends }: PlainArgs): void => {
    Object.assign(backends.nodes[1] ?? {}, { adopt: true });
  };
  const limit =
    (limits: object) =>
    (args: PlainArgs): void => {
      adopt(args);
      Object.assign(args.limits as object, limits);
    };
  const running = async (): Promise<readonly string[]> => {
    const lists = await Promise.all(
      lab.fleet.hosts.map(async (one) => ((await one.processes()).length > 0 ? [one.name] : [])),
    );
    return lists.flat();
  };
  /** The recorded `sql` of each node and member. */
  const recordedLogins = async (): Promise<Readonly<Record<string, string>>> => {
    const { stdout } = await lab.stack.run("stack", "export", "--show-secrets");
    const { deployment } = JSON.parse(stdout) as Awaited<ReturnType<typeof lab.stack.export>>;
    return Object.fromEntries(
      (deployment.resources ?? [])
        .filter(({ type }) => /:(Be|Fe)(Node|Member)$/.test(type))
        .map(({ urn, outputs }) => [urn, JSON.stringify(outputs?.sql)]),
    );
  };
  const login = (password = rootPassword) => new Session({ frontends: [{ host: host("fe1").address }], password });

  it("shows the log of a BE whose script says 0 before it dies, and touches no folder that is not known to be its own", async () => {
    await fault("be1", "/opt/starrocks/be", { fault: "dieAtStart", message: "std::bad_alloc at exec_env.cpp:66" });
    await host("be2").writeFile("/disk1/starrocks/cluster_id", "4711-3");
    await host("be2").writeFile("/disk1/starrocks/data/0/1/2.dat", "precious");
    const outcome = await up();
    assertFailed(outcome, {
      "sr-be-be1":
        /^BE be1 \(\S+\) failed to prove \(step 6 of 6: first start with 3\.5\.7\)\.\nBE be1 on \S+ does not run: start script said 0, then the process died\. Last lines of its log \(\S+\/be\/log\):\n[\s\S]*std::bad_alloc at exec_env\.cpp:66\nIt does not run; no data was removed\. Mend the cause and run `pulumi up` again: it goes on from here\.$/,
      "sr-be-be2":
        /^BE be2 \(\S+\) failed to make folders \(step 1 of 6: first start with 3\.5\.7\)\.\n\S+\/disk1\/starrocks on \S+ holds data that is not known to be BE be2's: data without a marker, cluster id 4711, 2 entries \(cluster_id, data\)\. Nothing was changed\. Choose another folder, or set `adopt: true` on this node if the data is its own\.\n/,
    });
    assert.match(
      told(outcome, "info").sr ?? "",
      /^sr: stopped at BE be\d; no running node is touched any more\. It took \d+ s\.\n[\s\S]*\nJournal: \S+\.jsonl$/,
    );
    assert.deepEqual(await running(), []);
    const state = await stateOf(lab.stack);
    assert.equal(state["sr-preflight"], "there");
    assert.ok(!("sr-be-be1" in state) && !("sr-be-be2" in state));
    await mend("be1", "/opt/starrocks/be");
  });

  it("names the cluster whose marker is in a folder", async () => {
    const marker = { schema: 1, cluster: "other/prod/sr", node: "be9", kind: "be" };
    await host("be2").writeFile("/disk1/starrocks/.pulumi-starrocks.json", JSON.stringify(marker));
    assertFailed(await up(), {
      "sr-be-be2":
        /not known to be BE be2's: data of BE "be9" of cluster "other\/prod\/sr", cluster id 4711, 2 entries/,
    });
    assert.equal((await stateOf(lab.stack))["sr-be-be1"], "running");
    assert.deepEqual(await running(), ["be1"]);
  });

  it("stops an FE that does not become ready in time, and says what was last seen", async () => {
    await fault("fe1", "/opt/starrocks/fe", { fault: "hangAtStart" });
    assertFailed(await up(limit({ start: 5 })), {
      "sr-fe-fe1":
        /^FE fe1 \(\S+\) failed to prove \(step 6 of 6: first start with 3\.5\.7\)\.\nWaited 5 s for FE fe1 on \S+ to be ready with 3\.5\.7; last seen: its log says: .*StarRocks FE starting, version: 3\.5\.7-d2da301\. Its process runs; look at fe\.log\. Raise `limits\.start` if it is loading a large image\.\nLast lines of its log \(\S+\/fe\/log\):\n[\s\S]*StarRocks FE starting[\s\S]*\nIt was stopped again; no data was removed\. Mend/,
    });
    const { "sr-be-be1": be1, "sr-be-be2": be2, "sr-fe-fe1": fe1 } = await stateOf(lab.stack);
    assert.deepEqual([be1, be2, fe1], ["running", "running", undefined]);
    assert.deepEqual(await running(), ["be1", "be2"]);
    await mend("fe1", "/opt/starrocks/fe");
  });

  it("says that a BE that was taken over belongs to another cluster, as the FE sees it", async () => {
    const outcome = await up(adopt);
    assertFailed(outcome, {
      "sr-be-be2-member":
        /^BE be2 is refused by the cluster: SHOW BACKENDS says "Unmatched cluster id"\. Its storage folders belong to another cluster; nothing was changed in them\. Stop this BE, move what they hold elsewhere, and run `pulumi up --refresh`\.\nLast lines of its log \(\S+\/be\/log\):\n/,
    });
    assert.match(told(outcome, "info").sr ?? "", /^sr: stopped at BE be2; .*\n[\s\S]*\nJournal: \S+\.jsonl$/);
    const { "sr-fe-fe1-member": fe1, "sr-be-be1-member": be1, "sr-be-be2-member": be2 } = await stateOf(lab.stack);
    assert.deepEqual([fe1, be1, be2], ["member", "member", undefined]);
    assert.equal(await host("be2").readFile("/disk1/starrocks/cluster_id"), "4711-3");
    assert.equal(await host("be2").readFile("/disk1/starrocks/data/0/1/2.dat"), "precious");
  });

  it("joins that BE once its folders were emptied by hand", async () => {
    const be2 = host("be2");
    await be2.kill(nodeCommand, "SIGTERM");
    await be2.exec(`rm -rf ${be2.path("/disk1/starrocks")} ${be2.path("/disk2/starrocks")}`);
    assertDone(await up(adopt, "--refresh"));
    assert.deepEqual(await running(), ["fe1", "be1", "be2"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("does not record a root password that the cluster refuses", async () => {
    const outcome = await up((args) => {
      adopt(args);
      args.sql = { password: "wrong horse" };
    });
    const errors = told(outcome, "error");
    // All else comes after them.
    const texts = ["sr-be-be1", "sr-be-be2"].map((name) => errors[name] ?? "");
    const full =
      /^BE \S+: SQL login as root on \S+: Access denied for user 'root'@'\S+' \(using password: YES\)\. .*The earlier `sql` stays recorded\. The password of an existing cluster is not changed from here: SET PASSWORD in the cluster first, then declare it\.$/;
    assert.equal(texts.filter((text) => full.test(text)).length, 1, texts.join("\n"));
    assert.equal(
      texts.filter((text) => /^BE \S+: the declared login is refused\.$/.test(text)).length,
      1,
      texts.join("\n"),
    );
    assert.doesNotMatch(outcome.stdout, /wrong horse/);
    const logins = Object.entries(await recordedLogins());
    assert.deepEqual(
      logins.filter(([, sql]) => !sql.includes(rootPassword)),
      [],
    );
    assert.equal(logins.length, 6);
  });

  it("stops no node when the login is refused on the way to a change", async () => {
    const before = await Promise.all(lab.fleet.hosts.map((one) => one.processes()));
    const outcome = await up((args) => {
      adopt(args);
      args.sql = { password: "wrong horse" };
      Object.assign(args.backends.config ?? {}, { sys_log_level: "WARNING" });
    });
    const { "sr-be-be1": be1 = "", "sr-be-be2": be2 = "" } = told(outcome, "error");
    const [full, short] = be1.includes("\n") ? [be1, be2] : [be2, be1];
    assert.match(
      full,
      /^BE be\d was not touched: the pre-flight did not pass\.\nSQL login as root on \S+: Access denied .*\nNo running node was stopped\. Mend the cause and run `pulumi up` again\.$/,
    );
    assert.match(short, /^BE be\d was not touched: the pre-flight did not pass\.$/);
    assert.match(told(outcome, "info").sr ?? "", /^sr: stopped at the pre-flight; nothing after it is touched\./);
    assert.deepEqual(await Promise.all(lab.fleet.hosts.map((one) => one.processes())), before);
  });

  it("sets the password where it founded the cluster and was interrupted before, and nowhere else", async () => {
    const session = login();
    await session.query("SET PASSWORD = PASSWORD('')");
    session.close();
    const marker = "/opt/starrocks/fe/.pulumi-starrocks.json";
    const text = (await host("fe1").readFile(marker)) ?? "";
    assert.equal(JSON.parse(text).founded, true);
    const change = (args: PlainArgs): void => {
      adopt(args);
      Object.assign(args.backends.config ?? {}, { sys_log_level: "WARNING" });
    };
    await host("fe1").writeFile(marker, text.replace('"founded": true', '"founded": false'));
    const refused = await up(change);
    assert.match(refused.stdout, /Access denied for user 'root'@'\S+' \(using password: YES\)/);
    await host("fe1").writeFile(marker, text);
    assertDone(await up(change));
    await assert.rejects(login("").query("SHOW FRONTENDS"), /Access denied/);
    const again = login();
    assert.equal((await again.query("SHOW BACKENDS")).length, 2);
    again.close();
  });
});
