import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { downloadArchive } from "../../../provider/starrocks/download.js";
import { incomingArchive } from "../../../provider/starrocks/layout.js";
import { stageRelease } from "../../../provider/starrocks/release.js";
import { type Bench, buildToy, openBench, type ToyArchive } from "./toy.js";

describe("download", function () {
  this.timeout(30_000);
  let bench: Bench;
  let toy: ToyArchive;
  let server: Server;
  let url: string;
  let ranges: (string | undefined)[];
  let supportsRanges: boolean;
  beforeEach(async () => {
    bench = openBench();
    toy = buildToy(bench.folder, { version: "3.5.7" });
    ranges = [];
    supportsRanges = true;
    server = createServer((request, response) => {
      const content = readFileSync(toy.archive);
      ranges.push(request.headers.range);
      const from = supportsRanges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
      if (request.url !== "/release.tar.gz") {
        response.writeHead(404).end();
      } else if (from >= content.length) {
        response.writeHead(416).end();
      } else {
        const range = `bytes ${from}-${content.length - 1}/${content.length}`;
        response.writeHead(from > 0 ? 206 : 200, from > 0 ? { "content-range": range } : {});
        response.end(content.subarray(from));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/release.tar.gz`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await bench.clear();
  });

  const archive = (): string => incomingArchive(bench.deployDir, toy.sha256);
  const download = (more: { url?: string; sha256?: string } = {}): Promise<void> =>
    downloadArchive(bench.host, {
      url,
      path: archive(),
      sha256: toy.sha256,
      limit: 20_000,
      onProgress: () => {},
      ...more,
    });
  const leave = (content: Buffer): void => {
    mkdirSync(join(archive(), ".."), { recursive: true });
    writeFileSync(`${archive()}.part`, content);
  };

  it("stages a release that the host gets itself", async () => {
    const progress: string[] = [];
    const staged = await stageRelease(bench.host, {
      ...toy,
      deployDir: bench.deployDir,
      source: { url },
      parts: ["be"],
      onProgress: (message) => progress.push(message),
    });
    assert.equal(staged.did, "staged");
    assert.match(progress.join("\n"), /^downloading http.*unpacking and verifying be of 3\.5\.7-/s);
    assert.equal(existsSync(archive()), false);
  });

  it("resumes what an earlier run got", async () => {
    leave(readFileSync(toy.archive).subarray(0, 100));
    await download();
    assert.deepEqual(ranges, ["bytes=100-"]);
    assert.deepEqual(readFileSync(archive()), readFileSync(toy.archive));
    await download();
    assert.equal(ranges.length, 1);
  });

  it("takes what was complete without asking again", async () => {
    leave(readFileSync(toy.archive));
    await download();
    assert.deepEqual(ranges, []);
  });

  it("starts anew when what was left does not fit, or the server cannot resume", async () => {
    leave(Buffer.alloc(100));
    await download();
    assert.deepEqual(ranges, ["bytes=100-", undefined]);
    ranges = [];
    supportsRanges = false;
    await bench.host.run(["rm", archive()]);
    leave(readFileSync(toy.archive).subarray(0, 100));
    await download();
    assert.deepEqual(readFileSync(archive()), readFileSync(toy.archive));
  });

  it("removes what has another digest", async () => {
    await assert.rejects(download({ sha256: "0".repeat(64) }), /has sha256 [0-9a-f]{64}, declared 0000.*Correct/);
    assert.equal(existsSync(archive()), false);
    assert.equal(existsSync(`${archive()}.part`), false);
  });

  it("says what the tool said", async () => {
    await assert.rejects(download({ url: `${url}.none` }), /Cannot download http.*curl: .*404/s);
  });
});
