import type { Result } from "../sql/statement.js";

/** The bytes of the MySQL protocol, as far as a server needs them. */

const integer = (value: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntLE(value, 0, size);
  return bytes;
};

const lengthEncoded = (value: number): Buffer => {
  if (value < 251) {
    return integer(value, 1);
  }
  if (value < 0x10000) {
    return Buffer.concat([Buffer.of(0xfc), integer(value, 2)]);
  }
  return Buffer.concat([Buffer.of(0xfd), integer(value, 3)]);
};

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([lengthEncoded(bytes.length), bytes]);
};

const zero = (value: string): Buffer => Buffer.from(`${value}\0`);

export const capability = {
  connectWithDatabase: 0x8,
  protocol41: 0x200,
  secureConnection: 0x8000,
  pluginAuth: 0x80000,
  lengthEncodedAuth: 0x200000,
} as const;

const serverCapabilities =
  0x1 |
  0x4 |
  capability.connectWithDatabase |
  capability.protocol41 |
  0x2000 |
  capability.secureConnection |
  capability.pluginAuth;
const utf8 = 33;
const autocommit = 2;
export const nativePassword = "mysql_native_password";

/** Longest payload of one packet; nothing we send or take is longer. */
export const frame = (payload: Buffer, sequence: number): Buffer =>
  Buffer.concat([integer(payload.length, 3), Buffer.of(sequence & 0xff), payload]);

export const greeting = (connectionId: number, version: string, salt: Buffer): Buffer =>
  Buffer.concat([
    Buffer.of(10),
    zero(version),
    integer(connectionId, 4),
    salt.subarray(0, 8),
    Buffer.of(0),
    integer(serverCapabilities & 0xffff, 2),
    Buffer.of(utf8),
    integer(autocommit, 2),
    integer(serverCapabilities >>> 16, 2),
    Buffer.of(21),
    Buffer.alloc(10),
    salt.subarray(8, 20),
    Buffer.of(0),
    zero(nativePassword),
  ]);

export const authSwitch = (salt: Buffer): Buffer =>
  Buffer.concat([Buffer.of(0xfe), zero(nativePassword), salt.subarray(0, 20), Buffer.of(0)]);

export interface Login {
  readonly user: string;
  readonly scramble: Buffer;
  readonly database: string | undefined;
  readonly plugin: string | undefined;
}

export const readLogin = (payload: Buffer): Login => {
  const flags = payload.readUInt32LE(0);
  let at = 32;
  const readZero = (): string => {
    const end = payload.indexOf(0, at);
    const value = payload.toString("utf8", at, end < 0 ? payload.length : end);
    at = end < 0 ? payload.length : end + 1;
    return value;
  };
  const user = readZero();
  const length = at < payload.length ? payload.readUInt8(at) : 0;
  const scramble = payload.subarray(at + 1, at + 1 + length);
  at += 1 + length;
  const database = flags & capability.connectWithDatabase ? readZero() : undefined;
  const plugin = flags & capability.pluginAuth && at < payload.length ? readZero() : undefined;
  return { user, scramble, database: database || undefined, plugin };
};

export const okPacket = (affected = 0, info = ""): Buffer =>
  Buffer.concat([
    Buffer.of(0),
    lengthEncoded(affected),
    Buffer.of(0),
    integer(autocommit, 2),
    integer(0, 2),
    Buffer.from(info),
  ]);

export const errorPacket = (code: number, state: string, message: string): Buffer =>
  Buffer.concat([Buffer.of(0xff), integer(code, 2), Buffer.from(`#${state}`), Buffer.from(message)]);

const endOfFile = Buffer.concat([Buffer.of(0xfe), integer(0, 2), integer(autocommit, 2)]);

const varString = 0xfd;
const longLong = 0x08;
const binary = 63;

const columnPacket = (name: string, isNumber: boolean): Buffer =>
  Buffer.concat([
    ...["def", "", "", "", name, name].map(text),
    Buffer.of(0x0c),
    integer(isNumber ? binary : utf8, 2),
    integer(isNumber ? 20 : 1024, 4),
    Buffer.of(isNumber ? longLong : varString),
    integer(0, 2),
    Buffer.of(0),
    integer(0, 2),
  ]);

/** The payloads of an answer, in order. Columns that hold only whole numbers are BIGINT, all others VARCHAR. */
export const resultPackets = (result: Result): Buffer[] => {
  if ("affected" in result) {
    return [okPacket(result.affected, result.info)];
  }
  const { columns, rows } = result;
  const isNumber = (index: number) =>
    rows.length > 0 &&
    rows.every((row) => row[index] === null || Number.isInteger(row[index])) &&
    rows.some((row) => row[index] !== null);
  return [
    lengthEncoded(columns.length),
    ...columns.map((name, index) => columnPacket(name, isNumber(index))),
    endOfFile,
    ...rows.map((row) => Buffer.concat(row.map((value) => (value === null ? Buffer.of(0xfb) : text(String(value)))))),
    endOfFile,
  ];
};
