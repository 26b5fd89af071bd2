import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Host } from "../../../provider/host/types.js";
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
  /** What the server was asked for, and the arguments of all processes meanwhile. */
  let asked: { readonly url: string; readonly authorization: string; readonly seen: string };
  beforeEach(async () => {
    bench = openBench();
    toy = buildToy(bench.folder, { version: "3.5.7" });
    ranges = [];
    supportsRanges = true;
    server = createServer((request, response) => {
      const content = readFileSync(toy.archive);
      ranges.push(request.headers.range);
      const { authorization = "" } = request.headers;
      asked = { url: request.url ?? "", authorization, seen: argumentsOfAll() };
      const from = supportsRanges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
      if (!/^\/release\.tar\.gz($|\?)/.test(request.url ?? "")) {
        response.writeHead(404).end();
      } else if (request.url?.includes("?") && authorization === "") {
        // wget waits to be asked.
        response.writeHead(401, { "www-authenticate": "Basic" }).end();
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
  interface More {
    readonly host?: Host;
    readonly url?: string;
    readonly sha256?: string;
    readonly onProgress?: (message: string) => void;
  }
  const download = ({ host = bench.host, ...more }: More = {}): Promise<void> =>
    downloadArchive(host, {
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

  const hosts = [
    { tool: "curl", on: (): Host => bench.host },
    { tool: "wget", on: (): Host => without("curl", bench.host) },
  ];
  for (const { tool, on } of hosts) {
    describe(`with ${tool}, of a url that is a secret`, () => {
      const key = "hunter2";
      const secretUrl = (): string => url.replace("//", `//user:${key}a@`).concat(`?sig=${key}b%2F"\\&x=1`);
      const messageOf = async (failing: Promise<void>): Promise<string> => {
        const error = await failing.then(
          () => undefined,
          (reason: Error) => reason,
        );
        return error?.message ?? "no error";
      };

      it("asks for the whole of it, which no process has among its arguments", async () => {
        await download({ host: on(), url: secretUrl() });
        assert.deepEqual(readFileSync(archive()), readFileSync(toy.archive));
        assert.match(asked.url, /^\/release\.tar\.gz\?sig=hunter2b%2F%22%5C&x=1$/);
        assert.equal(asked.authorization, `Basic ${Buffer.from(`user:${key}a`).toString("base64")}`);
        assert.match(asked.seen, new RegExp(`\0${tool}\0|^${tool}\0`, "m"));
        assert.ok(!asked.seen.includes(key), asked.seen);
      });

      it("tells no more of it than scheme, host and file", async () => {
        const told: string[] = [];
        const onProgress = (message: string): unknown => told.push(message);
        const none = secretUrl().replace(".tar.gz", ".none");
        told.push(await messageOf(download({ host: on(), url: none, onProgress })));
        told.push(await messageOf(download({ host: on(), url: secretUrl(), sha256: "0".repeat(64), onProgress })));
        assert.match(told.join("\n"), /^Cannot download http:\/\/127\.0\.0\.1:\d+\/release\.none on .*404/ms);
        assert.match(told.join("\n"), /^The download of http:\/\/127\.0\.0\.1:\d+\/release\.tar\.gz on /m);
        assert.ok(!told.join("\n").includes(key), told.join("\n"));
      });
    });
  }
});

/** The host as if it had not the program. */
const without = (program: string, host: Host): Host => ({
  ...host,
  script: (text, args, options) =>
    host.script(`command() { [ "$2" != ${program} ] && builtin command "$@"; }\n${text}`, args, options),
});

const argumentsOfAll = (): string =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => argumentsOf(pid))
    .join("\n");

const argumentsOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
};
