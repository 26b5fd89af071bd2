/**
 * Thrift's strict binary protocol, unframed, as StarRocks FEs and BEs speak it to each other.
 *
 * A struct is described by a table of its fields; unknown fields are skipped, absent ones stay `undefined`.
 */

export type FieldType =
  | "bool"
  | "byte"
  | "i16"
  | "i32"
  | "i64"
  | "double"
  | "string"
  | { readonly list: FieldType }
  | { readonly map: readonly [FieldType, FieldType] }
  | StructType;

/** Field number → name in the TypeScript object, and type. i64 is read as a number (StarRocks' values fit). */
export interface StructType {
  readonly fields: Readonly<Record<number, readonly [name: string, type: FieldType]>>;
}

const code = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  list: 15,
};
const setCode = 14;
const strictVersion = 0x80010000;

export const messageKind = { call: 1, reply: 2, exception: 3, oneway: 4 } as const;

/** The bytes so far end in the middle of a value: wait for more. */
export class Incomplete extends Error {}

const codeOf = (type: FieldType): number => {
  if (typeof type === "string") {
    return code[type];
  }
  if ("list" in type) {
    return code.list;
  }
  return "map" in type ? code.map : code.struct;
};

export class Writer {
  readonly #chunks: Buffer[] = [];

  message(name: string, kind: number, sequence: number): this {
    this.#int32(strictVersion | kind);
    this.value("string", name);
    this.#int32(sequence);
    return this;
  }

  struct(type: StructType, value: object): this {
    const source = value as Record<string, unknown>;
    for (const [id, [name, fieldType]] of Object.entries(type.fields)) {
      const field = source[name];
      if (field === undefined) {
        continue;
      }
      const head = Buffer.alloc(3);
      head.writeUInt8(codeOf(fieldType), 0);
      head.writeInt16BE(Number(id), 1);
      this.#chunks.push(head);
      this.value(fieldType, field);
    }
    this.#byte(code.stop);
    return this;
  }

  value(type: FieldType, value: unknown): void {
    if (typeof type !== "string") {
      this.#container(type, value);
      return;
    }
    const fixed = Buffer.alloc(8);
    switch (type) {
      case "bool":
        this.#byte(value ? 1 : 0);
        return;
      case "byte":
        this.#byte(Number(value) & 0xff);
        return;
      case "i16":
        fixed.writeInt16BE(Number(value));
        this.#chunks.push(fixed.subarray(0, 2));
        return;
      case "i32":
        this.#int32(Number(value));
        return;
      case "i64":
        fixed.writeBigInt64BE(BigInt(Math.trunc(Number(value))));
        this.#chunks.push(fixed);
        return;
      case "double":
        fixed.writeDoubleBE(Number(value));
        this.#chunks.push(fixed);
        return;
      case "string": {
        const bytes = Buffer.from(String(value));
        this.#int32(bytes.length);
        this.#chunks.push(bytes);
      }
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  #container(type: Exclude<FieldType, string>, value: unknown): void {
    if ("list" in type) {
      const items = value as readonly unknown[];
      this.#byte(codeOf(type.list));
      this.#int32(items.length);
      for (const item of items) {
        this.value(type.list, item);
      }
    } else if ("map" in type) {
      const entries = [...(value as ReadonlyMap<unknown, unknown>)];
      this.#byte(codeOf(type.map[0]));
      this.#byte(codeOf(type.map[1]));
      this.#int32(entries.length);
      for (const [key, item] of entries) {
        this.value(type.map[0], key);
        this.value(type.map[1], item);
      }
    } else {
      this.struct(type, value as object);
    }
  }

  #byte(value: number): void {
    this.#chunks.push(Buffer.of(value));
  }

  #int32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value | 0);
    this.#chunks.push(bytes);
  }
}

export class Reader {
  position = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  message(): { readonly name: string; readonly kind: number; readonly sequence: number } {
    const head = this.#take(4).readUInt32BE();
    if ((head & 0xffff0000) >>> 0 !== strictVersion) {
      throw new Error("Missing version in readMessageBegin, old client?");
    }
    return { name: this.value("string") as string, kind: head & 0xff, sequence: this.value("i32") as number };
  }

  struct<T>(type: StructType): T {
    const result: Record<string, unknown> = {};
    for (;;) {
      const wire = this.#take(1).readUInt8();
      if (wire === code.stop) {
        return result as T;
      }
      const field = type.fields[this.#take(2).readInt16BE()];
      if (field !== undefined && codeOf(field[1]) === wire) {
        result[field[0]] = this.value(field[1]);
      } else {
        this.#skip(wire);
      }
    }
  }

  value(type: FieldType): unknown {
    if (typeof type !== "string") {
      return this.#container(type);
    }
    switch (type) {
      case "bool":
        return this.#take(1).readUInt8() !== 0;
      case "byte":
        return this.#take(1).readInt8();
      case "i16":
        return this.#take(2).readInt16BE();
      case "i32":
        return this.#take(4).readInt32BE();
      case "i64":
        return Number(this.#take(8).readBigInt64BE());
      case "double":
        return this.#take(8).readDoubleBE();
      case "string":
        return this.#take(this.#take(4).readInt32BE()).toString();
    }
  }

  #container(type: Exclude<FieldType, string>): unknown {
    if ("list" in type) {
      this.#take(1);
      return Array.from({ length: this.#take(4).readInt32BE() }, () => this.value(type.list));
    }
    if ("map" in type) {
      this.#take(2);
      const size = this.#take(4).readInt32BE();
      return new Map(Array.from({ length: size }, () => [this.value(type.map[0]), this.value(type.map[1])]));
    }
    return this.struct(type);
  }

  #skip(wire: number): void {
    if (wire === code.bool || wire === code.byte) {
      this.#take(1);
    } else if (wire === code.i16) {
      this.#take(2);
    } else if (wire === code.i32) {
      this.#take(4);
    } else if (wire === code.i64 || wire === code.double) {
      this.#take(8);
    } else if (wire === code.string) {
      this.value("string");
    } else if (wire === code.struct) {
      this.struct({ fields: {} });
    } else if (wire === code.list || wire === setCode) {
      const item = this.#take(1).readUInt8();
      for (let left = this.#take(4).readInt32BE(); left > 0; left--) {
        this.#skip(item);
      }
    } else if (wire === code.map) {
      const types = this.#take(2);
      for (let left = this.#take(4).readInt32BE(); left > 0; left--) {
        this.#skip(types.readUInt8(0));
        this.#skip(types.readUInt8(1));
      }
    } else {
      throw new Error(`Unknown thrift type ${wire}`);
    }
  }

  #take(length: number): Buffer {
    const end = this.position + length;
    if (end > this.#bytes.length) {
      throw new Incomplete();
    }
    const taken = this.#bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }
}
