import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import { eventually, type FrontendProcess, Lab } from "./lab.js";

const damageJournal = (fe: FrontendProcess): void => {
  const file = fe.file("meta/bdb/00000000.jdb");
  fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("members", "mEmbers"));
};

describe("simulator: one frontend", function () {
  this.timeout(60_000);
  const lab = new Lab();

  after(() => lab.close());

  it("founds a cluster, opens its ports in order and says so", async () => {
    const fe = await lab.found();
    const [row] = await fe.sql("SHOW FRONTENDS");
    assert.equal(row?.Role, "LEADER");
    assert.equal(row?.Join, "true");
    assert.equal(row?.StartTime, "NULL", "no heartbeat yet");
    assert.match(fe.read("meta/image/VERSION"), /clusterId=\d+\n.*token=/s);
    assert.match(fe.read("meta/image/ROLE"), new RegExp(`role=FOLLOWER\nname=${fe.address}_9010_\\d+\nhostType=IP`));
    assert.equal(fe.read("bin/fe.pid"), String(fe.child?.pid));
    const lines = [
      "can write now",
      "thrift server started",
      "mysql server success",
      "FE started successfully",
      "HttpServer started",
    ];
    const places = lines.map((line) => fe.log.indexOf(line));
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    assert.ok(!places.includes(-1));
  });

  it("answers bootstrap in full to who knows the token only", async () => {
    const fe = await lab.found();
    const plain = await fe.get(8030, "/api/bootstrap");
    assert.equal(
      plain.body,
      '{"replayedJournalId":0,"queryPort":0,"rpcPort":0,"feStartTime":0,"heapUsedPercent":0.0,"status":"OK","code":"0","msg":"Success","message":"OK"}',
    );
    const token = /token=(.*)/.exec(fe.read("meta/image/VERSION"))?.[1];
    const full = JSON.parse((await fe.get(8030, `/api/bootstrap?token=${token}`)).body);
    assert.equal(full.feVersion, "3.5.7-d2da301");
    assert.equal(full.queryPort, 9030);
    assert.equal(JSON.parse((await fe.get(8030, "/api/bootstrap?token=x")).body).msg, "invalid parameter");
    assert.equal((await fe.get(8030, "/api/show_proc?path=/frontends")).status, 401);
    const basic = `Basic ${Buffer.from("root:").toString("base64")}`;
    const shown = await fe.get(8030, "/api/show_proc?path=/frontends", { authorization: basic });
    assert.equal(JSON.parse(shown.body)[0].IP, fe.address);
    assert.equal((await fe.get(8030, "/role?host=x&port=1")).body, "invalid client host.");
  });

  it("takes a new password, and refuses the old one", async () => {
    const fe = await lab.found();
    await fe.sql("SET PASSWORD FOR 'root'@'%' = PASSWORD('it\\'s')");
    await assert.rejects(fe.sql("SELECT 1"), { errno: 1045, sqlState: "28000" });
    await assert.rejects(
      fe.sql("SELECT 1", { password: "wrong" }),
      /Access denied for user 'root'@.*using password: YES/,
    );
    await fe.sql("ALTER USER root IDENTIFIED BY 'second'", { password: "it's" });
    await fe.sql("SET PASSWORD = PASSWORD('third')", { password: "second" });
    await fe.stop();
    fe.start();
    await fe.ready();
    assert.deepEqual(await fe.sql("SELECT 1", { password: "third" }), [{ 1: 1 }]);
  });

  it("speaks the dialect: versions, errors, settings", async () => {
    const fe = await lab.found();
    assert.deepEqual(await fe.sql("select @@version_comment"), [{ "@@version_comment": "3.5.7-d2da301" }]);
    assert.deepEqual(await fe.sql("SELECT version() AS v"), [{ v: "8.0.33" }]);
    await assert.rejects(fe.sql("SELECT current_version()"), { errno: 1064, message: /Backend node not found/ });
    await assert.rejects(fe.sql("FOO BAR"), { errno: 1064, message: /Getting syntax error at line 1/ });
    await assert.rejects(
      fe.sql('ALTER SYSTEM DROP FOLLOWER "10.9.9.9:9010"'),
      /frontend does not exist\[10.9.9.9:9010\]/,
    );
    await assert.rejects(
      fe.sql(`ALTER SYSTEM DROP FOLLOWER "${fe.address}:9010"`),
      /can not drop current master node\./,
    );
    await assert.rejects(
      fe.sql(`ALTER SYSTEM ADD OBSERVER "${fe.address}:9011"`),
      /FE with the same host: .* already exists/,
    );
    await fe.sql('ALTER SYSTEM ADD BACKEND "10.9.9.9:9050"');
    await assert.rejects(
      fe.sql('ALTER SYSTEM ADD BACKEND "10.9.9.9:9050"'),
      /Backend already exists with same host 10.9.9.9 and port 9050/,
    );
    const [setting] = await fe.sql("ADMIN SHOW FRONTEND CONFIG LIKE 'disable_balance'");
    assert.equal(setting?.Key, "tablet_sched_disable_balance");
    assert.equal(setting?.AliasNames, "[disable_balance]");
    await assert.rejects(
      fe.sql('ADMIN SET FRONTEND CONFIG ("x" = "1")'),
      /Config 'x' does not exist or is not mutable/,
    );
    const total = (await fe.sql("SHOW PROC '/statistic'")).at(-1);
    assert.equal(total?.DbId, "Total");
    assert.equal(total?.UnhealthyTabletNum, "0");
  });

  it("writes an image at the next checkpoint, and starts from it", async () => {
    const fe = await lab.found();
    await fe.sql("CREATE DATABASE kept");
    await fe.sql("ALTER SYSTEM CREATE IMAGE");
    const file = await eventually("an image", async () => /checkpoint finished save (image\.\d+)/.exec(fe.log)?.[1]);
    assert.notEqual(fe.read(`meta/image/v2/${file}`), "");
    await fe.stop();
    fe.start();
    await fe.ready();
    assert.match(fe.log, /start load image from/);
    assert.ok((await fe.sql("SHOW DATABASES")).some((row) => row.Database === "kept"));
  });

  it("ends, with 255 and a line in fe.warn.log, when it cannot start", async () => {
    const broken: readonly (readonly [what: string, line: RegExp, spoil: (fe: FrontendProcess) => void])[] = [
      [
        "image/ROLE is missing",
        /role file and version file must both exist/,
        (fe) => fs.rmSync(fe.file("meta/image/ROLE")),
      ],
      ["the journal is damaged", /failed to load journal type/, damageJournal],
      [
        "the meta folder is gone",
        /meta dir .* does not exist/,
        (fe) => fs.rmSync(fe.file("meta"), { recursive: true }),
      ],
      [
        "an environment variable is missing",
        /no such env variable: NOPE/,
        (fe) => fs.appendFileSync(fe.file("conf/fe.conf"), ["x = $", "{NOPE}\n"].join("")),
      ],
      [
        "the run mode is another",
        /Unmatched run mode/,
        (fe) => fs.appendFileSync(fe.file("conf/fe.conf"), "run_mode = shared_data\n"),
      ],
    ];
    const good = await lab.found();
    await good.stop();
    const check = async ([what, line, spoil]: (typeof broken)[number]) => {
      const fe = lab.frontend();
      fs.cpSync(good.file("meta"), fe.file("meta"), { recursive: true });
      spoil(fe);
      fe.start();
      assert.equal(await fe.exitCode(), 255, what);
      assert.match(`${fe.read("log/fe.warn.log")}${fe.read("out")}`, line, what);
    };
    await Promise.all(broken.map(check));
  });

  it("ends where the disk of its metadata has less than 5 GB left, as it does from 3.3 on", async () => {
    const options = { metaFreeBytes: Number.MAX_SAFE_INTEGER };
    const fe = lab.frontend({ options });
    fe.start();
    assert.equal(await fe.exitCode(), 255);
    assert.match(fe.read("log/fe.warn.log"), /Free capacity left for meta dir: \S+\/meta is less than \d+/);
    const old = await lab.found({ version: "3.1.9", options });
    await old.stop();
  });

  it("ends when its edit log port is taken", async () => {
    const fe = lab.frontend();
    const squatter = net.createServer().listen(9010, fe.address);
    fe.start();
    assert.equal(await fe.exitCode(), 255);
    squatter.close();
    assert.match(
      fe.read("log/fe.warn.log"),
      /\[NodeMgr.getCheckedSelfHostPort\(\):667\] edit_log_port 9010 is already in use\. will exit\./,
    );
  });

  it("removes its pid file unless it was killed", async () => {
    const fe = await lab.found();
    await fe.stop();
    assert.equal(fe.read("bin/fe.pid"), "");
    assert.match(fe.log, /start to execute shutdown hook[\s\S]*shutdown hook end/);
    fe.start();
    await fe.ready();
    await fe.stop("SIGKILL");
    assert.notEqual(fe.read("bin/fe.pid"), "");
  });

  it("ends where another process has its metadata open", async () => {
    const fe = await lab.found();
    const second = lab.frontend({ conf: { meta_dir: fe.file("meta") } });
    second.start();
    assert.equal(await second.exitCode(), 255);
    assert.match(second.read("log/fe.warn.log"), new RegExp(`ENV_LOCKED: .* Held by ${fe.child?.pid}`));
  });

  it("takes none for the holder of its locks that has ended, though its parent has not asked for its exit code", async () => {
    const fe = await lab.found();
    await fe.stop("SIGKILL");
    const [, , folder] = fe.read("meta/bdb/je.lck").split("\n");
    // A shell would ask for it: the child ends when its parent has become a program that never does.
    const child = "(until grep -q sleep /proc/$$/comm; do :; done)";
    const parent = spawn("bash", ["-c", `${child} & echo $!; exec sleep 60`], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [line] = await once(parent.stdout, "data");
      const pid = Number(line);
      const stat = () =>
        fs
          .readFileSync(`/proc/${pid}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ");
      await eventually("the child to be a zombie", async () => stat()[0] === "Z");
      fs.writeFileSync(fe.file("meta/bdb/je.lck"), [pid, stat()[19], folder].join("\n"));
      fe.start();
      await fe.ready();
    } finally {
      parent.kill();
    }
  });

  it("takes no process for the holder of its locks because it has the pid of a dead one", async () => {
    const [fe, other] = [await lab.found(), await lab.found()];
    await fe.stop("SIGKILL");
    const [, ...rest] = fe.read("meta/bdb/je.lck").split("\n");
    fs.writeFileSync(fe.file("meta/bdb/je.lck"), [other.child?.pid, ...rest].join("\n"));
    fs.writeFileSync(fe.file("bin/fe.pid"), String(other.child?.pid));
    fe.start();
    await fe.ready();
  });
});
