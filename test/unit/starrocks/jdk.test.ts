import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../../provider/host/types.js";
import {
  chooseJdk,
  findJdk,
  findRuntime,
  type JavaSeen,
  javaMajor,
  parseFindings,
} from "../../../provider/starrocks/jdk.js";
import { versionOf } from "../../../provider/starrocks/versions.js";
import { loopback } from "./loopback.js";

const jdk = (home: string, version: string, compiler = true): JavaSeen => ({
  home,
  version,
  major: javaMajor(version) ?? 0,
  compiler,
});

describe("jdk", () => {
  const majors: [string, number | undefined][] = [
    ["17.0.15", 17],
    ["1.8.0_402", 8],
    ["21", 21],
    ["25-ea", 25],
    ["x", undefined],
  ];
  for (const [version, major] of majors) {
    it(`reads ${version} as ${major}`, () => assert.equal(javaMajor(version), major));
  }

  describe("chooseJdk", () => {
    const java8 = jdk("/j8", "1.8.0_402");
    const java11 = jdk("/j11", "11.0.2");
    const java17 = jdk("/j17", "17.0.15");
    const jre17 = jdk("/jre17", "17.0.15", false);
    const java25 = jdk("/j25", "25");
    const broken: JavaSeen = { home: "/broken", problem: "no bin/java that runs" };
    const rows: [string, JavaSeen[], string | undefined, string | undefined][] = [
      ["3.5.7", [java8, java25, java17], undefined, "/j17"],
      ["3.5.7", [java25, java11], undefined, "/j25"],
      ["3.5.7", [jre17, java25], undefined, "/j25"],
      ["3.5.7", [jre17], undefined, "/jre17"],
      ["3.3.5", [jre17], undefined, undefined],
      ["3.3.5", [java17, java11], undefined, "/j11"],
      ["3.1.0", [java17, java8, java11], undefined, "/j11"],
      ["2.3.0", [java11, java8], undefined, "/j8"],
      ["3.5.7", [java25, java17], "/j25", "/j25"],
      ["3.5.7", [java8, java17], "/j8", undefined],
      ["3.5.7", [broken], undefined, undefined],
      ["3.5.7", [], undefined, undefined],
    ];
    for (const [version, seen, javaHome, home] of rows) {
      const from = seen.map((one) => one.home).join(" ");
      it(`takes ${home} for ${version} from ${from || "nothing"}${javaHome ? `, declared ${javaHome}` : ""}`, () =>
        assert.equal(chooseJdk(seen, { version: versionOf(version), ...(javaHome && { javaHome }) })?.home, home));
    }
  });

  it("reads what the script says", () => {
    const said =
      '/j17\tjavac\topenjdk version "17.0.15" 2025-04-15\n/j25\tjavac\tJAVA_VERSION="25.0.3"\n' +
      "/j8\t-\tError: could not find libjava.so\n/x\t-\t\n";
    assert.deepEqual(parseFindings(said), [
      jdk("/j17", "17.0.15"),
      jdk("/j25", "25.0.3"),
      { home: "/j8", problem: "Error: could not find libjava.so" },
      { home: "/x", problem: "no bin/java that runs" },
    ]);
  });

  describe("findJdk", () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "jdk-"));
    });
    afterEach(() => rm(folder, { recursive: true }));

    /** A Java that tells of each of its starts in the folder, by its name. */
    const install = async (name: string, version: string, starts = true): Promise<string> => {
      const home = join(folder, name);
      await mkdir(join(home, "bin"), { recursive: true });
      for (const tool of ["java", "javac"]) {
        const file = join(home, "bin", tool);
        const says = starts
          ? `echo 'openjdk version "${version}" 2025-04-15' >&2`
          : "echo 'error while loading shared libraries: libjli.so' >&2; exit 127";
        await writeFile(file, `#!/bin/sh\n: >>'${join(folder, `${name} started`)}'\n${says}\n`);
        await chmod(file, 0o755);
      }
      return home;
    };

    /** The same machine with this login profile and PATH. */
    const host = (profile: string, path = "/usr/bin:/bin"): Host => ({
      ...loopback,
      script: async (text, args) => {
        await writeFile(join(folder, ".bash_profile"), profile);
        return loopback.script(text, args, { env: { HOME: folder, PATH: path, JAVA_HOME: "" } });
      },
    });

    it("takes a declared home", async () => {
      const home = await install("my jdk", "17.0.1");
      assert.deepEqual(await findJdk(loopback, { javaHome: home, version: versionOf("3.5.7") }), {
        home,
        version: "17.0.1",
        major: 17,
        compiler: true,
      });
    });

    it("finds the JAVA_HOME of a login shell that talks", async () => {
      const home = await install("login", "17.0.3");
      const found = await findJdk(host(`echo Welcome; export JAVA_HOME='${home}'; cat\n`), {
        version: versionOf("3.5.7"),
      });
      assert.equal(found.home, home);
    });

    it("finds the java of the PATH behind its links", async () => {
      const home = await install("path", "17.0.4");
      await mkdir(join(folder, "bin"));
      for (const tool of ["java", "javac"]) {
        await symlink(join(home, "bin", tool), join(folder, "bin", tool));
      }
      const found = await findJdk(host("", `${folder}/bin:/usr/bin:/bin`), { version: versionOf("3.5.7") });
      assert.equal(found.home, home);
    });

    it("takes the word of a release file, and starts only what it chooses", async () => {
      const homes = await Promise.all([install("a", "17.0.5"), install("b", "11.0.2")]);
      await Promise.all(
        homes.map((home, index) => writeFile(join(home, "release"), `JAVA_VERSION="${["17.0.5", "11.0.2"][index]}"\n`)),
      );
      const path = `${homes[1]}/bin:/usr/bin:/bin`;
      const found = await findJdk(host(`export JAVA_HOME='${homes[0]}'\n`, path), { version: versionOf("3.5.7") });
      assert.equal(found.home, homes[0]);
      const started = (await readdir(folder)).filter((name) => name.endsWith(" started"));
      assert.deepEqual(started, ["a started"]);
    });

    it("passes over one that has a release file and does not start", async () => {
      const broken = await install("broken", "17.0.5", false);
      await writeFile(join(broken, "release"), 'JAVA_VERSION="17.0.5"\n');
      const good = await install("good", "17.0.6");
      const found = await findJdk(host(`export JAVA_HOME='${broken}'\n`, `${good}/bin:/usr/bin:/bin`), {
        version: versionOf("3.5.7"),
      });
      assert.equal(found.home, good);
      await assert.rejects(
        findJdk(loopback, { javaHome: broken, version: versionOf("3.5.7") }),
        /broken \(.*libjli\.so\)/,
      );
    });

    it("gives a BE the first fit one without a compiler, too, or none, and says what it lacks then", async () => {
      const home = await install("runtime", "11.0.9");
      await rm(join(home, "bin/javac"));
      const version = versionOf("3.3.5");
      assert.deepEqual(await findRuntime(host(`export JAVA_HOME='${home}'\n`), { version }), { home });
      const old = await install("old", "1.8.0_402");
      const none = await findRuntime(
        {
          ...loopback,
          script: async () => ({
            stdout: `${old}\tjavac\tJAVA_VERSION="1.8.0_402"\n`,
            stderr: "",
            code: 0,
            signal: undefined,
          }),
        } as Host,
        { version },
      );
      assert.equal(none.home, undefined);
      assert.match(
        none.problem ?? "",
        /^A BE has no Java \(JDK 11 or newer; found: \S+old \(1\.8\.0_402\)\): it runs, but Java UDFs, [\s\S]*`javaHome`\.$/,
      );
    });

    it("gives a BE what is declared for it, and says where that does not fit", async () => {
      const old = await install("old", "1.8.0_402");
      const { home, problem = "" } = await findRuntime(loopback, { javaHome: old, version: versionOf("3.5.7") });
      assert.equal(home, old);
      assert.match(problem, /^A BE's `javaHome` is no JDK 17 or newer: \S+old \(1\.8\.0_402\)\./);
      const fit = await install("fit", "17.0.2");
      assert.deepEqual(await findRuntime(loopback, { javaHome: fit, version: versionOf("3.5.7") }), { home: fit });
    });

    it("says what was wanted, what was found and what to do", async () => {
      const old = await install("old", "1.8.0_402");
      await assert.rejects(findJdk(loopback, { javaHome: old, version: versionOf("3.5.7") }), (error: unknown) => {
        assert.ok(error instanceof Error);
        assert.match(error.message, /Expected `javaHome` ".*old" on here to be JDK 17 or newer for StarRocks 3\.5\.7/);
        assert.ok(error.message.includes(`${old} (1.8.0_402)`));
        assert.match(error.message, /leave `javaHome` out/);
        return true;
      });
      await assert.rejects(
        findJdk(loopback, { javaHome: join(folder, "none"), version: versionOf("3.5.7") }),
        /none \(no bin\/java that runs\)/,
      );
    });
  });
});
