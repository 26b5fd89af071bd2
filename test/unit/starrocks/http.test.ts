import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { TransientError, UserError } from "../../../provider/error.js";
import type { Host } from "../../../provider/host/types.js";
import { beHealth, feBootstrap, httpGet, readinessOf } from "../../../provider/starrocks/http.js";
import { loopback } from "./loopback.js";

const here = "127.0.0.1";

describe("http", () => {
  let server: Server;
  let port: number;
  let answer: RequestListener;
  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response)).listen(0, here);
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  it("asks through the tunnel and gives status and body", async () => {
    answer = (request, response) => {
      response
        .writeHead(403)
        .end(`${request.method} ${request.url} ${request.headers.host} ${request.headers.authorization}`);
    };
    assert.deepEqual(await httpGet(loopback, here, port, "/a?b=c"), {
      status: 403,
      body: `GET /a?b=c ${here}:${port} undefined`,
    });
    const auth = { user: "root", password: "p:w" };
    const { body } = await httpGet(loopback, here, port, "/", { auth, method: "POST" });
    assert.equal(body, `POST / ${here}:${port} Basic ${Buffer.from("root:p:w").toString("base64")}`);
  });

  it("gives up on a page that does not come, without telling its query", async () => {
    answer = () => undefined;
    await assert.rejects(
      httpGet(loopback, here, port, "/api/bootstrap?token=secret", { limit: 30 }),
      (error: unknown) => {
        assert.ok(error instanceof TransientError);
        assert.match(error.message, /\/api\/bootstrap gave no answer within/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  });

  it("gives up on an answer that stops half-way", async () => {
    answer = (_, response) => {
      response.writeHead(200, { "Content-Length": "10" }).write("12", () => response.destroy());
    };
    await assert.rejects(httpGet(loopback, here, port, "/"), TransientError);
  });

  it("gives up on a page without end", async () => {
    answer = (_, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(65_536))) {}
        response.once("drain", more);
      };
      more();
    };
    await assert.rejects(httpGet(loopback, here, port, "/"), /more than 4194304 bytes/);
  });

  describe("probes", () => {
    const rows: [string, number, string, string | undefined][] = [
      // Literally from a 3.5.7.
      [
        "a ready FE",
        200,
        '{"replayedJournalId":0,"queryPort":0,"rpcPort":0,"feStartTime":0,"heapUsedPercent":0.0,"status":"OK","code":"0","msg":"Success","message":"OK"}',
        undefined,
      ],
      ["a BE", 200, '{"status": "OK","msg": "To Be Added"}', undefined],
      ["an FE that lags", 200, '{"status":"FAILED","msg":"not ready"}', "HTTP 200, FAILED: not ready"],
      ["an FE that drains", 500, '{"status":"OK"}', "HTTP 500, OK: "],
      ["another server", 200, "<html>\n<b>hi</b>", 'HTTP 200, "<html> <b>hi</b>"'],
      ["an empty page", 404, "", "HTTP 404, an empty answer"],
      ["other JSON", 200, "null", 'HTTP 200, "null"'],
    ];
    for (const [name, status, body, seen] of rows) {
      it(`${seen === undefined ? "is content with" : "is not content with"} ${name}`, () =>
        assert.deepEqual(readinessOf({ status, body }), seen === undefined ? { ok: true } : { ok: false, seen }));
    }

    for (const [probe, path] of [
      [feBootstrap, "/api/bootstrap"],
      [beHealth, "/api/health"],
    ] as const) {
      it(`asks ${path}`, async () => {
        let asked: string | undefined;
        answer = (request, response) => {
          asked = request.url;
          response.end('{"status":"OK"}');
        };
        assert.deepEqual(await probe(loopback, here, port), { ok: true });
        assert.equal(asked, path);
      });
    }

    it("sees a refused connection and a silent server", async () => {
      answer = () => undefined;
      const silent = await beHealth(loopback, here, port, { limit: 30 });
      assert.ok(!silent.ok && /no answer within/.test(silent.seen));
      server.close();
      server.closeAllConnections();
      const refused = await feBootstrap(loopback, here, port);
      assert.ok(!refused.ok && /ECONNREFUSED/.test(refused.seen));
    });

    it("does not take a broken host for a node that is not ready", async () => {
      const broken: Host = { ...loopback, connect: () => Promise.reject(new UserError("host key changed")) };
      await assert.rejects(feBootstrap(broken, here, port), /host key changed/);
    });
  });
});
