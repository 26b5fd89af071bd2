import assert from "node:assert/strict";
import { once } from "node:events";
import type net from "node:net";
import thrift from "thrift";
import { Reader, Writer } from "../../../simulator/thrift/codec.js";
import { callThrift, createThriftServer } from "../../../simulator/thrift/rpc.js";
import { heartbeat } from "../../../simulator/thrift/services.js";
import {
  type HeartbeatResult,
  heartbeatResult,
  type MasterInfo,
  masterInfo,
} from "../../../simulator/thrift/structs.js";

const { Thrift, TBinaryProtocol, TBufferedTransport } = thrift;

const info: MasterInfo = {
  networkAddress: { hostname: "10.77.0.11", port: 9020 },
  clusterId: 1316123523,
  epoch: 7,
  token: "a-b",
  backendId: 10002,
  disabledDisks: ["/d1", "/d2"],
  encrypted: false,
  nodeType: 0,
};

/** Reads with Apache's library what we wrote: fields as [number, value]. */
const readWithApache = (bytes: Buffer): [number, unknown][] => {
  let fields: [number, unknown][] = [];
  TBufferedTransport.receiver((transport) => {
    const protocol = new TBinaryProtocol(transport as never, true, true);
    const struct = (): [number, unknown][] => {
      const found: [number, unknown][] = [];
      protocol.readStructBegin();
      for (;;) {
        const { ftype, fid } = protocol.readFieldBegin();
        if (ftype === Thrift.Type.STOP) {
          return found;
        }
        found.push([fid, value(ftype)]);
      }
    };
    const value = (type: number): unknown => {
      switch (type) {
        case Thrift.Type.STRUCT:
          return struct();
        case Thrift.Type.STRING:
          return protocol.readString();
        case Thrift.Type.I32:
          return protocol.readI32();
        case Thrift.Type.I64:
          return Number(protocol.readI64());
        case Thrift.Type.BOOL:
          return protocol.readBool();
        default: {
          const { etype, size } = protocol.readListBegin();
          return Array.from({ length: size }, () => value(etype));
        }
      }
    };
    fields = struct();
  }, 0)(bytes);
  return fields;
};

describe("simulator: thrift", () => {
  it("writes what Apache Thrift reads, under the field numbers of a real FE", () => {
    assert.deepEqual(readWithApache(new Writer().struct(masterInfo, info).bytes()), [
      [
        1,
        [
          [1, "10.77.0.11"],
          [2, 9020],
        ],
      ],
      [2, 1316123523],
      [3, 7],
      [4, "a-b"],
      [8, 10002],
      [11, ["/d1", "/d2"]],
      [13, false],
      [15, 0],
    ]);
  });

  it("skips fields that it does not know", () => {
    const wider = { fields: { ...heartbeatResult.fields, 9: ["more", { map: ["i32", { list: "double" }] }] } } as const;
    const result = { status: { statusCode: 0 }, backendInfo: { bePort: 9060, httpPort: 8040 } };
    const bytes = new Writer().struct(wider, { ...result, more: new Map([[1, [0.5]]]) }).bytes();
    assert.deepEqual(new Reader(bytes).struct<HeartbeatResult>(heartbeatResult), result);
  });

  it("calls over a socket, and says when there is no such method", async () => {
    const answer: HeartbeatResult = { status: { statusCode: 0 }, backendInfo: { bePort: 9060, httpPort: 8040 } };
    const server = createThriftServer([{ ...heartbeat, handle: () => answer }]).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const target = { host: "127.0.0.1", port, timeoutMs: 1000 };
    try {
      assert.deepEqual(await callThrift(target, heartbeat, info), answer);
      await assert.rejects(callThrift(target, { ...heartbeat, name: "nope" }, info), /Invalid method name: 'nope'/);
    } finally {
      server.close();
    }
  });
});
