import assert from "node:assert/strict";
import { PartialFailure } from "../../../provider/engine/failure.js";
import { echo, plain } from "../../../provider/engine/outputs.js";

describe("plain", () => {
  it("drops what the dynamic layer cannot carry", () => {
    const value = { a: 1, b: undefined, c: { d: undefined, e: [1, 2] }, f: () => 1, g: new Date(0) };
    assert.deepEqual(plain(value), { a: 1, c: { e: [1, 2] }, g: "1970-01-01T00:00:00.000Z" });
    assert.deepEqual(Object.keys(plain(value)), ["a", "c", "g"]);
  });

  it("is a copy", () => {
    const inner = { list: [1] };
    const copy = plain({ inner }) as { inner: { list: number[] } };
    copy.inner.list.push(2);
    assert.deepEqual(inner.list, [1]);
  });
});

describe("echo", () => {
  it("gives inputs as outputs, without the named keys and without changing the inputs", () => {
    const inputs = { name: "be-1", plan: ["1. start"], connection: { password: "s3cret" }, home: undefined };
    assert.deepEqual(echo(inputs, ["plan", "not there"]), { name: "be-1", connection: { password: "s3cret" } });
    assert.deepEqual(inputs.plan, ["1. start"]);
  });
});

describe("PartialFailure", () => {
  it("carries what the engine saves, and the message as a reason, as only reasons reach the user", () => {
    const cause = new Error("the BE does not run");
    const failure = new PartialFailure("lab:be:be-1", { name: "be-1", home: undefined, status: "failed" }, cause);
    assert.equal(failure.id, "lab:be:be-1");
    assert.deepEqual(failure.reasons, ["the BE does not run"]);
    assert.deepEqual(failure.properties, { name: "be-1", status: "failed" });
    assert.equal(failure.message, "the BE does not run");
    assert.equal(failure.cause, cause);
  });

  it("has a reason for anything that was thrown", () => {
    assert.deepEqual(new PartialFailure("id", {}, "a text").reasons, ["a text"]);
  });
});
