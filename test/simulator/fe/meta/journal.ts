import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import type { Operation } from "../catalog/operations.js";

/** One entry of the replicated journal; `version` is that of the leader that wrote it. */
export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly version: string;
  readonly operation: Operation;
}

type Line =
  | { readonly entry: Entry }
  | { readonly term: number; readonly vote: string | undefined }
  /** All later knowledge of the log: entries after `index` are gone. */
  | { readonly truncateAfter: number };

/** What JE says of a log that it cannot read. */
export class BrokenJournal extends Error {}

const encode = (line: Line): string => {
  const json = JSON.stringify(line);
  return `${zlib.crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
};

const decode = (text: string, file: string): Line => {
  const json = text.slice(9);
  if (Number.parseInt(text.slice(0, 8), 16) !== zlib.crc32(json)) {
    throw new BrokenJournal(
      `com.sleepycat.je.EnvironmentFailureException: (JE 18.3.20) ${file} LOG_CHECKSUM: Checksum invalid on read, log is likely invalid. Environment is invalid and must be closed.`,
    );
  }
  return JSON.parse(json);
};

const logFiles = (directory: string): string[] =>
  fs.existsSync(directory)
    ? fs
        .readdirSync(directory)
        .filter((name) => name.endsWith(".jdb"))
        .sort()
    : [];

export const hasJournal = (directory: string): boolean => logFiles(directory).length > 0;

/**
 * The `bdb/*.jdb` files: an append-only log of entries and votes that survives a SIGKILL. A last line that was cut off is
 * forgotten, anything else unreadable is refused.
 */
export class Journal {
  readonly entries: Entry[] = [];
  term = 0;
  vote: string | undefined;
  /** The entry before the first one kept; what it said is in the image. */
  baseIndex: number;
  baseTerm: number;
  readonly #directory: string;
  #file = 0;

  constructor(directory: string, base: { readonly index: number; readonly term: number }) {
    this.#directory = directory;
    this.baseIndex = base.index;
    this.baseTerm = base.term;
    this.term = base.term;
    fs.mkdirSync(directory, { recursive: true });
    for (const name of logFiles(directory)) {
      this.#read(name);
    }
    if (this.#file === 0 && !hasJournal(directory)) {
      this.#append([]);
    }
  }

  get lastIndex(): number {
    return this.baseIndex + this.entries.length;
  }

  get lastTerm(): number {
    return this.entries.at(-1)?.term ?? this.baseTerm;
  }

  at(index: number): Entry | undefined {
    return this.entries[index - this.baseIndex - 1];
  }

  /** Undefined for an index that is not in the log (any more). */
  termAt(index: number): number | undefined {
    return index === this.baseIndex ? this.baseTerm : this.at(index)?.term;
  }

  from(index: number, count: number): readonly Entry[] {
    const start = index - this.baseIndex - 1;
    return this.entries.slice(start, start + count);
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.entries.push(entry);
    }
    this.#append(entries.map((entry) => ({ entry })));
  }

  truncateAfter(index: number): void {
    this.#cut(index);
    this.#append([{ truncateAfter: index }]);
  }

  setTerm(term: number, vote: string | undefined): void {
    this.term = term;
    this.vote = vote;
    this.#append([{ term, vote }]);
  }

  /** Forgets what an image holds: a new file with the rest, the old files go. */
  compact(index: number, term: number): void {
    const kept = this.entries.filter((entry) => entry.index > index);
    const old = logFiles(this.#directory);
    this.entries.length = 0;
    this.entries.push(...kept);
    this.baseIndex = index;
    this.baseTerm = term;
    this.#file += 1;
    this.#append([{ term: this.term, vote: this.vote }, ...kept.map((entry) => ({ entry }))]);
    for (const name of old) {
      fs.rmSync(path.join(this.#directory, name), { force: true });
    }
  }

  #cut(index: number): void {
    this.entries.length = Math.max(0, Math.min(this.entries.length, index - this.baseIndex));
  }

  #read(name: string): void {
    const file = path.join(this.#directory, name);
    const text = fs.readFileSync(file, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    this.#file = Number.parseInt(name, 16);
    for (const row of whole.split("\n")) {
      if (row !== "") {
        this.#replay(decode(row, name));
      }
    }
    if (whole.length < text.length) {
      fs.truncateSync(file, Buffer.byteLength(whole));
    }
  }

  #replay(line: Line): void {
    if ("entry" in line) {
      if (line.entry.index <= this.baseIndex) {
        return;
      }
      if (line.entry.index <= this.lastIndex) {
        this.#cut(line.entry.index - 1);
      }
      if (line.entry.index !== this.lastIndex + 1) {
        throw new BrokenJournal(`journal ${this.lastIndex + 1} is missing, next is ${line.entry.index}`);
      }
      this.entries.push(line.entry);
    } else if ("truncateAfter" in line) {
      this.#cut(line.truncateAfter);
    } else {
      this.term = line.term;
      this.vote = line.vote;
    }
  }

  #append(lines: readonly Line[]): void {
    const name = `${this.#file.toString(16).padStart(8, "0")}.jdb`;
    fs.appendFileSync(path.join(this.#directory, name), lines.map(encode).join(""));
  }
}
