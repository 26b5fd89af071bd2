import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../../provider/error.js";
import { limitsOf } from "../../../provider/plan/limits.js";
import type { FeSpec } from "../../../provider/plan/spec.js";
import type { NodeContext } from "../../../provider/resources/node/context.js";
import { handOverLeadership, stopLeader } from "../../../provider/resources/node/leadership.js";
import { done, skipped } from "../../../provider/rollout/execute.js";
import type { Frontend } from "../../../provider/starrocks/statements.js";
import { buildJdk } from "../../simulator/jdk.js";
import { fe } from "../plan/specs.js";
import { localHost } from "../starrocks/local-host.js";

describe("the stop of an FE that leads", () => {
  /** A group that answers each question with the next of these leaders; the last one goes on to lead. */
  const group = (...leaders: readonly (string | undefined)[]): NodeContext<FeSpec> => {
    let asked = 0;
    const rows = async () => {
      const address = leaders[Math.min(asked++, leaders.length - 1)];
      return address === undefined ? undefined : { frontends: [{ role: "leader", address, editLogPort: 9010 }] };
    };
    const limits = { ...limitsOf({}), stop: 0, leader: 200 };
    return { spec: fe(), limits, frontends: { rows } } as unknown as NodeContext<FeSpec>;
  };
  const ignored = (): void => undefined;

  it("waits for the election, and tells how long nobody led", async () => {
    const outcome = await stopLeader(group("10.0.0.11", undefined, "10.0.0.12"), async () => done, ignored);
    assert.match(outcome.detail ?? "", /^10\.0\.0\.12 leads after [\d.]+ s without a leader$/);
  });

  it("goes on where nobody is elected: the group needs this FE again", async () => {
    const outcome = await stopLeader(group(undefined), async () => done, ignored);
    assert.equal(outcome.mark, "done");
    assert.match(outcome.detail ?? "", /^Waited 0\.2 s for the other FEs to elect a leader; last seen: nobody leads\./);
  });

  it("waits for nobody where it was not stopped, or could not be", async () => {
    assert.deepEqual(
      await stopLeader(group("10.0.0.11"), async () => skipped("it does not run"), ignored),
      skipped("it does not run"),
    );
    const fails = async () => {
      throw new UserError("it does not end");
    };
    await assert.rejects(stopLeader(group("10.0.0.11"), fails, ignored), /it does not end/);
  });
});

describe("the hand-over of the leadership", () => {
  const folder = mkdtempSync(join(tmpdir(), "leadership-"));
  const home = join(folder, "fe");
  const javaHome = join(folder, "jdk");
  const jar = join(home, "lib/starrocks-bdb-je-18.3.20.jar");
  before(async () => {
    await buildJdk({ directory: javaHome, version: 17 });
    mkdirSync(join(home, "lib"), { recursive: true });
  });
  beforeEach(() => tool('console.log("The new master is: fe-1");'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const tool = (script: string): void => writeFileSync(jar, script);

  const names = ["fe-1", "fe-2", "fe-3"];
  const rowsWith = (leader: string | undefined, more: Partial<Frontend> = {}): readonly Frontend[] =>
    names.map(
      (name, index) =>
        ({
          name,
          address: `10.0.0.1${index + 1}`,
          editLogPort: 9010,
          role: name === leader ? "leader" : "follower",
          join: true,
          alive: true,
          version: "3.5.7-d2da301",
          ...(name !== leader && more),
        }) as Frontend,
    );

  /** What `fe-3`, which is going to be of 3.5.8, comes to where these lead one after the other, the last one for ever. */
  const handOver = async (leaders: readonly (string | undefined)[], more: Partial<Frontend> = {}) => {
    const spec = fe({
      name: "fe-3",
      address: "10.0.0.13",
      role: "follower",
      home,
      javaHome,
      release: { id: "3.5.8-bbbbbbbbbbbb", version: "3.5.8" },
    });
    let asked = 0;
    const rows = async () => ({ frontends: rowsWith(leaders[Math.min(asked++, leaders.length - 1)], more) });
    const context = {
      spec,
      host: localHost(),
      limits: { ...limitsOf({}), leader: 1500 },
      run: { answers: true },
      frontends: {
        contacts: names.map((name, index) => ({
          name,
          address: `10.0.0.1${index + 1}`,
          role: index === 0 ? "leader" : "follower",
        })),
        rows,
        rowsSoon: rows,
        forget: () => undefined,
      },
    } as unknown as NodeContext<FeSpec>;
    let begun = 0;
    const outcome = await handOverLeadership(
      context,
      () => undefined,
      async () => {
        begun += 1;
      },
    );
    return { ...outcome, begun };
  };

  it("is done when the declared leader leads, and tells how long it took", async () => {
    const { mark, detail, begun } = await handOver(["fe-3", "fe-3", undefined, "fe-1"]);
    assert.equal(mark, "done");
    assert.match(detail ?? "", /^10\.0\.0\.11 leads after [\d.]+ s$/);
    assert.equal(begun, 1);
  });

  it("is done also where the vote went to another FE, and says so", async () => {
    const { mark, detail } = await handOver(["fe-3", undefined, "fe-2"]);
    assert.equal(mark, "done");
    assert.match(detail ?? "", /^10\.0\.0\.12 leads after [\d.]+ s, though 10\.0\.0\.11 was to$/);
  });

  it("that the tool refuses is left to the stop, with what it said", async () => {
    for (const said of ["usage: java { DbGroupAdmin }", "UnknownMasterException: Could not determine master"]) {
      tool(`console.error(${JSON.stringify(said)}); process.exitCode = 255;`);
      const { mark, detail, begun } = await handOver(["fe-3"]);
      assert.equal(mark, "not met");
      assert.equal(detail, `refused: ${said}; the stop elects another one`);
      assert.equal(begun, 1);
    }
  });

  it("for which there is no tool is left to the stop", async () => {
    rmSync(jar);
    const { mark, detail } = await handOver(["fe-3"]);
    assert.equal(mark, "not met");
    assert.match(
      detail ?? "",
      /^the hand-over failed \(Expected \S+starrocks-bdb-je-\*\.jar on local .*\); the stop elects another one$/,
    );
  });

  it("after which this FE still leads is left to the stop", async () => {
    const { mark, detail } = await handOver(["fe-3"]);
    assert.equal(mark, "not met");
    assert.match(
      detail ?? "",
      /^the hand-over failed \(Waited 1\.5 s for 10\.0\.0\.11 to lead the FE group; last seen: 10\.0\.0\.13 leads\..*\); the stop elects another one$/,
    );
  });

  it("is not begun where another FE leads, nor where none of the version before could", async () => {
    assert.deepEqual(await handOver(["fe-2"]), { mark: "not met", detail: "10.0.0.12 leads", begun: 0 });
    for (const more of [
      { alive: false },
      { join: false },
      { role: "observer" },
      { version: "3.5.8-e58b001" },
    ] as const) {
      assert.deepEqual(await handOver(["fe-3"], more), {
        mark: "not met",
        detail: "no other voting FE is Alive with the version before",
        begun: 0,
      });
    }
  });
});
