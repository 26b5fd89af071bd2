import assert from "node:assert/strict";
import { join } from "node:path";
import { gone, type Home, isAlive, openWorkshop, type Workshop } from "./workshop.js";

const programs = { fe: join(__dirname, "stub-fe.js") };
const DEAD = "4194304";

describe("simulator: stop_fe.sh", () => {
  let shop: Workshop;
  let env: Record<string, string>;
  const home = (version: string): Promise<Home> => shop.home("fe", { version, programs });
  const running = async (version: string): Promise<{ readonly fe: Home; readonly pid: number }> => {
    const fe = await home(version);
    await fe.run("bin/start_fe.sh --daemon", env);
    return { fe, pid: await fe.pid() };
  };

  before(async () => {
    shop = await openWorkshop();
    env = { JAVA_HOME: await shop.jdk(17) };
  });
  after(() => shop.close());

  for (const version of ["2.3.0", "3.1.9", "3.3.5", "3.5.7", "4.1.0"]) {
    it(`${version}: without a pid file stops nothing, says nothing, returns 0`, async () => {
      const { fe, pid } = await running(version);
      await fe.run("rm bin/fe.pid");
      assert.deepEqual(await fe.run("bin/stop_fe.sh"), { code: 0, output: "" });
      assert.ok(await isAlive(pid));
    });
  }

  for (const [version, code, output, stays] of [
    ["2.3.0", 0, "ERROR: pid process may not be fe. \n", true],
    ["3.3.5", 0, "ERROR: pid process may not be fe. \n", true],
    ["3.5.7", 1, "ERROR: pid process may not be FE. \n", true],
    ["4.1.0", 0, `Process ${DEAD} does not exist, removing stale pid file\n`, false],
  ] as const) {
    it(`${version}: of a dead pid returns ${code}`, async () => {
      const fe = await home(version);
      await fe.write("bin/fe.pid", DEAD);
      assert.deepEqual(await fe.run("bin/stop_fe.sh"), { code, output });
      assert.equal(fe.has("bin/fe.pid"), stays);
    });
  }

  it("stops with SIGTERM and waits; -g is SIGUSR1 from 3.4 on and ignored before", async () => {
    const [old, now, graceful] = await Promise.all([running("3.3.5"), running("3.5.7"), running("3.5.7")]);
    const [stopped] = await Promise.all([
      old.fe.run("bin/stop_fe.sh -g"),
      now.fe.run("bin/stop_fe.sh"),
      graceful.fe.run("bin/stop_fe.sh -g"),
    ]);
    assert.match(stopped.output, /stop java, and remove pid file\. \n$/);
    for (const [{ fe, pid }, signal] of [
      [old, "SIGTERM"],
      [now, "SIGTERM"],
      [graceful, "SIGUSR1"],
    ] as const) {
      await gone(pid);
      assert.equal(await fe.read("signal"), signal);
      assert.ok(!fe.has("bin/fe.pid"));
    }
  });

  it("3.5.7: waits for ever unless told a timeout, then kills", async () => {
    const { fe, pid } = await running("3.5.7");
    await fe.write("sim/hangOnStop", "");
    const { code, output } = await fe.run("bin/stop_fe.sh --timeout 1");
    assert.equal(code, 0);
    assert.match(output, /graceful exit timeout, forced termination of the process\n/);
    await gone(pid);
  });

  it("moving bin away first makes stop do nothing and return 0", async () => {
    const { fe, pid } = await running("3.5.7");
    await fe.run("cp -r bin bin.new && mv bin bin.bak && mv bin.new bin && rm bin/fe.pid");
    assert.deepEqual(await fe.run("bin/stop_fe.sh"), { code: 0, output: "" });
    assert.ok(await isAlive(pid));
  });
});
