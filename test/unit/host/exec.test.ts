import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { ClientChannel } from "ssh2";
import { execute, type Outcome } from "../../../provider/host/exec.js";
import type { Link, Live } from "../../../provider/host/link.js";

const line = { text: "", mark: "start-1", noFolder: "no-folder-1", prompt: "password-1:" };

/** A command's channel, as far as `execute` uses it. */
class FakeChannel extends EventEmitter {
  readonly stderr = new EventEmitter();
  readonly written: string[] = [];
  write(text: string): void {
    this.written.push(text);
  }
  end(): void {}
  close(): void {}
}

type Happens = (channel: FakeChannel) => void;

describe("execute", () => {
  const { now } = performance;
  let clock = 0;
  beforeEach(() => {
    clock = 1000;
    performance.now = () => clock;
  });
  afterEach(() => {
    performance.now = now;
  });

  /** What is made of a command with a limit of 300 ms whose channel opens and does the rest at the given times. */
  const play = async (events: Readonly<Record<number, readonly Happens[]>>): Promise<Outcome> => {
    const channel = new FakeChannel();
    const opened = once(channel, "opens");
    const live = {} as Live;
    const link = {
      name: "host",
      use: (work: (live: Live) => Promise<unknown>) => work(live),
      session: async (_: Live, __: string, start: (channel: ClientChannel, asked: number) => unknown) => {
        const asked = performance.now();
        await opened;
        return start(channel as unknown as ClientChannel, asked);
      },
    } as unknown as Link;
    const outcome = execute(link, { line, password: "secret", becomes: "user", limit: 300, bound: 1000 });
    for (const [at, happen] of Object.entries(events)) {
      clock = 1000 + Number(at);
      for (const happens of happen) {
        happens(channel);
        // What waits for the channel's opening goes on in a later turn.
        await new Promise(setImmediate);
      }
    }
    return outcome;
  };

  const opens: Happens = (channel) => channel.emit("opens");
  const starts: Happens = ({ stderr }) => stderr.emit("data", Buffer.from(`\n${line.mark}\n`));
  const asks: Happens = ({ stderr }) => stderr.emit("data", Buffer.from(line.prompt));
  const endsWith =
    (code: number): Happens =>
    (channel) => {
      channel.emit("exit", code);
      channel.emit("close");
    };

  const cases: readonly (readonly [string, Readonly<Record<number, readonly Happens[]>>, boolean])[] = [
    ["the limit is reached", { 5: [opens, starts], 310: [endsWith(124)] }, true],
    ["a busy machine reads its start late", { 5: [opens], 200: [starts], 310: [endsWith(124)] }, true],
    ["a busy machine reads all of it at once", { 400: [opens, starts, endsWith(124)] }, true],
    ["it is killed for certain", { 5: [opens], 200: [starts], 5400: [endsWith(137)] }, true],
    ["exit code 124 is its own", { 5: [opens, starts], 100: [endsWith(124)] }, false],
    [
      "sudo took long, and the code is its own",
      { 5: [opens], 390: [asks], 400: [starts], 450: [endsWith(124)] },
      false,
    ],
    ["it ends otherwise after the limit", { 5: [opens, starts], 310: [endsWith(1)] }, false],
  ];
  for (const [what, events, late] of cases) {
    it(`${late ? "takes a command for ended by its limit" : "leaves it at the exit code"} when ${what}`, async () => {
      assert.equal((await play(events)).late, late);
    });
  }
});
