import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { Host } from "../../../../provider/host/types.js";
import { httpGet } from "../../../../provider/starrocks/http.js";
import { assertApart, findIsolation, type Isolation } from "../../../../provider/starrocks/rehearsal/isolation.js";
import { localHost } from "../local-host.js";

const possible = ["-n", "-rn"].some((how) => {
  try {
    execFileSync("unshare", [how, "ip", "link", "set", "lo", "up"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});

/** Says "inside" to whoever asks by HTTP, and calls a port of the machine. */
const program = (outside: number): string => `
  const { createServer } = require("node:http");
  const { connect } = require("node:net");
  const called = new Promise((resolve) => {
    connect(${outside}, "127.0.0.1").on("connect", () => resolve("reached")).on("error", (error) => resolve(error.code));
  });
  createServer(async (_, answer) => answer.end("inside, " + await called)).listen(18030, "127.0.0.1", () => console.log("ready"));
`;

describe("isolation", function () {
  this.timeout(20_000);
  let outside: Server;
  let port: number;
  let child: ChildProcess | undefined;
  before(async () => {
    outside = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(outside, "listening");
    const address = outside.address();
    port = typeof address === "object" && address ? address.port : 0;
  });
  afterEach(() => child?.kill("SIGKILL"));
  after(() => outside.close());

  const start = async ({ wrapper }: Isolation): Promise<number> => {
    const [first = "", ...rest] = [...wrapper, process.execPath, "-e", program(port)];
    child = spawn(first, rest, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout as NodeJS.ReadableStream, "data");
    return child.pid ?? 0;
  };

  it("keeps a process from every address but its own, and lets us in", async function () {
    if (!possible) {
      this.skip();
    }
    const host = localHost();
    const isolation = await findIsolation(host, { privileged: host });
    const pid = await start(isolation);
    assert.equal(await assertApart(isolation, pid), true);
    const answer = await httpGet(isolation.inside(pid), "127.0.0.1", 18_030, "/");
    assert.equal(answer.body, "inside, ECONNREFUSED");
    await assert.rejects(httpGet(isolation.inside(pid), "127.0.0.1", 18_031, "/"));
  });

  it("tells a process that is not apart", async () => {
    const host = localHost();
    const pid = await start({ way: "", wrapper: [], host, inside: () => host });
    await assert.rejects(
      assertApart({ way: "", wrapper: ["unshare"], host, inside: () => host }, pid),
      /should be in a network namespace of its own/,
    );
  });

  it("tells that it cannot say of a process that has just ended", async () => {
    const host = localHost();
    const pid = await start({ way: "", wrapper: [], host, inside: () => host });
    const ended = once(child as NonNullable<typeof child>, "exit");
    child?.kill("SIGKILL");
    await ended;
    assert.equal(await assertApart({ way: "", wrapper: ["unshare"], host, inside: () => host }, pid), false);
  });

  const without = {
    ...localHost(),
    script: (text: string, args: readonly string[], options?: object) =>
      localHost().script(
        `unshare() { echo 'unshare failed: Operation not permitted'; return 1; }\n${text}`,
        args,
        options,
      ),
  };

  it("is refused where no namespace can be made, with what was tried", async () => {
    await assert.rejects(
      findIsolation(without, { privileged: without }),
      /cannot cut a process off[\s\S]*Operation not permitted/,
    );
  });

  it("is not believed of a host that reaches a port of the cluster, open or refused", async () => {
    for (const target of [port, 1]) {
      await assert.rejects(
        findIsolation(without, { privileged: without, noRouteTo: [{ address: "127.0.0.1", port: target }] }),
        new RegExp(`declared as \`isolated\`, but it reaches the cluster: 127\\.0\\.0\\.1:${target}`),
      );
    }
  });

  it("is not believed where a try proves nothing: a name that is not known, a program that is missing", async () => {
    const target = { address: "fe-1.invalid", port: 9010 };
    await assert.rejects(
      findIsolation(without, { privileged: without, noRouteTo: [target, { address: "100::1", port: 9010 }] }),
      /it could not be proven that it has no route to fe-1\.invalid:9010 \([^)]+\): wanted/,
    );
    const bare: Host = {
      ...without,
      script: (text, args, options) =>
        without.script(`timeout() { echo 'timeout: not found'; return 127; }\n${text}`, args, options),
    };
    await assert.rejects(
      findIsolation(bare, { privileged: bare, noRouteTo: [{ address: "100::1", port: 9010 }] }),
      /no route to 100::1:9010 \(not found\)/,
    );
  });

  it("is believed of a host from which nothing of the cluster answers", async () => {
    // The discard prefix of RFC 6666 leads nowhere.
    const isolation = await findIsolation(without, {
      privileged: without,
      noRouteTo: [{ address: "100::1", port: 9010 }],
    });
    assert.equal(isolation.way, "a host without a route to the cluster");
  });
});
