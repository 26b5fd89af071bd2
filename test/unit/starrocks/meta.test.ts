import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { backupMeta } from "../../../provider/starrocks/meta-backup.js";
import { createImageAndWait, imagesBehind, newestImage } from "../../../provider/starrocks/meta-image.js";
import { connectSql, type Sql } from "../../../provider/starrocks/sql.js";
import { versionOf } from "../../../provider/starrocks/versions.js";
import { eventually, type FrontendProcess, Lab } from "../simulator/fe/lab.js";
import { onlyDeclaredPrograms, programOf } from "./declared-programs.js";
import { localHost } from "./local-host.js";
import { isRoot, nobody } from "./toy.js";

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
    const backup = await backupMeta(host, meta, { home: fe.home, reserve: 0 });
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

describe("images of v1, which have no checksum", function () {
  this.timeout(60_000);
  for (const version of ["2.5.13", "3.1.17"]) {
    it(`are waited for and reach a follower (${version})`, async () => {
      const lab = new Lab();
      try {
        const fe = await lab.found({ version, options: { checkpointIntervalMs: 1500 } });
        const follower = await lab.follower(fe, { version });
        const session = await connectSql(host, { address: fe.address, port: 9030, user: "root" });
        try {
          const { image } = await createImageAndWait(session, host, fe.file("meta"), { limit: 20_000 });
          assert.ok(existsSync(fe.file(`meta/image/image.${image}`)));
          const frontends = [{ name: "fe-2", host, metaDir: follower.file("meta") }];
          await eventually("its image", async () => (await imagesBehind(frontends, image)).length === 0);
          const names = [fe, follower].flatMap((one) => readdirSync(one.file("meta/image")));
          assert.deepEqual(
            names.filter((name) => name.startsWith("checksum")),
            [],
          );
        } finally {
          session.close();
        }
        const backup = await backupMeta(host, fe.file("meta"), { home: fe.home, reserve: 0 });
        assert.ok(existsSync(join(backup.path, `image/image.${backup.image}`)));
      } finally {
        await lab.close();
      }
    });
  }
});

describe("the images of a group", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "images-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  interface Images {
    readonly v1?: readonly number[];
    readonly v2?: readonly number[];
    /** Of v2, without their checksums. */
    readonly bare?: readonly number[];
  }
  const frontend = (name: string, { v1 = [], v2 = [], bare = [] }: Images) => {
    const metaDir = join(folder, name);
    mkdirSync(join(metaDir, "image/v2"), { recursive: true });
    const write = (file: string): void => writeFileSync(join(metaDir, "image", file), "text");
    for (const id of v1) {
      write(`image.${id}`);
    }
    for (const id of [...v2, ...bare]) {
      write(`v2/image.${id}`);
    }
    for (const id of v2) {
      write(`v2/checksum.${id}`);
    }
    return { name, host, metaDir };
  };

  it("are behind where an FE has an older one, or none", async () => {
    const frontends = [
      frontend("fe-1", { v2: [31, 42] }),
      frontend("fe-2", { v2: [31] }),
      frontend("fe-3", {}),
      frontend("fe-4", { v2: [43] }),
    ];
    assert.deepEqual(await imagesBehind(frontends, 42), ["fe-2 has image.31", "fe-3 has none"]);
    assert.deepEqual(await imagesBehind([frontend("fe-5", { v1: [42] })], 42), []);
  });

  for (const { images, any, v2 } of [
    { images: { v1: [31, 42] }, any: 42, v2: 0 },
    { images: { v2: [31, 42] }, any: 42, v2: 42 },
    { images: { v2: [31], bare: [42] }, any: 31, v2: 31 },
    { images: { bare: [42] }, any: 0, v2: 0 },
    // The leader writes v1 first, so v2 is still under way.
    { images: { v1: [31, 42], v2: [31] }, any: 42, v2: 31 },
    { images: { v1: [42], bare: [42] }, any: 42, v2: 0 },
    // Of v1 none could be written.
    { images: { v1: [31], v2: [31, 42] }, any: 42, v2: 42 },
  ]) {
    it(`of ${JSON.stringify(images)} the newest whole one is ${any}, where v2 must be written ${v2}`, async () => {
      const { metaDir } = frontend("fe", images);
      assert.equal(await newestImage(host, metaDir), any);
      assert.equal(await newestImage(host, metaDir, versionOf("3.1.17")), any);
      assert.equal(await newestImage(host, metaDir, versionOf("3.4.9")), v2);
      assert.equal(await newestImage(host, metaDir, versionOf("3.5.7")), v2);
    });
  }

  it("are not taken for whole while they are downloaded or written", async () => {
    const { metaDir } = frontend("fe", { v1: [31] });
    for (const file of ["image.42.part", "image.ckpt"]) {
      writeFileSync(join(metaDir, "image", file), "text");
    }
    writeFileSync(join(metaDir, "image/image.43"), "");
    assert.equal(await newestImage(host, metaDir), 31);
  });
});

describe("backups of metadata", () => {
  onlyDeclaredPrograms();
  let folder = "";
  let meta = "";
  let home = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "meta-"));
    meta = join(folder, "meta");
    home = join(folder, "fe");
    mkdirSync(home);
    fillMeta();
  });
  const fillMeta = (): void => {
    mkdirSync(join(meta, "image/v2"), { recursive: true });
    mkdirSync(join(meta, "bdb"));
    writeFileSync(join(meta, "image/VERSION"), "clusterId=123\ntoken=secret\n");
    writeFileSync(join(meta, "image/ROLE"), "role=FOLLOWER\n");
    writeFileSync(join(meta, "image/v2/image.31"), "image");
    writeFileSync(join(meta, "image/v2/checksum.31"), "1");
    writeFileSync(join(meta, "bdb/00000001.jdb"), "log");
  };

  let mounts: string[] = [];
  const mount = (path: string, size: string): void => {
    execFileSync(programOf("mount") ?? "", ["-t", "tmpfs", "-o", `size=${size}`, "none", path]);
    mounts.push(path);
  };
  afterEach(() => {
    for (const path of mounts) {
      execFileSync(programOf("umount") ?? "", [path]);
    }
    mounts = [];
    rmSync(folder, { recursive: true, force: true });
  });

  const backups = (place = folder): string[] => readdirSync(place).filter((name) => name.startsWith("meta-backup-"));

  it("leave the space without which an FE does not start", async () => {
    await assert.rejects(
      backupMeta(host, meta, { home, reserve: 2 ** 50 }),
      /^UserError: Expected room on local for a backup of the metadata \S+\/meta; \S+ \wB are wanted in \S+ \(among them the \S+ \wB without which an FE does not start\), but \S+ \wB are free\. Make room there, or remove old meta-backup folders\.$/,
    );
    assert.deepEqual(backups(), []);
  });

  describe("where root has the folder beside the metadata", () => {
    const user = localHost(nobody);
    beforeEach(function () {
      if (!isRoot) {
        this.skip();
      }
      chmodSync(folder, 0o755);
      execFileSync("chown", ["-R", "nobody", meta, home]);
    });

    it("lie in the FE's home, the last three of them", async () => {
      const paths: string[] = [];
      for (let count = 0; count < 4; count++) {
        paths.push((await backupMeta(user, meta, { home, reserve: 0 })).path);
      }
      assert.deepEqual(paths.map(existsSync), [false, true, true, true]);
      assert.deepEqual([...new Set(paths.map((path) => dirname(path)))], [join(home, "meta-backups")]);
      assert.deepEqual(backups(), []);
    });

    it("are refused where the home is closed, too", async () => {
      execFileSync("chown", ["root", home]);
      await assert.rejects(
        backupMeta(user, meta, { home, reserve: 0 }),
        new RegExp(
          `^UserError: The backup of the metadata ${meta} on local failed: neither ${folder} nor ${home}/meta-backups can be written\\. `,
        ),
      );
    });
  });

  describe("where the metadata has a disk of its own", () => {
    beforeEach(function () {
      if (!isRoot) {
        this.skip();
      }
      mount(meta, "1m");
      fillMeta();
    });

    it("lie in the FE's home, whose disk need not have what an FE wants free on that of its metadata", async () => {
      const { path } = await backupMeta(host, meta, { home, reserve: 2 ** 50 });
      assert.equal(dirname(path), join(home, "meta-backups"));
    });

    it("lie beside it where the home has no room", async () => {
      writeFileSync(join(meta, "bdb/00000002.jdb"), Buffer.alloc(20_000));
      mount(home, "4k");
      const { path } = await backupMeta(host, meta, { home, reserve: 2 ** 50 });
      assert.equal(dirname(path), folder);
      assert.deepEqual(readdirSync(home), []);
    });
  });

  it("keep the last three of ours and whatever is not ours", async () => {
    mkdirSync(join(folder, "meta-backup-20200101-000000"));
    mkdirSync(join(folder, "meta-backup-20200102-000000.partial"));
    const paths: string[] = [];
    for (let count = 0; count < 5; count++) {
      paths.push((await backupMeta(host, meta, { home, reserve: 0 })).path);
    }
    assert.deepEqual(paths.map(existsSync), [false, false, true, true, true]);
    assert.equal(backups().length, 5);
  });

  it("hold a manifest that tells a file that was damaged", async () => {
    const { path, image, files } = await backupMeta(host, meta, { home, reserve: 0 });
    assert.deepEqual([image, files], [31, 5]);
    const check = () => host.run(["sha256sum", "-c", "manifest.sha256"], { cwd: path, accept: "any" });
    assert.equal((await check()).code, 0);
    writeFileSync(join(path, "bdb/00000001.jdb"), "lug");
    assert.equal((await check()).code, 1);
  });

  it("are refused where the metadata is not whole, and leave nothing behind", async () => {
    rmSync(join(meta, "image/ROLE"));
    await assert.rejects(backupMeta(host, meta, { home, reserve: 0 }), /ROLE names no role/);
    rmSync(join(meta, "bdb/00000001.jdb"));
    await assert.rejects(backupMeta(host, meta, { home, reserve: 0 }), /changed under each of six copies/);
    rmSync(join(meta, "image/VERSION"));
    await assert.rejects(backupMeta(host, meta, { home, reserve: 0 }), /VERSION cannot be read/);
    assert.deepEqual(backups(), []);
  });

  it("are refused where the newest image of v2 has no checksum: no FE would load it", async () => {
    rmSync(join(meta, "image/v2/checksum.31"));
    await assert.rejects(backupMeta(host, meta, { home, reserve: 0 }), /image\.31 has no checksum\.31 beside it/);
    writeFileSync(join(meta, "image/image.32"), "image");
    assert.equal((await backupMeta(host, meta, { home, reserve: 0 })).image, 32);
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
      return (await backupMeta(host, meta, { home, reserve: 0 })).path;
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
    const path = await disturbed(`echo 1 >${meta}/image/v2/checksum.40; echo image >${meta}/image/v2/image.40`);
    assert.ok(existsSync(join(path, "image/v2/image.40")));
  });

  it("take what was written to the last log file until then", async () => {
    const path = await disturbed(`printf later >>${meta}/bdb/00000001.jdb`);
    assert.equal(readFileSync(join(path, "bdb/00000001.jdb"), "utf8"), "log");
  });
});
