import assert from "node:assert/strict";
import { once } from "node:events";
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { BecomeError, CommandError } from "../../../provider/host/errors.js";
import { closeAll, hostFor } from "../../../provider/host/pool.js";
import type { Host } from "../../../provider/host/types.js";
import { Cleanup } from "./equipment/cleanup.js";
import { type Sshd, startSshd } from "./equipment/sshd.js";

const textOf = async (stream: AsyncIterable<Buffer>): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

describe("stream", function () {
  this.timeout(60_000);
  const cleanup = new Cleanup();
  let sshd: Sshd;
  let host: Host;
  before(async () => {
    sshd = await startSshd();
    cleanup.add(sshd.stop);
    cleanup.add(closeAll);
    host = hostFor(sshd.connection);
  });
  after(cleanup.run);

  it("takes stdin and gives stdout, both ways at once", async () => {
    const stream = await host.stream(["sed", "-u", "s/^/> /"]);
    stream.write("one\n");
    const [first] = await once(stream, "data");
    assert.equal(String(first), "> one\n");
    stream.end("two\n");
    assert.equal(await textOf(stream), "> two\n");
  });

  it("carries any bytes, more than a window of them", async () => {
    const stream = await host.stream(["bash", "-c", "cat | sha256sum"]);
    const chunk = Buffer.alloc(256 * 1024, 7);
    const data = Readable.from(
      (function* () {
        for (let index = 0; index < 40; index += 1) {
          yield chunk;
        }
      })(),
    );
    const [, sum] = await Promise.all([pipeline(data, stream, { end: true }), textOf(stream)]);
    const { stdout } = await host.script("head -c $((40 * 262144)) /dev/zero | tr '\\0' '\\7' | sha256sum", []);
    assert.equal(sum, stdout);
  });

  it("keeps nothing for a reader that is slow", async () => {
    const stream = await host.stream(["head", "-c", "50000000", "/dev/zero"]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(stream.readableLength < 4_000_000, `${stream.readableLength} bytes wait here`);
    let size = 0;
    for await (const chunk of stream) {
      size += (chunk as Buffer).length;
    }
    assert.equal(size, 50_000_000);
  });

  it("fails its reader with what the command said, when that ended badly", async () => {
    const stream = await host.stream(["bash", "-c", "echo some; echo 'no such thing' >&2; exit 7"]);
    const error = await textOf(stream).catch((caught) => caught);
    assert.ok(error instanceof CommandError, String(error));
    assert.equal(error.code, 7);
    assert.equal(error.stderr, "no such thing");
  });

  it("fails its writer when the command ended", async () => {
    const stream = await host.stream(["bash", "-c", "exit 3"]);
    stream.resume();
    const error = await finished(stream).catch((caught) => caught);
    assert.ok(error instanceof CommandError, String(error));
    assert.equal(error.code, 3);
  });

  it("ends the command when it is destroyed", async () => {
    const stream = await host.stream(["bash", "-c", "echo $$; exec cat"]);
    const [pid] = await once(stream, "data");
    stream.destroy();
    const { code } = await host.script(
      'for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || exit 0; sleep 0.2; done; exit 1',
      [String(pid).trim()],
    );
    assert.equal(code, 0);
  });

  it("is refused where sudo is", async () => {
    const other = hostFor({ ...sshd.connection, become: { user: "nobody-such" } });
    await assert.rejects(other.stream(["cat"]), BecomeError);
  });
});
