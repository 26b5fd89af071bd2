// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the conf files of StarRocks have them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, gone, type Home, isAlive, openWorkshop, type Workshop } from "./workshop.js";

const programs = { fe: join(__dirname, "stub-fe.js") };

describe("simulator: start_fe.sh", () => {
  let shop: Workshop;
  const jdks = new Map<string, string>();
  const jdk = (name: string): Record<string, string> => ({ JAVA_HOME: jdks.get(name) ?? "" });
  const home = (version: string): Promise<Home> => shop.home("fe", { version, programs });
  const given = (fe: Home): Promise<Record<string, string> & { readonly args: readonly string[] }> =>
    eventually("the FE to start", async () =>
      fe.has("stub.json") ? (JSON.parse((await fe.read("stub.json")) || "null") ?? undefined) : undefined,
    );

  before(async () => {
    shop = await openWorkshop();
    for (const version of [8, 11, 17] as const) {
      jdks.set(String(version), await shop.jdk(version));
    }
    jdks.set("17-jre", await shop.jdk(17, true));
    jdks.set("11-jre", await shop.jdk(11, true));
  });
  after(() => shop.close());

  it("starts a process that ps shows as java running com.starrocks.StarRocksFE", async () => {
    const fe = await home("3.5.7");
    const { code, output } = await fe.run("bin/start_fe.sh --daemon --helper 10.0.0.1:9010", jdk("17"));
    assert.deepEqual({ code, output }, { code: 0, output: "" });
    const pid = await fe.pid();
    const { output: shown } = await fe.run(`cat /proc/${pid}/comm; tr '\\0' ' ' < /proc/${pid}/cmdline`);
    assert.match(shown, /^java\n/);
    assert.ok(shown.includes("com.starrocks.StarRocksFE -helper 10.0.0.1:9010"));
    assert.ok(shown.includes(`${fe.path}/lib/`));
    process.kill(pid, "SIGHUP");
    await sleep(100);
    assert.ok(await isAlive(pid), "the end of the SSH session is the end of the FE");
    assert.match(await fe.read("log/fe.out"), /using java version 17\n.*-Xmx8192m.*\nstart time: /);
    assert.ok(fe.has("meta"));
    const { CLASSPATH = "" } = await given(fe);
    assert.ok(CLASSPATH.startsWith(`${fe.path}/lib/starrocks-hadoop-ext.jar:`));
  });

  it("returns 0 although the process dies at once", async () => {
    const fe = await home("3.5.7");
    const { code, output } = await fe.run("bin/start_fe.sh --daemon", { ...jdk("17"), STUB_DIES: "1" });
    assert.deepEqual({ code, output }, { code: 0, output: "" });
    await eventually("the last words", async () =>
      (await fe.read("log/fe.out")).includes("start failed") ? true : undefined,
    );
    assert.ok(!fe.has("bin/fe.pid"));
  });

  for (const [version, java, code, text] of [
    ["3.5.7", "11", 255, "Error: JDK 11 is not supported, please use JDK version 17 or higher\n"],
    ["4.0.0", "11", 255, "Error: JDK 11 is not supported, please use JDK version 17 or higher\n"],
    ["3.4.5", "8", 255, "Error: JDK 8 is not supported, please use JDK version 11 or higher\n"],
    ["3.3.5", "8", 255, "Error: JDK 8 is not supported, please use JDK version 11 or higher\n"],
    [
      "3.3.5",
      "11-jre",
      1,
      "Error: It appears that your JAVA_HOME environment variable is pointing to a non-JDK path: ",
    ],
    [
      "3.1.9",
      "17-jre",
      1,
      "Error: It appears that your JAVA_HOME environment variable is pointing to a non-JDK path: ",
    ],
    ["2.3.0", "11-jre", 1, "Error: JAVA_HOME can not be jre\n"],
    ["2.3.0", "none", 1, "Error: JAVA_HOME is not set.\n"],
  ] as const) {
    it(`${version} with Java ${java}: ${code} and \`${text.trim().slice(0, 60)}\``, async () => {
      const fe = await home(version);
      const result = await fe.run("bin/start_fe.sh --daemon", java === "none" ? {} : jdk(java));
      assert.equal(result.code, code);
      assert.ok(result.output.includes(text), result.output);
      assert.ok(!fe.has("bin/fe.pid"));
    });
  }

  it("takes a JRE from 3.4 on", async () => {
    const fe = await home("3.4.5");
    assert.equal((await fe.run("bin/start_fe.sh --daemon", jdk("17-jre"))).code, 0);
    assert.ok(await isAlive(await fe.pid()));
  });

  it("exports UPPERCASE keys through eval, except in a last line without newline", async () => {
    const fe = await home("3.5.7");
    await fe.append("conf/fe.conf", "PID_DIR = ${STARROCKS_HOME}/run-$(echo x)\nLOG_DIR = /nowhere");
    await fe.run("mkdir run-x");
    await fe.run("bin/start_fe.sh --daemon", jdk("17"));
    const seen = await given(fe);
    assert.equal(seen.PID_DIR, `${fe.path}/run-x`);
    assert.equal(seen.LOG_DIR, `${fe.path}/log`);
  });

  it("started with sh on dash, ignores the environment in fe.conf and the JDK check", async () => {
    const fe = await home("3.3.5");
    await fe.append("conf/fe.conf", "LOG_DIR = ${STARROCKS_HOME}/elsewhere\n");
    // A Java that is too old for the script, though not for the process.
    const { code } = await fe.run("dash bin/start_fe.sh --daemon", jdk("11"));
    assert.equal(code, 0);
    const seen = await given(fe);
    assert.equal(seen.LOG_DIR, `${fe.path}/log`);
    const old = await home("3.5.7");
    const result = await old.run("dash bin/start_fe.sh --daemon", jdk("11"));
    assert.equal(result.code, 0);
    await eventually("Java's refusal", async () =>
      /UnsupportedClassVersionError.*61\.0.*up to 55\.0/.test(await old.read("log/fe.out")) ? true : undefined,
    );
  });

  it("refuses to start beside a running FE; before 3.3 beside any process with that pid", async () => {
    const [now, before] = await Promise.all([home("3.5.7"), home("3.1.9")]);
    await now.run("bin/start_fe.sh --daemon", jdk("17"));
    const pid = await now.pid();
    const again = await now.run("bin/start_fe.sh --daemon", jdk("17"));
    assert.deepEqual(again, { code: 1, output: `Frontend running as process ${pid}. Stop it first.\n` });
    await before.write("bin/fe.pid", String(process.pid));
    const refused = await before.run("bin/start_fe.sh --daemon", jdk("11"));
    assert.equal(refused.code, 1);
    const other = await home("3.3.5");
    await other.write("bin/fe.pid", String(process.pid));
    assert.equal((await other.run("bin/start_fe.sh --daemon", jdk("11"))).code, 0);
  });

  it("leaves a leftover JAVA_OPTS_FOR_JDK_11 with removed GC options to kill a Java 17", async () => {
    const fe = await home("3.5.7");
    await fe.append("conf/fe.conf", 'JAVA_OPTS_FOR_JDK_11 = "-Xmx1g -XX:+UseConcMarkSweepGC"\n');
    const { code, output } = await fe.run("bin/start_fe.sh --daemon", jdk("17"));
    assert.equal(code, 0);
    assert.match(output, /Warning: Configuration parameter JAVA_OPTS_FOR_JDK_11 is not supported/);
    await eventually("Java's refusal", async () =>
      (await fe.read("log/fe.out")).includes("Unrecognized VM option 'UseConcMarkSweepGC'") ? true : undefined,
    );
  });

  it("2.3 on a newer Java wants JAVA_OPTS_FOR_JDK_9 and says so in fe.out only", async () => {
    const fe = await home("2.3.0");
    await fe.run("sed -i /JAVA_OPTS_FOR_JDK_9/d conf/fe.conf; mkdir log");
    assert.deepEqual(await fe.run("bin/start_fe.sh --daemon", jdk("11")), { code: 255, output: "" });
    assert.equal(await fe.read("log/fe.out"), "JAVA_OPTS_FOR_JDK_9 is not set in fe.conf\n");
  });

  it("show_fe_version.sh prints the version and puts fe.pid back", async () => {
    const fe = await home("3.5.7");
    await fe.run("bin/start_fe.sh --daemon", jdk("17"));
    const pid = await fe.pid();
    const { output } = await fe.run("bin/show_fe_version.sh", jdk("17"));
    assert.match(output, /^Build version: 3\.5\.7\nCommit hash: d2da301\n/);
    assert.equal(await fe.pid(), pid);
    process.kill(pid, "SIGKILL");
    await gone(pid);
  });
});
