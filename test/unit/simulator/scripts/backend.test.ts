// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the conf files of StarRocks have them.
import assert from "node:assert/strict";
import { eventually, gone, type Home, isAlive, openWorkshop, ready, type Workshop } from "./workshop.js";

const DEAD = "4194304";

describe("simulator: start and stop scripts of BE and CN", () => {
  let shop: Workshop;
  const home = (version: string): Promise<Home> => shop.home("be", { version });
  const running = async (
    version: string,
    kind: "be" | "cn" = "be",
  ): Promise<{ readonly be: Home; readonly pid: number }> => {
    const be = await home(version);
    if (kind === "cn") {
      await be.append("conf/cn.conf", `priority_networks = ${be.address}/32\n`);
    }
    await be.run(`mkdir -p storage; bin/start_${kind}.sh --daemon`);
    await ready(be, `log/${kind}.INFO`);
    return { be, pid: await be.pid(`bin/${kind}.pid`) };
  };
  /** Whether the process got a chance to end in order. */
  const wasKilled = async (be: Home, kind = "be"): Promise<boolean> => be.has(`log/.sim-${kind}-running`);

  before(async () => {
    shop = await openWorkshop();
  });
  after(() => shop.close());

  it("a BE is a process named starrocks_be, run from lib, and writes its own pid file", async () => {
    const { be, pid } = await running("3.5.7");
    const { output } = await be.run(`ps -p ${pid} -o comm=,rss=; ps -p ${pid} -o cmd=`);
    const [, rss] = /^starrocks_be\s+(\d+)\n.*\/lib\/starrocks_be\n$/.exec(output) ?? [];
    assert.ok(Number(rss) < 70_000, output);
    assert.equal(await be.read("bin/be.pid"), `${pid}\n`);
    for (const folder of ["lib/udf", "lib/udf-runtime", "lib/small_file", "lib/jdbc_drivers"]) {
      assert.ok(be.has(folder), folder);
    }
  });

  it("returns 0 although the process dies at once, and leaves its pid file", async () => {
    const be = await home("3.5.7");
    await be.write("sim/bad.json", '{"fault":"dieAtStart","message":"no luck"}');
    assert.equal((await be.run("bin/start_be.sh --daemon")).code, 0);
    await gone(await be.pid());
    assert.match(await be.read("log/be.out"), /no luck/);
    assert.ok(be.has("bin/be.pid"));
  });

  it("without enough open files aborts, the script only tries to raise the limit", async () => {
    const be = await home("3.3.5");
    await be.write("sim/options.json", "{}");
    const { code } = await be.run("ulimit -n 4096; bin/start_be.sh --daemon");
    assert.equal(code, 0);
    await gone(await be.pid());
    const out = await be.read("log/be.out");
    assert.match(out, /File descriptor number is less than 60000\. Please use \(ulimit -n\)/);
    assert.match(out, /file descriptors limit is too small/);
  });

  it("refuses to start beside a running BE; before 3.3 beside any process with that pid", async () => {
    const { be, pid } = await running("3.5.7");
    const again = await be.run("bin/start_be.sh --daemon");
    assert.equal(again.code, 1);
    assert.match(again.output, new RegExp(`Backend running as process ${pid}\\. Stop it first\\.\n$`));
    const [before, now] = await Promise.all([home("3.1.9"), home("3.3.5")]);
    for (const each of [before, now]) {
      await each.write("bin/be.pid", String(process.pid));
    }
    assert.equal((await before.run("bin/start_be.sh --daemon")).code, 1);
    assert.equal((await now.run("bin/start_be.sh --daemon")).code, 0);
  });

  it("stop_be.sh sends SIGKILL by default, in every line", async () => {
    await Promise.all(
      ["2.1.0", "2.3.0", "3.1.9", "3.3.5", "3.5.7"].map(async (version) => {
        const { be, pid } = await running(version);
        assert.equal((await be.run("bin/stop_be.sh")).code, 0, version);
        await gone(pid);
        assert.ok(await wasKilled(be), version);
        assert.ok(!be.has("bin/be.pid"), version);
      }),
    );
  });

  it("-g sends SIGTERM from 3.1 on, and 2.3 ignores it", async () => {
    await Promise.all(
      (
        [
          ["2.3.0", true],
          ["3.1.9", false],
          ["3.3.5", false],
          ["3.5.7", false],
        ] as const
      ).map(async ([version, killed]) => {
        const { be, pid } = await running(version);
        assert.equal((await be.run("bin/stop_be.sh -g")).code, 0, version);
        await gone(pid);
        assert.equal(await wasKilled(be), killed, version);
        assert.equal((await be.read("log/be.INFO")).includes("BE exit step 1: "), version >= "3.3", version);
      }),
    );
  });

  it("a CN before 3.5 is not waited for, and has its own pid file", async () => {
    const [old, now] = await Promise.all([running("3.4.5", "cn"), running("3.5.7", "cn")]);
    const [oldStop, nowStop] = await Promise.all([old.be.run("bin/stop_cn.sh"), now.be.run("bin/stop_cn.sh")]);
    assert.deepEqual(oldStop, { code: 0, output: "stop starrocks_be using signal 9, and remove pid file. \n" });
    assert.deepEqual(nowStop, { code: 0, output: "" });
    await Promise.all([gone(old.pid), gone(now.pid)]);
    assert.match(await now.be.read("log/cn.INFO"), /CN started successfully/);
  });

  for (const [version, script, missing, stale] of [
    ["2.1.0", "stop_be.sh", [1, /be\.pid does not exist/], /may not be be\. \n/],
    ["2.3.0", "stop_be.sh", [0, /^$/], /may not be be\. \n/],
    ["2.3.0", "stop_cn.sh", [1, /cn\.pid does not exist/], /may not be cn\. \n/],
    ["3.3.5", "stop_be.sh", [0, /^$/], /may not be be\. \n/],
    ["3.4.5", "stop_cn.sh", [1, /cn\.pid does not exist/], /may not be cn\. \n/],
    ["3.5.7", "stop_be.sh", [0, /^$/], /may not be BE\n/],
    ["3.5.7", "stop_cn.sh", [0, /^$/], /may not be CN\n/],
  ] as const) {
    it(`${version} ${script}: no pid file gives ${missing[0]}, a dead pid 1`, async () => {
      const be = await home(version);
      await be.run("mkdir -p lib/udf-runtime");
      const none = await be.run(`bin/${script}`);
      assert.equal(none.code, missing[0]);
      assert.match(none.output, missing[1]);
      const file = `bin/${script.slice(5, 7)}.pid`;
      await be.write(file, DEAD);
      const dead = await be.run(`bin/${script}`);
      assert.equal(dead.code, 1);
      assert.match(dead.output, stale);
      assert.ok(be.has(file));
    });
  }

  it("PID_DIR in be.conf: start honours it; stop does before 3.4, after it stops nothing and returns 0", async () => {
    const start = async (version: string): Promise<{ readonly be: Home; readonly pid: number }> => {
      const be = await home(version);
      await be.append("conf/be.conf", "PID_DIR = ${STARROCKS_HOME}/run\n");
      await be.run("mkdir run; bin/start_be.sh --daemon");
      await ready(be);
      return { be, pid: await be.pid("run/be.pid") };
    };
    const [before, after] = await Promise.all([start("3.3.5"), start("3.5.7")]);
    assert.equal((await before.be.run("bin/stop_be.sh")).code, 0);
    await gone(before.pid);
    assert.deepEqual(await after.be.run("bin/stop_be.sh"), { code: 0, output: "" });
    assert.ok(await isAlive(after.pid));
  });

  it("--timeout ends a BE that does not heed SIGTERM", async () => {
    const { be, pid } = await running("3.5.7");
    await be.write("sim/hang.json", '{"fault":"hangOnStop"}');
    const { code, output } = await be.run("bin/stop_be.sh -g --timeout 1");
    assert.equal(code, 0);
    assert.match(output, /graceful exit timeout, forced termination of the process/);
    await gone(pid);
  });

  it("tells its version, from 3.4 on only with jemalloc in reach", async () => {
    const [old, now] = await Promise.all([home("3.3.5"), home("3.5.7")]);
    assert.match((await old.run("lib/starrocks_be --version")).output, /^3\.3\.5-\w{7}\nBuildType: RELEASE\n/);
    assert.match((await now.run("bin/show_be_version.sh")).output, /^3\.5\.7-d2da301\nBuildType: RELEASE\n/);
    const bare = await now.run("lib/starrocks_be --version");
    assert.equal(bare.code, 127);
    assert.match(bare.output, /error while loading shared libraries: libjemalloc\.so\.2/);
  });

  it("a 3.1 BE with the scripts of 3.3 says that bin was not replaced", async () => {
    const [mixed, newer] = await Promise.all([home("3.1.9"), home("3.3.5")]);
    await mixed.run(`cp ${newer.path}/bin/*.sh bin/; bin/start_be.sh --daemon`);
    const text = "TCMALLOC_HEAP_LIMIT_MB is not set, maybe you forgot to replace bin directory";
    await eventually("the refusal", async () => ((await mixed.read("log/be.out")).includes(text) ? true : undefined));
  });
});
