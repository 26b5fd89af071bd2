import assert from "node:assert/strict";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { previewThenUp } from "../lab/story.js";
import { stateOf } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("hosts that are gone for ever", () => {
  let lab: Lab;
  let release: BuiltRelease;
  let session: Session;
  const addressOf = (name: string): string => lab.fleet.host(name).address;
  const declare = (followers: readonly string[], backends: readonly string[]): void =>
    lab.declare(
      lab.args(release, (args: PlainArgs) => {
        args.connection.perDialTimeout = 3;
        args.frontends.followers = followers.map((name) => lab.node(name));
        args.backends.nodes = backends.map((name) => lab.node(name));
      }),
    );

  before(async () => {
    lab = await Lab.create({ frontends: 3, backends: 4 });
    release = await lab.release("3.5.7");
    declare(["fe2", "fe3"], ["be1", "be2", "be3", "be4"]);
    await lab.stack.up();
    session = new Session({ frontends: [{ host: addressOf("fe1") }], password: rootPassword });
    await session.query("CREATE DATABASE d");
    await session.query(
      'CREATE TABLE d.t (k BIGINT, v VARCHAR(64)) DISTRIBUTED BY HASH(k) BUCKETS 6 PROPERTIES ("replication_num" = "3")',
    );
    await session.query("INSERT INTO d.t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
  });
  afterEach(tellFailure(() => lab));
  after(async () => {
    session?.close();
    await lab?.close();
  });

  it("of a BE and a follower are removed by one up, which warns of what it could not see", async () => {
    await lab.fleet.host("fe3").powerOff();
    await lab.fleet.host("be4").powerOff();
    declare(["fe2"], ["be1", "be2", "be3"]);
    const { stdout } = (await previewThenUp(lab)).up;
    for (const label of ["FE fe3 was dropped", "BE be4 was decommissioned"]) {
      assert.match(
        stdout,
        new RegExp(`${label}, but that could not be noted in its home: .* Its data stays where it is\\.`),
      );
    }
    for (const label of ["FE fe3", "BE be4"]) {
      assert.match(stdout, new RegExp(`${label} is removed, as its cluster let it go, but its host cannot be reached`));
    }
    assert.match(stdout, /The release below \S+ stays on \S+, which cannot be reached/);
    const rows = [...(await session.query("SHOW FRONTENDS")), ...(await session.query("SHOW BACKENDS"))];
    assert.equal(rows.length, 5);
    assert.equal((await session.query("SELECT k FROM d.t")).length, 3);
    assert.deepEqual(
      Object.keys(await stateOf(lab.stack)).filter((name) => /fe3|be4/.test(name)),
      [],
    );
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("fail a destroy with the way on, which leads to its end", async () => {
    await lab.fleet.host("be3").powerOff();
    const { stdout, stderr } = await lab.stack.destroy([], { expectFailure: true });
    const advice = /`pulumi state delete '(\S+::sr-be-be3)'`/.exec(stdout + stderr);
    assert.ok(advice?.[1], stdout);
    await lab.stack.run("state", "delete", advice[1], "--yes");
    await lab.stack.destroy();
    assert.deepEqual(await stateOf(lab.stack), {});
  });
});
