import assert from "node:assert/strict";
import type { dynamic } from "@pulumi/pulumi";
import { until } from "../../provider/wait.js";
import { type Provider, ProviderFailure, serialize, startProvider, unknownValue } from "./harness.js";

/** A provider that keeps notes; a few values make it misbehave. */
const notes: dynamic.ResourceProvider = {
  check: async (_olds, news) => ({
    inputs: { ...news, checked: true },
    failures: news.text === "" ? [{ property: "text", reason: "must not be empty" }] : [],
  }),
  diff: async (_id, olds, news) => ({
    changes: olds.text !== news.text,
    replaces: olds.author === news.author ? [] : ["author"],
    deleteBeforeReplace: true,
  }),
  create: async (inputs) => {
    if (inputs.text === "half") {
      throw Object.assign(new Error("half written"), {
        id: "note-1",
        properties: { text: "ha", __provider: inputs.__provider },
        reasons: ["the pen broke"],
      });
    }
    return { id: "note-1", outs: { text: inputs.text, pid: process.pid } };
  },
  read: async (id, props) => ({ id, props: { ...props, read: true }, inputs: { text: "from the host" } }),
  update: async (_id, _olds, news) => {
    console.log(`updating ${news.text}`);
    return { outs: { text: news.text } };
  },
  delete: async () => {
    throw new Error("it is carved in stone");
  },
};

describe("startProvider", () => {
  let provider: Provider;
  before(async () => {
    provider = await startProvider({ text: await serialize(notes) });
  });
  after(() => provider.close());

  it("checks inputs and hands on failures", async () => {
    assert.deepEqual(await provider.check({}, { text: "" }), {
      inputs: { text: "", checked: true },
      failures: [{ property: "text", reason: "must not be empty" }],
    });
  });

  it("diffs, with values that are not known yet", async () => {
    assert.deepEqual(await provider.diff("note-1", { text: "a" }, { text: unknownValue, author: "b" }), {
      changes: true,
      replaces: ["author"],
      deleteBeforeReplace: true,
    });
    assert.equal((await provider.diff("note-1", { text: "a" }, { text: "a" })).changes, false);
  });

  it("creates, reads and updates in one process", async () => {
    assert.deepEqual(await provider.create({ text: "a" }), { id: "note-1", outputs: { text: "a", pid: provider.pid } });
    assert.deepEqual(await provider.read("note-1", { text: "a" }), {
      id: "note-1",
      outputs: { text: "a", read: true },
      inputs: { text: "from the host" },
    });
    assert.deepEqual(await provider.update("note-1", { text: "a" }, { text: "b" }), { outputs: { text: "b" } });
    await until(
      async () =>
        provider.output().includes("updating b") ? { done: true, value: undefined } : { done: false, seen: "" },
      { what: "the provider's output", limit: 5000, every: 10 },
    );
  });

  it("rejects with the message, and with what a partial failure saves", async () => {
    await assert.rejects(provider.delete("note-1", {}), new ProviderFailure("it is carved in stone", undefined));
    await assert.rejects(provider.create({ text: "half" }), (error) => {
      assert.ok(error instanceof ProviderFailure);
      assert.equal(error.message, "half written");
      assert.equal(error.partial?.id, "note-1");
      assert.deepEqual(error.partial.reasons, ["the pen broke"]);
      assert.equal(error.partial.properties.text, "ha");
      assert.match(String(error.partial.properties.__provider), /^exports[.]handler/);
      return true;
    });
  });

  it("says why a provider does not start", async () => {
    await assert.rejects(
      startProvider({ text: "", env: { NODE_OPTIONS: "--require=/nowhere.js" } }),
      /ended with exit code 1 before it listened:.*Cannot find module '[/]nowhere[.]js'/s,
    );
  });
});

/** What a provider does to log on its own resource; the engine's address is the last argument of its process. */
const logger: dynamic.ResourceProvider = {
  create: async ({ urn }) => {
    const { credentials } = require("@grpc/grpc-js");
    const { EngineClient } = require("@pulumi/pulumi/proto/engine_grpc_pb");
    const { LogRequest } = require("@pulumi/pulumi/proto/engine_pb");
    const client = new EngineClient(process.argv.at(-1), credentials.createInsecure());
    const request = new LogRequest().setSeverity(2).setMessage("half way").setUrn(urn).setEphemeral(true);
    await new Promise((resolve) => client.log(request, resolve));
    return { id: "logger", outs: {} };
  },
};

describe("the fake engine", () => {
  it("records what a provider logs, and can go away", async () => {
    const provider = await startProvider({ text: await serialize(logger) });
    try {
      const urn = "urn:pulumi:lab::lab::test:Toy::toy";
      await provider.create({ urn });
      assert.deepEqual(provider.logged, [{ severity: "warning", message: "half way", urn, ephemeral: true }]);
      provider.stopEngine();
      await provider.create({ urn });
      assert.equal(provider.logged.length, 1);
      provider.kill("SIGTERM");
      assert.equal(await provider.ended, null);
    } finally {
      await provider.close();
    }
  });
});
