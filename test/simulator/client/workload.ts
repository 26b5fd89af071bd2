import { setTimeout as sleep } from "node:timers/promises";
import { type Login, Session } from "./session.js";

export interface WorkloadOptions extends Login {
  /** Default: workload. */
  readonly database?: string;
  /** Default: acknowledged. */
  readonly table?: string;
  /** Default: 3. */
  readonly replicationNum?: number;
  /** Default: 3. */
  readonly buckets?: number;
  /** Pause between two writes, and between two reads. Default: 50. */
  readonly pauseMs?: number;
  /** How long to try the final verification. Default: 60000. */
  readonly verifyMs?: number;
}

export interface Failure {
  readonly kind: "write" | "read";
  readonly at: Date;
  readonly error: string;
}

export interface Report {
  readonly writesAcknowledged: number;
  readonly writesFailed: number;
  /** Acknowledged, and not there at the end. */
  readonly writesLost: number;
  readonly readsOk: number;
  readonly readsFailed: number;
  /** The longest time without a success, of writes or of reads. */
  readonly longestGapMs: number;
  readonly longestWriteGapMs: number;
  readonly longestReadGapMs: number;
  readonly failures: readonly Failure[];
  readonly lostKeys: readonly number[];
}

export interface Workload {
  readonly failures: readonly Failure[];
  readonly acknowledged: () => number;
  /** Ends reading and writing, verifies every acknowledged write, and reports. */
  readonly stop: () => Promise<Report>;
  /** Ends without a word. */
  readonly abort: () => void;
}

/** Successes of one kind, and the longest time between two of them. */
class Clock {
  count = 0;
  longestMs = 0;
  #last = performance.now();

  success(): void {
    this.count += 1;
    this.close();
    this.#last = performance.now();
  }

  /** Counts the time since the last success, too. */
  close(): void {
    this.longestMs = Math.max(this.longestMs, performance.now() - this.#last);
  }
}

const verifyPauseMs = 250;

/** Values that tell whether a row is the one that was written. */
const textOf = (key: number): string => `value ${key}`;

const readAll = async (session: Session, table: string, limitMs: number): Promise<ReadonlyMap<number, string>> => {
  const end = performance.now() + limitMs;
  for (;;) {
    try {
      const rows = await session.query(`SELECT k, v FROM ${table}`);
      return new Map(rows.map(({ k, v }) => [Number(k), String(v)]));
    } catch (error) {
      if (performance.now() > end) {
        throw new Error(`Expected to read ${table} within ${limitMs} ms: ${(error as Error).message}`);
      }
      await sleep(verifyPauseMs);
    }
  }
};

/**
 * Writes rows under new keys and reads acknowledged ones, one of each at a time, until stopped. A write that failed is counted
 * and never repeated; it may be there or not.
 */
export const startWorkload = async (options: WorkloadOptions): Promise<Workload> => {
  const { database = "workload", replicationNum = 3, buckets = 3, pauseMs = 50, verifyMs = 60_000 } = options;
  const table = `${database}.${options.table ?? "acknowledged"}`;
  const [writer, reader] = [new Session(options), new Session(options, 1)];
  await writer.query(`CREATE DATABASE IF NOT EXISTS ${database}`);
  await writer.query(
    `CREATE TABLE IF NOT EXISTS ${table} (k BIGINT, v VARCHAR(64)) DISTRIBUTED BY HASH(k) BUCKETS ${buckets} PROPERTIES ("replication_num" = "${replicationNum}")`,
  );

  const acknowledged: number[] = [];
  const failures: Failure[] = [];
  const clocks = { write: new Clock(), read: new Clock() };
  const first = Date.now() * 1000;
  let key = first;
  let stopping = false;

  const write = async (): Promise<void> => {
    key += 1;
    await writer.query(`INSERT INTO ${table} VALUES (${key}, '${textOf(key)}')`);
    acknowledged.push(key);
  };

  const read = async (): Promise<void> => {
    const wanted = acknowledged[Math.floor(Math.random() * acknowledged.length)];
    if (wanted === undefined) {
      return;
    }
    const [row] = await reader.query(`SELECT v FROM ${table} WHERE k = ${wanted}`);
    if (row?.v !== textOf(wanted)) {
      throw new Error(`Expected ${textOf(wanted)} under key ${wanted}, got ${JSON.stringify(row)}`);
    }
  };

  const loop = async (kind: Failure["kind"], action: () => Promise<void>): Promise<void> => {
    while (!stopping) {
      try {
        await action();
        clocks[kind].success();
      } catch (error) {
        failures.push({ kind, at: new Date(), error: (error as Error).message });
      }
      await sleep(pauseMs);
    }
    clocks[kind].close();
  };

  const loops = [loop("write", write), loop("read", read)];

  const stop = async (): Promise<Report> => {
    stopping = true;
    await Promise.all(loops);
    const rows = await readAll(writer, table, verifyMs).finally(() => {
      writer.close();
      reader.close();
    });
    const lostKeys = acknowledged.filter((one) => rows.get(one) !== textOf(one));
    const failed = (kind: Failure["kind"]) => failures.filter((failure) => failure.kind === kind).length;
    return {
      writesAcknowledged: acknowledged.length,
      writesFailed: failed("write"),
      writesLost: lostKeys.length,
      readsOk: clocks.read.count,
      readsFailed: failed("read"),
      longestGapMs: Math.round(Math.max(clocks.write.longestMs, clocks.read.longestMs)),
      longestWriteGapMs: Math.round(clocks.write.longestMs),
      longestReadGapMs: Math.round(clocks.read.longestMs),
      failures,
      lostKeys,
    };
  };

  const abort = (): void => {
    stopping = true;
    writer.close();
    reader.close();
  };

  return { failures, acknowledged: () => acknowledged.length, stop, abort };
};
