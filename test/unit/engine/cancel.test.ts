import assert from "node:assert/strict";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { onCancel } from "../../../provider/engine/cancel.js";

type Method = "cancel" | "getPluginInfo";

/** A private part of Node, by which the HTTP/2 server of this process is found. */
type Process = { _getActiveHandles?: (() => readonly unknown[]) | undefined };

describe("onCancel", () => {
  let server: Server;
  let client: Client;
  const handles = (process as Process)._getActiveHandles;

  beforeEach(async () => {
    // As Pulumi's dynamic provider is served.
    server = new Server();
    server.addService(
      ResourceProviderService,
      Object.fromEntries(
        (["cancel", "getPluginInfo"] as const).map((name) => [
          name,
          (_call: unknown, answer: (error: null, value: unknown) => void) => answer(null, {}),
        ]),
      ),
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  });
  afterEach(() => {
    (process as Process)._getActiveHandles = handles;
    client.close();
    server.forceShutdown();
  });

  /** The call arrives; what it is answered does not matter here. */
  const call = (method: Method): Promise<void> => {
    const { path } = ResourceProviderService[method];
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        path,
        () => Buffer.alloc(0),
        () => undefined,
        undefined,
        () => resolve(),
      );
    });
  };

  it("hears the engine's Cancel, each time, and no other call", async () => {
    let heard = 0;
    onCancel(() => {
      heard += 1;
    });
    await call("getPluginInfo");
    assert.equal(heard, 0);
    await call("cancel");
    assert.equal(heard, 1);
    await call("cancel");
    assert.equal(heard, 2);
  });

  it("hears nothing, and does no harm, where Node hides its handles", async () => {
    (process as Process)._getActiveHandles = undefined;
    let heard = 0;
    onCancel(() => {
      heard += 1;
    });
    await call("cancel");
    assert.equal(heard, 0);
  });
});
