import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { BeSpec } from "../../../../provider/plan/spec.js";
import { untilJoined } from "../../../../provider/resources/member/joining.js";
import { observeProcess } from "../../../../provider/starrocks/process.js";
import { stopProcess } from "../../../../provider/starrocks/stop.js";
import type { Look } from "../../../../provider/wait.js";
import { BeBench } from "../node/bench.js";

describe("the wait for a node to be seen by its cluster", function () {
  this.timeout(60_000);
  let bench: BeBench;
  let spec: BeSpec;
  beforeEach(async () => {
    bench = new BeBench();
    spec = bench.spec(await bench.release("3.5.7"));
    await bench.bring(undefined, spec);
  });
  afterEach(() => bench.close());

  const access = { connection: { host: "be", password: "ssh-hunter2" }, sql: { password: "sql-hunter2" } };
  const notAlive: Look<void> = { done: false, seen: "not Alive" };
  const wait = (look: () => Promise<Look<void>>, limit: number): Promise<void> =>
    untilJoined({ host: bench.host, inputs: { ...spec, ...access }, kind: "be" }, look, {
      what: "BE be-1 to be Alive",
      limit,
      advice: "Look at be.INFO.",
    });
  const log = (text: string): void => appendFileSync(join(spec.home, "log/be.out"), `${text}\n`);

  it("fails at once when its process ends, with the end of its log and what that means", async () => {
    let looks = 0;
    const dies = async (): Promise<Look<void>> => {
      looks += 1;
      if (looks === 2) {
        log("*** SIGSEGV (@0x0) received by PID 4711 ***");
        await stopProcess(bench.host, "be", spec.home, { graceful: false, timeoutSeconds: 10 });
      }
      return notAlive;
    };
    await assert.rejects(wait(dies, 600_000), (error: Error) => {
      assert.match(
        error.message,
        /^Waited for BE be-1 to be Alive, but the process of BE be-1 on be, which was proven before, has ended\. Mend the cause and run `pulumi up --refresh`: .*\nLast lines of its log \(be:\S+\/log\):\n[\s\S]*\*\*\* SIGSEGV [\s\S]*\nThat means: the BE crashed\.$/,
      );
      return true;
    });
  });

  it("ends at its limit with the end of the log of the node, which runs", async () => {
    log("it waits for its first heartbeat");
    await assert.rejects(
      wait(async () => notAlive, 1),
      (error: Error) => {
        assert.match(
          error.message,
          /^Waited 0 s for BE be-1 to be Alive; last seen: not Alive\. Look at be\.INFO\.\nLast lines of its log \(be:\S+\/log\):\n[\s\S]*it waits for its first heartbeat/,
        );
        return true;
      },
    );
    assert.ok(await observeProcess(bench.host, "be", spec.home));
  });

  it("shows of the log no password, and no setting of the conf file that is a secret", async () => {
    appendFileSync(join(spec.home, "conf/be.conf"), "aws_s3_secret_key = s3-hunter2\n");
    log("cannot log in with ssh-hunter2 or sql-hunter2, nor to S3 with s3-hunter2");
    await assert.rejects(
      wait(async () => notAlive, 1),
      (error: Error) => {
        assert.match(error.message, /cannot log in with \[secret\] or \[secret\], nor to S3 with \[secret\]$/m);
        return true;
      },
    );
  });

  it("goes on while its host does not answer for a moment, and says of a log that cannot be read that it cannot", async () => {
    bench.host.cutAt(/^look for the process/, Number.POSITIVE_INFINITY);
    await assert.rejects(
      wait(async () => notAlive, 1),
      {
        message:
          "Waited 0 s for BE be-1 to be Alive; last seen: not Alive. Look at be.INFO.\nIts log could not be read: be: connection refused",
      },
    );
  });
});
