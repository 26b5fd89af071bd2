/** One file, folder or symbolic link of an archive. */
export type Entry =
  | { readonly type: "file"; readonly path: string; readonly mode: number; readonly content: Buffer }
  | { readonly type: "padding"; readonly path: string; readonly mode: number; readonly bytes: number }
  | { readonly type: "folder"; readonly path: string };

const BLOCK = 512;
/** Of every entry, so that the same content gives the same bytes. */
const MODIFIED = 1_750_000_000;
const TYPES = { file: "0", padding: "0", folder: "5" } as const;

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

const splitPath = (path: string): { readonly name: string; readonly prefix: string } => {
  if (path.length <= 100) {
    return { name: path, prefix: "" };
  }
  const slash = path.indexOf("/", path.length - 101);
  if (slash === -1 || slash > 155) {
    throw new Error(`Expected a path that fits into a tar header, got \`${path}\``);
  }
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
};

const header = (entry: Entry, size: number): Buffer => {
  const { name, prefix } = splitPath(entry.type === "folder" ? `${entry.path}/` : entry.path);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(octal(entry.type === "folder" ? 0o755 : entry.mode, 8), 100);
  block.write(octal(0, 8) + octal(0, 8), 108);
  block.write(octal(size, 12) + octal(MODIFIED, 12), 124);
  block.write(" ".repeat(8), 148);
  block.write(TYPES[entry.type], 156);
  block.write("ustar\x0000root", 257);
  block.write("root", 297);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
};

const fill = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

const NOISE_CHUNK = 1 << 20;

/** Bytes that do not compress and are the same each time: xorshift32. */
function* noise(bytes: number): Generator<Buffer> {
  let state = 2463534242;
  for (let left = bytes; left > 0; left -= NOISE_CHUNK) {
    const words = new Uint32Array(NOISE_CHUNK / 4);
    for (let at = 0; at < words.length; at++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[at] = state;
    }
    yield Buffer.from(words.buffer, 0, Math.min(left, NOISE_CHUNK));
  }
}

/** A POSIX tar of the entries in the order of their paths, folders included. */
export function* tar(entries: readonly Entry[]): Generator<Buffer> {
  for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (entry.type === "folder") {
      yield header(entry, 0);
    } else if (entry.type === "file") {
      yield Buffer.concat([header(entry, entry.content.length), entry.content, fill(entry.content.length)]);
    } else {
      yield header(entry, entry.bytes);
      yield* noise(entry.bytes);
      yield fill(entry.bytes);
    }
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** The folders above the entries, each once. */
export const foldersOf = (entries: readonly Entry[]): readonly Entry[] => {
  const folders = new Set<string>();
  for (const { path } of entries) {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      folders.add(parts.slice(0, depth).join("/"));
    }
  }
  return [...folders].map((path) => ({ type: "folder", path }));
};
