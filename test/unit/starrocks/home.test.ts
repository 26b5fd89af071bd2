import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { prepareHome, type SwitchOptions, switchTo } from "../../../provider/starrocks/home.js";
import { releaseFolder } from "../../../provider/starrocks/layout.js";
import { startProcess } from "../../../provider/starrocks/start.js";
import { stopProcess } from "../../../provider/starrocks/stop.js";
import { onlyDeclaredPrograms } from "./declared-programs.js";
import { type Bench, buildToy, openBench, type ToyArchive } from "./toy.js";

describe("home", function () {
  onlyDeclaredPrograms();
  this.timeout(30_000);
  let bench: Bench;
  let old: ToyArchive;
  let home: string;
  beforeEach(async () => {
    bench = openBench();
    old = buildToy(bench.folder, { version: "3.5.7" });
    home = await bench.makeHome("be", "be", old);
  });
  afterEach(() => bench.clear());

  const to = (toy: ToyArchive): SwitchOptions => ({
    home,
    kind: "be",
    releaseId: toy.releaseId,
    releaseFolder: releaseFolder(bench.deployDir, toy.releaseId),
  });
  const switchHome = async (toy: ToyArchive): Promise<string | undefined> => {
    await bench.stage(toy);
    return switchTo(bench.host, to(toy));
  };
  const read = (...path: string[]): string => readFileSync(join(home, ...path), "utf8");

  describe("prepareHome", () => {
    it("creates what is missing once, in one round trip each", async () => {
      const other = join(bench.deployDir, "other");
      const trips = bench.host.trips;
      const { created } = await prepareHome(bench.host, { home: other, kind: "fe" });
      assert.deepEqual(
        created.map((path) => path.slice(other.length)),
        ["", "/conf", "/log", "/state", "/views"],
      );
      assert.deepEqual(await prepareHome(bench.host, { home: other, kind: "fe" }), { created: [] });
      assert.equal(bench.host.trips, trips + 2);
    });
  });

  describe("the view that switchTo completes", () => {
    it("links every entry of the release's lib and the node's own folders", () => {
      const lib = join(home, "views", old.releaseId, "lib");
      assert.deepEqual(readdirSync(lib).toSorted(), [
        "hadoop",
        "jdbc_drivers",
        "jni-packages",
        "small_file",
        "starrocks_be",
        "udf",
        "udf-runtime",
      ]);
      assert.equal(lstatSync(lib).isSymbolicLink(), false);
      assert.equal(readlinkSync(join(lib, "udf")), join(home, "state/udf"));
      assert.equal(read("lib/hadoop/hadoop.jar"), "hadoop");
      assert.equal(read("www/index.html"), "www");
    });

    it("changes nothing when all is there, and completes what was interrupted", async () => {
      const folder = join(home, "views", old.releaseId);
      const made = (): readonly number[] =>
        ["lib/starrocks_be", "lib/udf", "www", ".complete"].map((name) => lstatSync(join(folder, name)).ino);
      const before = made();
      await switchTo(bench.host, to(old));
      assert.deepEqual(made(), before);
      rmSync(join(folder, ".complete"));
      rmSync(join(folder, "lib/hadoop"));
      await switchTo(bench.host, to(old));
      assert.equal(read("lib/hadoop/hadoop.jar"), "hadoop");
      assert.equal(existsSync(join(folder, ".complete")), true);
    });

    it("adds the user's own files, merges their folders, lets them win, and takes them away again", async () => {
      mkdirSync(join(home, "state/lib/jni-packages"), { recursive: true });
      writeFileSync(join(home, "state/lib/jni-packages/own.jar"), "own");
      writeFileSync(join(home, "state/lib/hadoop"), "replaced");
      await switchTo(bench.host, to(old));
      await switchTo(bench.host, to(old));
      assert.deepEqual(readdirSync(join(home, "lib/jni-packages")).toSorted(), ["own.jar", "reader.jar"]);
      assert.equal(read("lib/hadoop"), "replaced");
      rmSync(join(home, "state/lib"), { recursive: true });
      await switchTo(bench.host, to(old));
      assert.deepEqual(readdirSync(join(home, "lib/jni-packages")), ["reader.jar"]);
      assert.equal(read("lib/hadoop/hadoop.jar"), "hadoop");
    });

    it("keeps what the process made in lib, as its own folder and not the release's", async () => {
      await startProcess(bench.host, "be", home);
      await stopProcess(bench.host, "be", home, { graceful: false, timeoutSeconds: 10 });
      await switchTo(bench.host, to(old));
      assert.equal(existsSync(join(home, "lib/made-by-be")), true);
      assert.equal(existsSync(join(releaseFolder(bench.deployDir, old.releaseId), "be/lib/made-by-be")), false);
    });

    it("refuses a release that is not verified", async () => {
      await assert.rejects(
        switchTo(bench.host, { ...to(old), releaseId: "x", releaseFolder: "/nowhere" }),
        /nowhere\/be is not a verified release\. Stage the release first/,
      );
    });
  });

  describe("switchTo", () => {
    const toys = (): readonly [ToyArchive, ToyArchive] => [
      buildToy(bench.folder, { version: "3.5.8" }),
      buildToy(bench.folder, { version: "3.5.9" }),
    ];

    it("renames current, copies bin, and keeps the release before it and no older one", async () => {
      const [next, last] = toys();
      const trips = bench.host.trips;
      assert.equal(await switchHome(next), old.releaseId);
      assert.equal(bench.host.trips, trips + 4);
      assert.equal(readlinkSync(join(home, "current")), `views/${next.releaseId}`);
      assert.equal(readlinkSync(join(home, "previous")), `views/${old.releaseId}`);
      assert.equal(read("bin/.release"), `${next.releaseId}\n`);
      assert.match(read("lib/starrocks_be"), /3\.5\.8/);
      assert.equal(await switchHome(last), next.releaseId);
      assert.deepEqual(readdirSync(join(home, "views")).toSorted(), [next.releaseId, last.releaseId].toSorted());
      assert.equal(await switchHome(next), last.releaseId);
      assert.equal(readlinkSync(join(home, "previous")), `views/${last.releaseId}`);
    });

    it("is completed by a second call when it was interrupted, and does not forget the previous release", async () => {
      const [next] = toys();
      await switchHome(next);
      rmSync(join(home, "bin"), { recursive: true });
      mkdirSync(join(home, ".bin.new"));
      symlinkSync("nowhere", join(home, ".link.new"));
      assert.equal(await switchHome(next), next.releaseId);
      assert.equal(read("bin/.release"), `${next.releaseId}\n`);
      assert.equal(readlinkSync(join(home, "previous")), `views/${old.releaseId}`);
      assert.deepEqual(
        readdirSync(home).filter((name) => name.startsWith(".")),
        [],
      );
    });

    it("fills conf with the release's other files once, but for the node's own and what is there", async () => {
      const more = {
        "be/conf/hadoop_env.sh": "export HADOOP_CLASSPATH=one",
        "be/conf/core-site.xml": "<one/>",
        "be/conf/security/udf.policy": "grant",
      };
      mkdirSync(join(home, "conf"), { recursive: true });
      writeFileSync(join(home, "conf/core-site.xml"), "<user/>");
      await switchHome(buildToy(bench.folder, { version: "3.5.8", more }));
      assert.deepEqual(readdirSync(join(home, "conf")).toSorted(), ["core-site.xml", "hadoop_env.sh", "security"]);
      assert.equal(read("conf/core-site.xml"), "<user/>");
      assert.equal(read("conf/security/udf.policy"), "grant");
      await switchHome(
        buildToy(bench.folder, {
          version: "3.5.9",
          more: { ...more, "be/conf/hadoop_env.sh": "two", "be/conf/new": "" },
        }),
      );
      assert.equal(read("conf/hadoop_env.sh"), "export HADOOP_CLASSPATH=one");
      assert.equal(read("conf/new"), "");
    });

    it("drops links to folders that the release does not have", async () => {
      const [next] = toys();
      await switchHome(buildToy(bench.folder, { version: next.version, without: ["be/www/index.html"] }));
      assert.equal(existsSync(join(home, "www")), false);
      await switchHome(next);
      assert.equal(read("www/index.html"), "www");
    });

    it("refuses while a process runs from the home, and changes nothing", async () => {
      const [next] = toys();
      await startProcess(bench.host, "be", home);
      await assert.rejects(switchHome(next), /but process \d+ runs from it\. Nothing was changed/);
      assert.equal(readlinkSync(join(home, "current")), `views/${old.releaseId}`);
    });

    it("refuses a home that it did not make", async () => {
      const [next] = toys();
      rmSync(join(home, "lib"));
      mkdirSync(join(home, "lib"));
      await assert.rejects(switchHome(next), /be\/lib is not a link/);
    });
  });
});
