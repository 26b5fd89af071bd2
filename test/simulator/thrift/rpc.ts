import net from "node:net";
import { type FieldType, Incomplete, messageKind, Reader, type StructType, Writer } from "./codec.js";

/** One method: how its first argument and its result look, and (on a server) what it does. */
export interface Method<A, R> {
  readonly name: string;
  readonly argument: FieldType;
  readonly result: StructType;
  readonly handle?: (argument: A, socket: net.Socket) => R | Promise<R>;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  /** The source address, for hosts that differ only by their loopback address. */
  readonly localAddress?: string;
  readonly timeoutMs: number;
}

const applicationException: StructType = { fields: { 1: ["message", "string"], 2: ["type", "i32"] } };
const unknownMethod = 1;

const parse = <T>(
  bytes: Buffer,
  read: (reader: Reader) => T,
): { readonly value: T; readonly length: number } | undefined => {
  const reader = new Reader(bytes);
  try {
    return { value: read(reader), length: reader.position };
  } catch (error) {
    if (error instanceof Incomplete) {
      return undefined;
    }
    throw error;
  }
};

/** Calls one method over a connection of its own. Rejects with the socket's error (`code`), or `ETIMEDOUT`. */
export const callThrift = <A extends object, R>(target: Target, method: Method<A, R>, argument: A): Promise<R> =>
  new Promise<R>((resolve, reject) => {
    const { host, port, localAddress } = target;
    const socket = net.connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(Object.assign(new Error("Read timed out"), { code: "ETIMEDOUT" })),
      target.timeoutMs,
    );
    let received = Buffer.alloc(0);
    socket.on("error", fail);
    socket.on("close", () => fail(Object.assign(new Error("Socket is closed by peer."), { code: "ECLOSED" })));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        const reply = parse(received, (reader) => {
          if (reader.message().kind !== messageKind.exception) {
            return reader.struct<{ success?: R }>({ fields: { 0: ["success", method.result] } });
          }
          throw new Error(reader.struct<{ message?: string }>(applicationException).message ?? "unknown");
        });
        if (reply === undefined) {
          return;
        }
        clearTimeout(timer);
        socket.destroy();
        if (reply.value.success === undefined) {
          reject(new Error(`${method.name} failed: unknown result`));
        } else {
          resolve(reply.value.success);
        }
      } catch (error) {
        fail(error as Error);
      }
    });
    const call = new Writer().message(method.name, messageKind.call, 0);
    socket.write(call.struct({ fields: { 1: ["argument", method.argument] } }, { argument }).bytes());
  });

// biome-ignore lint/suspicious/noExplicitAny: a server holds methods of different types
export type AnyMethod = Method<any, any>;

/** Serves methods on every connection until its peer leaves; unknown ones get thrift's "Invalid method name". */
export const createThriftServer = (methods: readonly AnyMethod[]): net.Server =>
  net.createServer((socket) => {
    let received = Buffer.alloc(0);
    let queue: Promise<void> = Promise.resolve();
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        for (;;) {
          const call = parse(received, (reader) => {
            const head = reader.message();
            const method = methods.find(({ name }) => name === head.name);
            const type: StructType = { fields: method === undefined ? {} : { 1: ["argument", method.argument] } };
            return { head, method, argument: reader.struct<{ argument?: unknown }>(type).argument };
          });
          if (call === undefined) {
            return;
          }
          received = received.subarray(call.length);
          queue = queue.then(() => answer(socket, call.value.head, call.value.method, call.value.argument));
        }
      } catch {
        socket.destroy();
      }
    });
  });

const answer = async (
  socket: net.Socket,
  head: { readonly name: string; readonly sequence: number },
  method: AnyMethod | undefined,
  argument: unknown,
): Promise<void> => {
  const writer = new Writer();
  try {
    if (method?.handle === undefined) {
      writer.message(head.name, messageKind.exception, head.sequence);
      writer.struct(applicationException, { message: `Invalid method name: '${head.name}'`, type: unknownMethod });
    } else {
      const success = await method.handle(argument, socket);
      writer.message(head.name, messageKind.reply, head.sequence);
      writer.struct({ fields: { 0: ["success", method.result] } }, { success });
    }
    if (!socket.destroyed) {
      socket.write(writer.bytes());
    }
  } catch {
    socket.destroy();
  }
};
