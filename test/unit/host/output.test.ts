import assert from "node:assert/strict";
import { Collector, redact, tail } from "../../../provider/host/output.js";
import { Preamble } from "../../../provider/host/preamble.js";

describe("tail", () => {
  it("keeps the last 20 lines", () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    assert.deepEqual(tail(`${lines.join("\n")}\n`).split("\n"), lines.slice(10));
  });

  it("keeps at most 2048 characters", () => {
    assert.equal(tail("x".repeat(5000)).length, 2049);
  });
});

describe("redact", () => {
  it("hides secrets, all of them, and leaves words of one or two letters", () => {
    assert.equal(redact("a hunter2 b hunter2 ab", ["hunter2", "ab"]), "a [secret] b [secret] ab");
  });

  it("hides a secret whole of which another one is a part", () => {
    assert.equal(redact("hunter22", ["hunter2", "hunter22"]), "[secret]");
  });
});

describe("Collector", () => {
  it("keeps the beginning of an answer and says that there was more", () => {
    const collector = new Collector(4, "first");
    for (const part of ["abc", "def", "ghi"]) {
      collector.add(Buffer.from(part));
    }
    assert.equal(collector.text(), "abcdef");
    assert.equal(collector.overflowed, true);
  });

  it("keeps the end of a complaint", () => {
    const collector = new Collector(4, "last");
    for (const part of ["abc", "def", "ghi"]) {
      collector.add(Buffer.from(part));
    }
    assert.equal(collector.text(), "defghi");
  });

  it("joins characters that came in pieces", () => {
    const collector = new Collector(100, "first");
    const bytes = Buffer.from("東京");
    collector.add(bytes.subarray(0, 2));
    collector.add(bytes.subarray(2));
    assert.equal(collector.text(), "東京");
  });
});

describe("Preamble", () => {
  const take = (...chunks: string[]) => {
    const preamble = new Preamble("mark");
    const own = chunks.map((chunk) => preamble.take(Buffer.from(chunk))?.toString() ?? "");
    return { own: own.join(""), text: preamble.text, passed: preamble.passed };
  };

  it("drops what came before the mark, however the stream was cut", () => {
    const stream = "Welcome!\nno mark here\nmark\nown\nmark\n";
    for (let cut = 0; cut <= stream.length; cut += 1) {
      assert.equal(take(stream.slice(0, cut), stream.slice(cut)).own, "own\nmark\n");
    }
  });

  it("keeps it for messages as long as there is no mark", () => {
    assert.deepEqual(take("sudo: ", "no\n"), { own: "", text: "sudo: no\n", passed: false });
  });
});
