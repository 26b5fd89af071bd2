import assert from "node:assert/strict";
import { samples, secrets } from "../unit/resources/samples.js";
import { ProviderFailure } from "./harness.js";
import { closedPort, type Operation, startOperation } from "./program.js";

const kinds = ["release", "preflight", "feNode", "beNode", "feMember", "beMember", "rollout"] as const;
const hidden = (text: string): readonly string[] => secrets.filter((secret) => text.includes(secret));

describe("a host that cannot be reached", () => {
  let operation: Operation;
  let port: number;
  let inputs: Record<(typeof kinds)[number], Record<string, unknown>>;
  before(async () => {
    port = await closedPort();
    operation = await startOperation();
    const given = samples("lab/dev/unreachable");
    const connection = { ...given.release.connection, port };
    const limits = { leader: 0.1, alive: 0.1, sql: 0.5 };
    const contacts = given.beNode.frontends.map((contact) => ({ ...contact, connection: { host: "127.0.0.1", port } }));
    inputs = Object.fromEntries(
      kinds.map((kind) => [
        kind,
        {
          ...given[kind],
          connection,
          limits,
          ...(kind !== "release" && { frontends: contacts }),
          ...("nodes" in given[kind] && { connections: [1, 2, 3].map((end) => ({ host: `127.0.0.${end}` })) }),
        },
      ]),
    ) as unknown as typeof inputs;
  });
  after(() => operation.end());

  for (const kind of kinds) {
    it(`fails the create of ${kind} with what was tried and seen, and saves nothing`, async () => {
      const calls = operation.of(kind);
      const { inputs: checked, failures } = await calls.check({}, inputs[kind]);
      assert.deepEqual(failures, []);
      await assert.rejects(calls.create(checked), (error) => {
        assert.ok(error instanceof ProviderFailure);
        assert.equal(error.partial, undefined, "a partial state was saved");
        assert.match(
          error.message,
          // What hinders all is told in full to the first one.
          new RegExp(`127\\.0\\.0\\.1:${port}|has no lease on the cluster`),
        );
        assert.doesNotMatch(error.message, /\bat .*\.js:\d+|undefined|\[object/);
        assert.deepEqual(hidden(error.message), []);
        return true;
      });
    });
  }

  for (const kind of ["feNode", "beNode", "release", "feMember", "beMember"] as const) {
    it(`keeps the recorded state of ${kind} in a refresh, and warns`, async () => {
      const before = operation.provider.logged.length;
      const outputs = { ...inputs[kind], status: "running", ...(kind === "release" && { staged: true }) };
      const read = await operation.of(kind).read("an-id", outputs);
      assert.equal(read.id, "an-id");
      const { status, ...rest } = read.outputs;
      const { status: _, ...recorded } = outputs as Record<string, unknown>;
      assert.deepEqual(rest, recorded);
      assert.equal(status, /Node$/.test(kind) ? "unreachable" : "running");
      const warnings = operation.provider.logged.slice(before).filter(({ severity }) => severity === "warning");
      assert.deepEqual(
        warnings.map(({ urn }) => urn),
        [inputs[kind].__urn],
      );
    });
  }

  for (const kind of ["feNode", "beNode"] as const) {
    it(`fails the delete of ${kind} with what is not proven, and two ways on`, async () => {
      const outputs = { ...inputs[kind], status: "running" };
      await assert.rejects(operation.of(kind).delete("an-id", outputs), (error) => {
        assert.ok(error instanceof ProviderFailure);
        assert.match(
          error.message,
          new RegExp(`cannot be removed, as its host cannot be reached: 127\\.0\\.0\\.1:${port}`),
        );
        assert.match(error.message, /Not proven: that its process is gone\. No FE answers/);
        assert.match(error.message, /Bring 127\.0\.0\.1:\d+ back and run the same again/);
        assert.ok(error.message.includes(`\`pulumi state delete '${inputs[kind].__urn}'\``), error.message);
        assert.deepEqual(hidden(error.message), []);
        return true;
      });
    });
  }

  it("takes the delete of a release for done, and warns", async () => {
    const before = operation.provider.logged.length;
    await operation.of("release").delete("an-id", { ...inputs.release, staged: true });
    const [warning, ...more] = operation.provider.logged.slice(before).filter(({ severity }) => severity === "warning");
    assert.match(
      warning?.message ?? "",
      /^The release below \/opt\/starrocks stays on 10\.0\.0\.21, which cannot be reached/,
    );
    assert.deepEqual(more, []);
  });

  it("leaves secrets in no message, output or journal", () => {
    assert.ok(operation.journals().length > 0);
    assert.deepEqual(hidden(operation.everything()), []);
  });

  it("notes in the journal what failed", () => {
    const marks = operation
      .journals()
      .join("")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, string>);
    const ofPreflight = marks
      .filter(({ item, mark }) => item === "pre-flight" && mark !== undefined)
      .map(({ step, mark }) => `${step} ${mark}`);
    assert.deepEqual(ofPreflight, ["inspect failed"]);
  });
});
