import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { backupMeta } from "../../../provider/starrocks/meta-backup.js";
import { createImageAndWait, imagesBehind, newestImage } from "../../../provider/starrocks/meta-image.js";
import { connectSql, type Sql } from "../../../provider/starrocks/sql.js";
import { type FrontendProcess, Lab } from "../simulator/fe/lab.js";
import { onlyDeclaredPrograms } from "./declared-programs.js";
import { localHost } from "./local-host.js";

const host = localHost();

describe("metadata of a running FE", function () {
  this.timeout(60_000);
  const lab = new Lab();
  let fe: FrontendProcess;
  let sql: Sql;
  let meta = "";

  before(async () => {
    fe = await lab.found({ options: { checkpointIntervalMs: 1500 } });
    meta = fe.file("meta");
    sql = await connectSql(host, { address: fe.address, port: 9030, user: "root" });
  });

  after(async () => {
    sql?.close();
    await lab.close();
  });

  it("gets an image, which is waited for with progress", async () => {
    assert.equal(await newestImage(host, meta), 0);
    const progress: string[] = [];
    const { image } = await createImageAndWait(sql, host, meta, { onProgress: (seen) => progress.push(seen) });
    assert.ok(image > 0);
    assert.equal(await newestImage(host, meta), image);
    assert.deepEqual(progress, ["no image yet"]);
  });

  it("gets another one after a change", async () => {
    const before = await newestImage(host, meta);
    await fe.sql("CREATE DATABASE more");
    assert.ok((await createImageAndWait(sql, host, meta)).image > before);
  });

  it("says what was seen when no image comes", async () => {
    await fe.sql("CREATE DATABASE further");
    await assert.rejects(
      createImageAndWait(sql, host, fe.file("elsewhere"), { limit: 300 }),
      /Waited 0\.3 s for a new image of the metadata in .*elsewhere.*; last seen: no image yet.*fe\.log/,
    );
  });

  it("is copied while it changes, and a FE starts on the copy", async () => {
    let writing = true;
    let count = 0;
    const writer = (async () => {
      while (writing) {
        await fe.sql(`CREATE DATABASE busy_${count++}`);
      }
    })();
    const backup = await backupMeta(host, meta, { reserve: 0 });
    writing = false;
    await writer;
    assert.match(basename(backup.path), /^meta-backup-\d{8}-\d{6}-\d{3}\+*$/);
    assert.equal(dirname(backup.path), fe.home);
    assert.ok(backup.image > 0 && backup.files > 3 && backup.size > 0);
    assert.equal(backup.clusterId, /clusterId=(\d+)/.exec(readFileSync(join(meta, "image/VERSION"), "utf8"))?.[1]);
    await fe.stop("SIGKILL");
    rmSync(meta, { recursive: true });
    mkdirSync(meta);
    for (const part of ["image", "bdb"]) {
      await host.run(["cp", "-a", join(backup.path, part), meta]);
    }
    fe.start();
    await fe.ready();
    const databases = (await fe.sql("SHOW DATABASES")).map(({ Database }) => Database);
    assert.ok(databases.includes("further"));
  });
});

describe("the images of a group", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "images-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const frontend = (name: string, ...images: readonly number[]) => {
    const metaDir = join(folder, name);
    mkdirSync(join(metaDir, "image/v2"), { recursive: true });
    for (const image of images) {
      writeFileSync(join(metaDir, `image/v2/image.${image}`), "image");
      writeFileSync(join(metaDir, `image/v2/checksum.${image}`), "sum");
    }
    return { name, host, metaDir };
  };

  it("are behind where an FE has an older one, or none", async () => {
    const frontends = [frontend("fe-1", 31, 42), frontend("fe-2", 31), frontend("fe-3"), frontend("fe-4", 43)];
    assert.deepEqual(await imagesBehind(frontends, 42), ["fe-2 has image.31", "fe-3 has none"]);
    assert.deepEqual(await imagesBehind([frontend("fe-5", 42)], 42), []);
  });
});

describe("backups of metadata", () => {
  onlyDeclaredPrograms();
  let folder = "";
  let meta = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "meta-"));
    meta = join(folder, "meta");
    mkdirSync(join(meta, "image/v2"), { recursive: true });
    mkdirSync(join(meta, "bdb"));
    writeFileSync(join(meta, "image/VERSION"), "clusterId=123\ntoken=secret\n");
    writeFileSync(join(meta, "image/ROLE"), "role=FOLLOWER\n");
    writeFileSync(join(meta, "image/v2/image.31"), "image");
    writeFileSync(join(meta, "image/v2/checksum.31"), "1");
    writeFileSync(join(meta, "bdb/00000001.jdb"), "log");
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const backups = (): string[] => readdirSync(folder).filter((name) => name.startsWith("meta-backup-"));

  it("leave the space without which an FE does not start", async () => {
    await assert.rejects(
      backupMeta(host, meta, { reserve: 2 ** 50 }),
      /Expected \S+ \wB free beside \S+meta on local for a backup of the metadata and the \S+ \wB without which an FE does not start, but \S+ \wB are\./,
    );
    assert.deepEqual(backups(), []);
  });

  it("keep the last three of ours and whatever is not ours", async () => {
    mkdirSync(join(folder, "meta-backup-20200101-000000"));
    mkdirSync(join(folder, "meta-backup-20200102-000000.partial"));
    const paths: string[] = [];
    for (let count = 0; count < 5; count++) {
      paths.push((await backupMeta(host, meta, { reserve: 0 })).path);
    }
    assert.deepEqual(paths.map(existsSync), [false, false, true, true, true]);
    assert.equal(backups().length, 5);
  });

  it("hold a manifest that tells a file that was damaged", async () => {
    const { path, image, files } = await backupMeta(host, meta, { reserve: 0 });
    assert.deepEqual([image, files], [31, 5]);
    const check = () => host.run(["sha256sum", "-c", "manifest.sha256"], { cwd: path, accept: "any" });
    assert.equal((await check()).code, 0);
    writeFileSync(join(path, "bdb/00000001.jdb"), "lug");
    assert.equal((await check()).code, 1);
  });

  it("are refused where the metadata is not whole, and leave nothing behind", async () => {
    rmSync(join(meta, "image/ROLE"));
    await assert.rejects(backupMeta(host, meta, { reserve: 0 }), /ROLE names no role/);
    rmSync(join(meta, "bdb/00000001.jdb"));
    await assert.rejects(backupMeta(host, meta, { reserve: 0 }), /changed under each of six copies/);
    rmSync(join(meta, "image/VERSION"));
    await assert.rejects(backupMeta(host, meta, { reserve: 0 }), /VERSION cannot be read/);
    assert.deepEqual(backups(), []);
  });

  /** Does something to the metadata right after the first log file was copied, once, as a cleaner or a checkpoint would. */
  const disturbed = async (disturbance: string): Promise<string> => {
    const tools = join(folder, "tools");
    mkdirSync(tools);
    const body = `/bin/cp "$@"; code=$?\ncase "$*" in *.jdb*) mkdir ${tools}/once 2>/dev/null && { ${disturbance}; } ;; esac\nexit $code`;
    writeFileSync(join(tools, "cp"), `#!/usr/bin/env bash\n${body}\n`, { mode: 0o755 });
    const path = process.env.PATH;
    process.env.PATH = `${tools}:${path}`;
    try {
      return (await backupMeta(host, meta, { reserve: 0 })).path;
    } finally {
      process.env.PATH = path;
      assert.ok(existsSync(join(tools, "once")));
    }
  };

  it("are made again when an old log file is changed under them", async () => {
    writeFileSync(join(meta, "bdb/00000002.jdb"), "more");
    const path = await disturbed(`echo changed >>${meta}/bdb/00000001.jdb`);
    assert.equal(readFileSync(join(path, "bdb/00000001.jdb"), "utf8"), "logchanged\n");
  });

  it("are made again when log files come or go", async () => {
    writeFileSync(join(meta, "bdb/00000002.jdb"), "more");
    const path = await disturbed(`rm ${meta}/bdb/00000001.jdb; echo new >${meta}/bdb/00000003.jdb`);
    assert.deepEqual(readdirSync(join(path, "bdb")), ["00000002.jdb", "00000003.jdb"]);
  });

  it("are made again when a new image lets the log before it go", async () => {
    const path = await disturbed(`echo image >${meta}/image/v2/image.40`);
    assert.ok(existsSync(join(path, "image/v2/image.40")));
  });

  it("take what was written to the last log file until then", async () => {
    const path = await disturbed(`printf later >>${meta}/bdb/00000001.jdb`);
    assert.equal(readFileSync(join(path, "bdb/00000001.jdb"), "utf8"), "log");
  });
});
