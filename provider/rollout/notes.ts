import { z } from "zod";
import { messageOf, UserError } from "../error.js";
import { answersOfMajority, askAll, type Keeper } from "./majority.js";
import { Mutex } from "./mutex.js";

const fileName = "notes.json";

/** Milliseconds in which a host that is there answers, a first login over a slow line included. */
const askLimit = 30_000;

const documentSchema = z.object({
  schema: z.literal(1),
  /** Counts the writes: a host that missed one holds an older document. */
  generation: z.int().min(0),
  /** Milliseconds by the writer's clock: of two of one generation, where a write had reached a minority only, the later counts. */
  at: z.number(),
  entries: z.record(z.string(), z.unknown()),
});
type Document = z.output<typeof documentSchema>;

const empty: Document = { schema: 1, generation: 0, at: 0, entries: {} };

/**
 * What one operation must leave for the next one even if it is killed: a small document on a majority of the FE hosts.
 * The newest that a majority shows is the one written last. One writer at a time: who holds the lease.
 */
export class Notes {
  readonly #keepers: readonly Keeper[];
  readonly #mutex = new Mutex();

  constructor(keepers: readonly Keeper[]) {
    this.#keepers = keepers;
  }

  /** All entries by name. Throws when no majority can be read. */
  async read(): Promise<Readonly<Record<string, unknown>>> {
    return (await this.#newest()).entries;
  }

  /** Writes one entry; it holds once this has ended. */
  set(name: string, value: unknown): Promise<void> {
    return this.#change((entries) => ({ ...entries, [name]: value }));
  }

  remove(name: string): Promise<void> {
    return this.#change(({ [name]: _gone, ...rest }) => rest);
  }

  #change(change: (entries: Document["entries"]) => Document["entries"]): Promise<void> {
    return this.#mutex.run(async () => {
      const before = await this.#newest();
      const document: Document = {
        schema: 1,
        generation: before.generation + 1,
        at: Date.now(),
        entries: change(before.entries),
      };
      const text = `${JSON.stringify(document, undefined, 2)}\n`;
      const answers = await askAll(this.#keepers, (keeper) => write(keeper, text), askLimit);
      answersOfMajority(answers, "keep a note of this operation");
    });
  }

  async #newest(): Promise<Document> {
    const answers = await askAll(this.#keepers, read, askLimit);
    const documents = answersOfMajority(answers, "show the notes of the last operation").map(({ value }) => value);
    return documents.reduce((newest, one) => (isNewer(one, newest) ? one : newest), empty);
  }
}

const isNewer = (one: Document, other: Document): boolean =>
  one.generation === other.generation ? one.at > other.at : one.generation > other.generation;

const read = async ({ folder, host }: Keeper): Promise<Document> => {
  const path = `${folder}/${fileName}`;
  const text = await host.readFile(path);
  return text === undefined ? empty : parse(text, path);
};

const parse = (text: string, path: string): Document => {
  try {
    return documentSchema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new UserError(`${path} is not what this version of pulumi-starrocks writes: ${reason}`);
  }
};

const write = async ({ folder, host }: Keeper, text: string): Promise<void> => {
  await host.script('mkdir -p -- "$1"', [folder], { label: `make ${folder}` });
  await host.writeFile(`${folder}/${fileName}`, text);
};
