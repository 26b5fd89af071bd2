import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limitsOf } from "../../../provider/plan/limits.js";
import { beMemberInputs, read } from "../../../provider/resources/inputs.js";
import { remove, works } from "../../../provider/resources/member/be.js";
import { survey } from "../../../provider/resources/survey.js";
import { markerFile } from "../../../provider/starrocks/layout.js";
import type { Backend } from "../../../provider/starrocks/show.js";
import { localHost } from "../starrocks/local-host.js";
import { backend, noting, operationOn, topologyWith } from "./local-cluster.js";
import { samples } from "./samples.js";

const cancel = "CANCEL DECOMMISSION BACKEND ?";

/** A cluster of one BE that is declared, and is decommissioned; `cancel` ends that. */
const clusterOf = (folder: string) => {
  const operation = operationOn([]);
  const { frontends, nodeOn, run } = operation;
  const home = join(folder, "be");
  mkdirSync(home);
  const file = join(home, markerFile);
  const told: string[] = [];
  let row = {
    address: "10.0.0.21",
    heartbeatPort: 9050,
    alive: true,
    decommissioned: true,
    tabletNum: 7,
    version: "3.5.7-d2da301",
    errMsg: "",
  } as Backend;
  const sql = noting(told);
  frontends.rows = async () => ({ frontends: [], backends: [row] });
  frontends.ask = async () => [row] as never;
  frontends.tell = async (statement) => {
    const outcome = await statement(sql);
    row = { ...row, decommissioned: told.at(-1) !== cancel };
    return outcome;
  };
  const node = nodeOn(localHost(), backend({ address: "10.0.0.21", home }));
  const limits = { ...limitsOf({}), alive: 5000 };
  const topology = topologyWith(operation, [{ ...node, limits }]);
  const { beMember: sample } = samples(run.cluster);
  const inputs = read(beMemberInputs, { ...sample, home, release: topology.release });
  const member = { inputs, host: localHost(), frontends, run, limits, report: () => undefined };
  const owner = { schema: 1, cluster: run.cluster, node: "be-1", kind: "be", releases: [] };
  const write = (more: object): void => writeFileSync(file, JSON.stringify({ ...owner, ...more }));
  write({});
  return {
    told,
    member,
    topology,
    file,
    write,
    set: (fields: Partial<Backend>) => {
      row = { ...row, ...fields };
    },
    noted: (): boolean => existsSync(file) && JSON.parse(readFileSync(file, "utf8")).leaving !== undefined,
    survey: (policy = topology.policy) => survey({ ...topology, policy }, () => undefined),
  };
};

const add = async ({ member }: ReturnType<typeof clusterOf>) =>
  works(member).add?.({ verb: "add", text: "" }) ?? assert.fail("a member is added");

const refusal =
  /^BE be-1 is declared, but it is being decommissioned, and no removal .* is known to have begun that: .* CANCEL DECOMMISSION BACKEND "10\.0\.0\.21:9050" in the cluster, then `pulumi up` again\. .* take it out of the program/;

describe("a declared BE that is being decommissioned", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "decommission-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is kept at the end, where its removal began that and was cut short", async () => {
    const cluster = clusterOf(folder);
    cluster.write({ leaving: { at: "" } });
    const { detail } = await cluster.survey();
    assert.match(detail ?? "", /^canceled the decommission of BE be-1, which is declared again; 1 nodes Alive/);
    assert.deepEqual(cluster.told, [cancel]);
    assert.equal(cluster.noted(), false);
  });

  it("is never proven at the end, where somebody else began that, and nothing is canceled", async () => {
    const cluster = clusterOf(folder);
    await assert.rejects(cluster.survey(), { message: refusal });
    assert.deepEqual(cluster.told, []);
  });

  it("is let be at the end, where the user takes that", async () => {
    const cluster = clusterOf(folder);
    await cluster.survey({ ...cluster.topology.policy, acceptHazards: ["decommission-under-way"] });
    assert.deepEqual(cluster.told, []);
  });

  it("joins again where its removal was cut short, and is refused else", async () => {
    const cluster = clusterOf(folder);
    await assert.rejects(add(cluster), { message: refusal });
    cluster.write({ leaving: { at: "" } });
    const outcome = await add(cluster);
    assert.deepEqual(outcome, { mark: "done", detail: "its decommission was canceled, as it is declared again" });
    assert.deepEqual(cluster.told, [cancel]);
  });

  it("has no note any more where its decommission was canceled by hand: one that comes later is somebody else's", async () => {
    const cluster = clusterOf(folder);
    cluster.write({ leaving: { at: "" } });
    cluster.set({ decommissioned: false });
    await cluster.survey();
    assert.deepEqual([cluster.noted(), cluster.told], [false, []]);
  });

  const removal = async (cluster: ReturnType<typeof clusterOf>): Promise<void> => {
    cluster.member.run.stop("canceled");
    await assert.rejects(remove(cluster.member), /BE be-1 is being decommissioned, with 7 tablets left/);
  };

  it("has a note in its home from when its removal asks for that, and none where that had begun before", async () => {
    const cluster = clusterOf(folder);
    await removal(cluster);
    assert.equal(cluster.noted(), false);
    cluster.set({ decommissioned: false });
    await removal(cluster);
    assert.equal(cluster.noted(), true);
  });

  it("leaves all the same where its home is gone", async () => {
    const cluster = clusterOf(folder);
    rmSync(cluster.file);
    cluster.set({ decommissioned: false });
    await removal(cluster);
    assert.equal(cluster.told.length, 1);
  });
});
