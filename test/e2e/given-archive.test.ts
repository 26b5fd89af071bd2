import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tellFailure } from "../lab/failure.js";
import { Lab, quick, rootPassword } from "../lab/lab.js";
import { Session } from "../simulator/client/session.js";
import { buildJdk } from "../simulator/jdk.js";
import { buildRelease } from "../simulator/release.js";

/** A simulated FE of other commits stands for the user's own. */
describe("a lab that is given STARROCKS_ARCHIVE and STARROCKS_ARCHIVE_NEXT", () => {
  let lab: Lab | undefined;
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "given-archive-test-"));
  });
  afterEach(tellFailure(() => lab));
  after(async () => {
    await lab?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("runs what they hold, and simulates the rest", async () => {
    const given = (version: string, commit: string) =>
      buildRelease({ version, commit, directory: folder, parts: ["fe"], fe: { options: quick } });
    const [current, next] = [await given("3.5.4", "c0ffee4"), await given("3.5.5", "c0ffee5")];
    lab = await Lab.create({
      ...{ frontends: 1, backends: 1 },
      given: {
        PATH: process.env.PATH,
        JAVA_HOME: await buildJdk({ directory: join(folder, "jdk"), version: 17 }),
        STARROCKS_ARCHIVE: current.archive,
        STARROCKS_ARCHIVE_NEXT: next.archive,
      },
    });
    assert.deepEqual([lab.releases.current.version, lab.releases.next?.version], ["3.5.4", "3.5.5"]);
    assert.deepEqual(lab.releases.real, ["fe"]);
    lab.declare(lab.args(lab.releases.current));
    await lab.stack.up();
    const session = new Session({ frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword });
    const [[frontend], [backend]] = [await session.query("SHOW FRONTENDS"), await session.query("SHOW BACKENDS")];
    session.close();
    assert.equal(frontend?.Version, "3.5.4-c0ffee4");
    assert.match(String(backend?.Version), /^3\.5\.4-(?!c0ffee4)/);
  });
});
