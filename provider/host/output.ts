/** The end of an output, as an error may show it: enough to see the cause, not a log file. */
const tailLines = 20;
const tailCharacters = 2048;

export const tail = (text: string): string => {
  const lines = text.trimEnd().split("\n").slice(-tailLines).join("\n");
  return lines.length > tailCharacters ? `…${lines.slice(-tailCharacters)}` : lines;
};

/** Words that are too short to be hidden without making a message unreadable are no secrets worth the name. */
const shortestSecret = 4;

/** The text without the secrets, which a program on the host may have repeated. */
export const redact = (text: string, secrets: readonly string[]): string =>
  secrets
    .filter((secret) => secret.length >= shortestSecret)
    // One may be a part of another, of which the rest would stay.
    .sort((a, b) => b.length - a.length)
    .reduce((clean, secret) => clean.replaceAll(secret, "[secret]"), text);

/** Collects an output up to a bound. What is beyond is counted and dropped, so memory stays bounded too. */
export class Collector {
  private readonly chunks: Buffer[] = [];
  private kept = 0;
  private total = 0;

  constructor(
    private readonly bound: number,
    /** Which part matters when there is too much: the beginning of an answer, the end of a complaint. */
    private readonly keep: "first" | "last",
  ) {}

  add(chunk: Buffer): void {
    this.total += chunk.length;
    if (this.keep === "first" && this.kept >= this.bound) {
      return;
    }
    this.chunks.push(chunk);
    this.kept += chunk.length;
    while (this.keep === "last" && this.kept - (this.chunks[0]?.length ?? 0) >= this.bound) {
      this.kept -= this.chunks.shift()?.length ?? 0;
    }
  }

  get overflowed(): boolean {
    return this.total > this.bound;
  }

  text(): string {
    return Buffer.concat(this.chunks).toString("utf8");
  }
}
