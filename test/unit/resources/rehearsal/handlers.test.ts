import assert from "node:assert/strict";
import { unknownValue } from "../../../../provider/engine/unknown.js";
import { runOf } from "../../../../provider/rollout/run.js";
import { handlersOf, sample } from "../samples.js";

type Inputs = Readonly<Record<string, unknown>>;

const { check, diff } = handlersOf("rehearsal");

const declare = (inputs: Inputs, version: string): Inputs => ({
  ...inputs,
  release: { ...(inputs.release as object), version },
});

/** What is recorded of one that was done for these inputs, on FEs that ran `against`. */
const recorded = ({ frontends, sql, ...echoed }: Inputs, against?: string): Inputs => ({
  ...echoed,
  ...(against !== undefined && { against: { version: against } }),
});

describe("what a rehearsal is told of fe.conf", () => {
  const wrong = [
    { key: "http_port", value: "8031", reason: /`ports\.http`/ },
    { key: "metadata_failure_recovery", value: "true", reason: /is not allowed in `config`/ },
    { key: "JAVA_OPTS", value: '"-Xmx8g', reason: /quotes/ },
  ];
  for (const { key, reason, value } of wrong) {
    it(`is checked as that of a node: ${key}`, async () => {
      const { failures = [] } = await check(
        {},
        { ...sample("rehearsal"), config: { [key]: value }, ownConfig: { "fe-1": { [key]: value } } },
      );
      assert.equal(failures.length, 2);
      for (const [index, argument] of [`config.${key}`, `ownConfig.fe-1.${key}`].entries()) {
        const said = failures[index]?.reason ?? "";
        assert.ok(said.startsWith(argument), said);
        assert.match(said, reason);
      }
    });
  }
});

describe("a recorded rehearsal", () => {
  it("is no difference by what the FEs ran, nor by not saying that, as states of before do", async () => {
    const inputs = sample("rehearsal");
    for (const against of ["3.4.9", undefined]) {
      assert.equal((await diff("id", recorded(inputs, against), inputs)).changes, false);
    }
  });

  it("is no difference by what is declared of fe.conf, known or not: that counts when it is done", async () => {
    const inputs = sample("rehearsal");
    for (const config of [{ JAVA_OPTS: '"-Xmx8g"' }, unknownValue]) {
      const news = { ...inputs, config, ownConfig: { "fe-1": { JAVA_OPTS: unknownValue } } };
      assert.deepEqual((await check(inputs, news)).failures ?? [], []);
      assert.equal((await diff("id", recorded(inputs), news)).changes, false);
    }
  });

  it("says in the plan what a patch of it still depends on", async () => {
    const inputs = sample("rehearsal");
    const news = declare(inputs, "3.5.7");
    const run = runOf(String(inputs.cluster));
    const planned = async (against?: string): Promise<readonly unknown[]> => {
      // An operation asks in this order; `check` does not get what is recorded beside the inputs.
      await check(inputs, news);
      assert.equal((await diff("id", recorded(inputs, against), news)).changes, true);
      const steps = run.items.get("rehearsal")?.steps ?? [];
      return [steps.length, ...new Set(steps.map(({ when }) => when))];
    };
    assert.deepEqual(await planned("3.4.9"), [5, "if the FEs still run 3.4.9"]);
    assert.deepEqual(await planned("3.5.5"), [0]);
    assert.deepEqual(await planned(), [5, "if the FEs run another minor version"]);
  });

  it("can be read and deleted with what it says beside its inputs", async () => {
    const outputs = recorded(sample("rehearsal"), "3.4.9");
    const { read } = handlersOf("rehearsal");
    assert.deepEqual((await read("id", outputs)).props, outputs);
    await handlersOf("rehearsal").delete("id", outputs);
  });
});
