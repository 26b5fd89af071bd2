import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mock } from "node:test";
import type { ClientChannel } from "ssh2";
import { UserError } from "../../../provider/error.js";
import type { Connection } from "../../../provider/host/connection.js";
import { BecomeError } from "../../../provider/host/errors.js";
import type { Link, Live } from "../../../provider/host/link.js";
import { run, type Target } from "../../../provider/host/run.js";
import { openStream } from "../../../provider/host/stream.js";

/** The channel of a command that the host took, and whose login shell hangs. */
class HangingChannel extends EventEmitter {
  readonly stderr = new EventEmitter();
  closed = false;
  close(): void {
    this.closed = true;
  }
}

describe("a command that does not start", () => {
  let channel: HangingChannel;
  let holders: number;
  beforeEach(() => {
    channel = new HangingChannel();
    holders = 0;
    mock.timers.enable({ apis: ["setTimeout"] });
  });
  afterEach(() => mock.timers.reset());

  const target = (become?: Connection["become"]): Target => ({
    connection: { host: "db1", user: "ann", ...(become && { become }) },
    link: {
      name: "db1",
      hold: () => {
        holders += 1;
        return () => {
          holders -= 1;
        };
      },
      use: (work: (live: Live) => Promise<unknown>) => work({} as Live),
      session: async (_live: Live, _line: string, start: (channel: ClientChannel, asked: number) => unknown) =>
        start(channel as unknown as ClientChannel, 0),
    } as unknown as Link,
  });

  const ways = { run, stream: openStream };
  for (const [way, open] of Object.entries(ways)) {
    const fails = async (become: Connection["become"], kind: typeof UserError, message: RegExp): Promise<void> => {
      const failed = assert.rejects(open(target(become), ["cat"]), (error) => {
        assert.ok(error instanceof kind, String(error));
        assert.match(error.message, message);
        return true;
      });
      await new Promise(setImmediate);
      channel.stderr.emit("data", Buffer.from("mounting your home"));
      mock.timers.tick(60_000);
      await failed;
      assert.ok(channel.closed);
      assert.equal(holders, 0);
    };

    it(`${way}: is given up after a minute, with what its login shell said`, () =>
      fails(
        undefined,
        UserError,
        /^db1: the command did not start within 60 s: the login shell did not get as far as running bash: mounting your home\. The host needs bash/,
      ));

    it(`${way}: is given up where sudo hangs`, () =>
      fails(
        { user: "starrocks" },
        BecomeError,
        /^db1: cannot run commands as `starrocks`: sudo refused\. It said: mounting/,
      ));
  }
});
