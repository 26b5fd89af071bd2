import assert from "node:assert/strict";
import { assertGolden } from "../golden.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { previewThenUp } from "../lab/story.js";
import { Session } from "../simulator/client/session.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("nodes that come and go", () => {
  let lab: Lab;
  let release: BuiltRelease;
  let session: Session;
  const addressOf = (name: string): string => lab.fleet.host(name).address;
  const declare = (backends: readonly string[], observers: readonly string[]): void =>
    lab.declare(
      lab.args(release, (args: PlainArgs) => {
        args.backends.nodes = backends.map((name) => lab.node(name));
        args.frontends.observers = observers.map((name) => lab.node(name));
      }),
    );
  const rowsOf = async (statement: string): Promise<readonly string[]> =>
    (await session.query(statement)).map(({ IP, Alive }) => `${IP} ${Alive}`).sort();
  const values = 60;

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 3, spares: ["be4", "fe2"] });
    release = await lab.release("3.5.7");
    declare(["be1", "be2", "be3"], []);
    await lab.stack.up();
    session = new Session({ frontends: [{ host: addressOf("fe1") }], password: rootPassword });
    await session.query("CREATE DATABASE d");
    await session.query(
      'CREATE TABLE d.t (k BIGINT, v VARCHAR(64)) DISTRIBUTED BY HASH(k) BUCKETS 6 PROPERTIES ("replication_num" = "3")',
    );
    const rows = Array.from({ length: values }, (_, k) => `(${k}, 'v${k}')`);
    await session.query(`INSERT INTO d.t VALUES ${rows.join(", ")}`);
  });
  afterEach(tellFailure(() => lab));
  after(async () => {
    session?.close();
    await lab?.close();
  });

  it("adds a BE and an observer FE at once, and touches no other node", async () => {
    declare(["be1", "be2", "be3", "be4"], ["fe2"]);
    const { restarted: touched } = await previewThenUp(lab);
    assert.deepEqual(touched, ["be4", "fe2"]);
    assert.deepEqual(
      await rowsOf("SHOW BACKENDS"),
      ["be1", "be2", "be3", "be4"].map((name) => `${addressOf(name)} true`).sort(),
    );
    assert.deepEqual(await rowsOf("SHOW FRONTENDS"), ["fe1", "fe2"].map((name) => `${addressOf(name)} true`).sort());
  });

  it("removes a BE: its tablets move first, then it stops, and its data goes to a dated trash", async () => {
    declare(["be1", "be2", "be4"], ["fe2"]);
    const { plan, up, restarted: touched } = await previewThenUp(lab);
    assertGolden("e2e/golden/one-be-less.txt", `${lab.plain(plan ?? "")}\n`);
    assert.deepEqual(touched, ["be3"]);
    assert.match(up.stdout, /BE be3 was decommissioned; its data was moved, not deleted: /);

    const host = lab.fleet.host("be3");
    assert.deepEqual(await host.processes(), []);
    const { stdout: folders } = await host.exec(`ls -d ${host.path("/disk1")}/* ${host.path("/disk2")}/*`);
    const names = lab.plain(folders).trim().split("\n");
    assert.equal(names.length, 2, folders);
    for (const [index, name] of names.entries()) {
      assert.match(name, new RegExp(`^/disk${index + 1}/starrocks\\.trash-\\d{8}-\\d{6}$`));
    }
    assert.deepEqual(
      await rowsOf("SHOW BACKENDS"),
      ["be1", "be2", "be4"].map((name) => `${addressOf(name)} true`).sort(),
    );
    assert.equal((await session.query("SELECT k, v FROM d.t")).length, values);
  });

  it("removes the observer: it is dropped and stopped", async () => {
    declare(["be1", "be2", "be4"], []);
    const { plan, restarted: touched } = await previewThenUp(lab);
    assert.match(plan ?? "", /FE fe2 in the cluster, removed: leave the cluster\n/);
    assert.deepEqual(touched, ["fe2"]);
    assert.deepEqual(await rowsOf("SHOW FRONTENDS"), [`${addressOf("fe1")} true`]);
    assert.deepEqual(await lab.fleet.host("fe2").processes(), []);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("takes a node back that left before", async () => {
    declare(["be1", "be2", "be3", "be4"], ["fe2"]);
    const { restarted: touched } = await previewThenUp(lab);
    assert.deepEqual(touched, ["be3", "fe2"]);
    assert.equal((await rowsOf("SHOW BACKENDS")).filter((row) => row.endsWith("true")).length, 4);
  });
});
