/** What a login shell, a message of the day or sudo's lecture may say before the command starts, at most. */
const bound = 64 * 1024;

/**
 * Takes a stream apart at the mark that says "the command starts here": what `.bashrc`, a banner or sudo print before
 * it is kept aside, what comes after is the command's own.
 */
export class Preamble {
  private held = Buffer.alloc(0);
  private found = false;

  constructor(private readonly mark: string) {}

  /** The text before the mark, for messages. */
  get text(): string {
    return this.found ? "" : this.held.toString("utf8");
  }

  get passed(): boolean {
    return this.found;
  }

  /** The part of a chunk that is the command's, if it has any. */
  take(chunk: Buffer): Buffer | undefined {
    if (this.found) {
      return chunk;
    }
    const all = Buffer.concat([this.held, chunk]);
    const line = `\n${this.mark}\n`;
    const at = all.indexOf(line);
    if (at === -1) {
      this.held = all.subarray(-bound);
      return undefined;
    }
    this.found = true;
    this.held = Buffer.alloc(0);
    const rest = all.subarray(at + line.length);
    return rest.length > 0 ? rest : undefined;
  }
}
