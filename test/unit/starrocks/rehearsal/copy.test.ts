import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../../../provider/host/types.js";
import { newestImage } from "../../../../provider/starrocks/meta-image.js";
import { copyMetadata } from "../../../../provider/starrocks/rehearsal/copy.js";
import { changeIdentity } from "../../../../provider/starrocks/rehearsal/folder.js";
import { localHost } from "../local-host.js";

const token = "0d7a1c2e-secret-token";

describe("a copy of metadata that is written meanwhile", () => {
  let folder: string;
  let meta: string;
  const write = (path: string, text: string): void => writeFileSync(join(meta, path), text);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-"));
    meta = join(folder, "meta");
    mkdirSync(join(meta, "image/v2"), { recursive: true });
    mkdirSync(join(meta, "bdb"));
    write("image/VERSION", `#date\nclusterId=1234\ntoken=${token}\nrunMode=shared_nothing\n`);
    write("image/ROLE", "role=FOLLOWER\nname=10.0.0.11_9010_1\nhostType=FQDN\n");
    write("image/v2/image.7", "seven");
    write("image/v2/checksum.7", "1");
    write("image/v2/image.ckpt", "unfinished");
    write("bdb/00000000.jdb", "log");
    write("bdb/00000001.jdb", "growing");
    write("bdb/je.lck", "");
    write("bdb/je.info.0", "");
  });
  // What was refused may be on its way to its end still.
  afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));

  const target = () => join(folder, "copy");
  const options = (local: boolean) => ({ local, below: folder, reserve: 0, limit: 30_000, report: () => undefined });
  const copied = (): readonly string[] =>
    (readdirSync(target(), { recursive: true, withFileTypes: true }) as { name: string; isFile(): boolean }[])
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();

  for (const local of [true, false]) {
    it(`has image and log, and no lock, ${local ? "on one host" : "from host to host"}`, async () => {
      const host = localHost();
      await copyMetadata({ host, folder: meta }, { host, folder: target() }, options(local));
      assert.deepEqual(copied(), ["00000000.jdb", "00000001.jdb", "ROLE", "VERSION", "checksum.7", "image.7"]);
      assert.equal(await newestImage(host, target()), 7);
    });
  }

  /** A host on which something happens each time that the metadata was read. */
  const onReading = (act: (reading: number) => void): Host => {
    const host = localHost();
    let readings = 0;
    // `tar` has read all when it is asked for: what happens then happens before the second look.
    const program = join(folder, "bin");
    mkdirSync(program, { recursive: true });
    return {
      ...host,
      stream: async (command, given) => {
        if (command.some((word) => word.includes("image/VERSION"))) {
          readings += 1;
          const trigger = join(folder, `reading-${readings}`);
          writeFileSync(
            join(program, "tar"),
            `#!/bin/bash\nPATH=\${PATH#*:}\ntar "$@"; code=$?\n: >'${trigger}'\nwhile [ -e '${trigger}' ]; do sleep 0.02; done\nexit $code\n`,
            { mode: 0o755 },
          );
          const reading = readings;
          const timer = setInterval(() => {
            if (existsSync(trigger)) {
              clearInterval(timer);
              act(reading);
              rmSync(trigger);
            }
          }, 10);
          return host.stream(["env", `PATH=${program}:${process.env.PATH}`, ...command] as never, given);
        }
        return host.stream(command, given);
      },
    };
  };

  it("is made again when an image was written meanwhile: the log before it may be gone", async () => {
    const host = onReading((reading) => {
      if (reading === 1) {
        write("image/v2/checksum.9", "1");
        write("image/v2/image.9", "nine");
        rmSync(join(meta, "image/v2/image.7"));
        rmSync(join(meta, "image/v2/checksum.7"));
        rmSync(join(meta, "bdb/00000000.jdb"));
      }
    });
    await copyMetadata({ host, folder: meta }, { host: localHost(), folder: target() }, options(false));
    assert.deepEqual(copied(), ["00000001.jdb", "ROLE", "VERSION", "checksum.9", "image.9"]);
  });

  it("bears a log that grows", async () => {
    let readings = 0;
    const host = onReading((reading) => {
      readings = reading;
      appendFileSync(join(meta, "bdb/00000001.jdb"), "more");
      write("bdb/00000002.jdb", "new");
    });
    await copyMetadata({ host, folder: meta }, { host: localHost(), folder: target() }, options(false));
    assert.equal(readings, 1);
    assert.deepEqual(
      copied().filter((name) => name.endsWith("jdb")),
      ["00000000.jdb", "00000001.jdb"],
    );
  });

  it("is given up when an image is written each time", async () => {
    const host = onReading((reading) => write(`image/v2/image.${10 + reading}`, "again"));
    await assert.rejects(
      copyMetadata({ host, folder: meta }, { host: localHost(), folder: target() }, options(false)),
      /could not be copied: each of 4 times an image was written/,
    );
  });

  it("is refused where no FE would start beside it", async () => {
    const host = localHost();
    await assert.rejects(
      copyMetadata({ host, folder: meta }, { host, folder: target() }, { ...options(true), reserve: 2 ** 50 }),
      /The metadata takes .*, and an FE does not start with less than \S+ \wB free; below \S+ on local are only/,
    );
  });

  it("is refused of what is no metadata", async () => {
    const host = localHost();
    rmSync(join(meta, "image/ROLE"));
    for (const local of [true, false]) {
      await assert.rejects(
        copyMetadata({ host, folder: meta }, { host, folder: target() }, options(local)),
        local ? /exit code 1/ : /holds no metadata of an FE/,
      );
    }
  });

  it("becomes that of another cluster", async () => {
    const host = localHost();
    await copyMetadata({ host, folder: meta }, { host, folder: target() }, options(true));
    const identity = await changeIdentity(host, target());
    assert.equal(identity.byName, true);
    assert.equal(identity.runMode, "shared_nothing");
    assert.notEqual(identity.clusterId, 1234);
    const text = readFileSync(join(target(), "image/VERSION"), "utf8");
    assert.match(
      text,
      new RegExp(`^#date\nclusterId=${identity.clusterId}\ntoken=[0-9a-f-]{36}\nrunMode=shared_nothing\n$`),
    );
    assert.ok(!text.includes(token));
  });
});
