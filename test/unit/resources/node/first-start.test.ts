import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFe } from "../../../../provider/resources/node/context.js";
import { firstStart } from "../../../../provider/resources/node/first-start.js";
import { readHomeMarker, writeHomeMarker } from "../../../../provider/starrocks/marker.js";
import type { Frontend } from "../../../../provider/starrocks/show.js";
import { localHost } from "../../starrocks/local-host.js";
import { frontend, noting, operationOn } from "../local-cluster.js";
import { leader } from "./bench.js";

describe("the start of an FE whose metadata was lost while its group knew it", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "first-start-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const groupOf = async () => {
    const home = join(folder, "fe");
    mkdirSync(home);
    const { frontends, nodeOn, run } = operationOn([]);
    const told: string[] = [];
    let rows: readonly Frontend[] = [leader, { ...leader, address: "10.0.0.12", role: "follower" }];
    frontends.ask = async () => rows as never;
    frontends.tell = async (statement) => {
      rows = rows.slice(0, 1);
      return statement(noting(told));
    };
    const host = localHost();
    const spec = frontend({ address: "10.0.0.12", home }, { name: "fe-2", role: "follower" });
    const node = { ...nodeOn(host, spec), recorded: true };
    if (!isFe(node)) {
      throw new Error("It is an FE");
    }
    await writeHomeMarker(host, home, { schema: 1, cluster: run.cluster, node: "fe-2", kind: "fe", releases: [] });
    const marker = () => readHomeMarker(host, home, "fe");
    return { told, marker, start: async () => firstStart(node, await marker()) };
  };

  it("drops its row and notes that it must be added again, which holds for every later start", async () => {
    const { marker, start, told } = await groupOf();
    assert.deepEqual(await start(), { wish: { helper: "10.0.0.11:9010" }, rejoins: true });
    assert.deepEqual(told, ["ALTER SYSTEM DROP FOLLOWER ?"]);
    assert.equal((await marker())?.rejoins, true);
    assert.equal((await start()).rejoins, true, "the start before failed, and the group has no row of it any more");
    assert.equal(told.length, 1);
  });
});
