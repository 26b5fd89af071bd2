import type { Stats } from "node:fs";
import {
  chmod,
  chown,
  type FileHandle,
  lstat,
  mkdir,
  open,
  opendir,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  truncate,
  utimes,
} from "node:fs/promises";
import { resolve } from "node:path";
import ssh2, { type Attributes, type FileEntry, type InputAttributes, type SFTPWrapper } from "ssh2";

const { STATUS_CODE, flagsToString } = ssh2.utils.sftp;

interface OpenFolder {
  /** What READDIR gives next; undefined at the end. */
  next: FileEntry[] | undefined;
}

/** The SFTP subsystem, version 3, on this machine's files; relative paths start at `home`. Requests run at the same time. */
export const serveFiles = (sftp: SFTPWrapper, home: string): void => {
  const handles = new Map<number, FileHandle | OpenFolder>();
  let last = 0;

  const give = (id: number, opened: FileHandle | OpenFolder) => {
    handles.set(++last, opened);
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(last);
    sftp.handle(id, handle);
  };
  const file = (handle: Buffer): FileHandle => {
    const opened = handles.get(handle.readUInt32BE());
    if (!opened || "next" in opened) {
      throw new Error("Not the handle of a file");
    }
    return opened;
  };
  const at = (path: string) => resolve(home, path);
  const done = (id: number) => sftp.status(id, STATUS_CODE.OK);
  const answer = (id: number, work: () => Promise<unknown>) => {
    Promise.resolve()
      .then(work)
      .catch((error: unknown) =>
        sftp.status(id, statusOf(error), error instanceof Error ? error.message : String(error)),
      );
  };

  sftp.on("OPEN", (id, path, flags, attributes) =>
    answer(id, async () => give(id, await open(at(path), flagsToString(flags) ?? "r", attributes.mode ?? 0o666))),
  );
  sftp.on("READ", (id, handle, offset, length) =>
    answer(id, async () => {
      const { bytesRead, buffer } = await file(handle).read(
        Buffer.alloc(Math.min(length, 256 << 10)),
        0,
        undefined,
        offset,
      );
      return bytesRead === 0 ? sftp.status(id, STATUS_CODE.EOF) : sftp.data(id, buffer.subarray(0, bytesRead));
    }),
  );
  sftp.on("WRITE", (id, handle, offset, data) =>
    answer(id, async () => {
      await file(handle).write(data, 0, data.length, offset);
      done(id);
    }),
  );
  sftp.on("CLOSE", (id, handle) =>
    answer(id, async () => {
      const opened = handles.get(handle.readUInt32BE());
      handles.delete(handle.readUInt32BE());
      if (opened && !("next" in opened)) {
        await opened.close();
      }
      done(id);
    }),
  );
  sftp.on("FSTAT", (id, handle) => answer(id, async () => sftp.attrs(id, attributesOf(await file(handle).stat()))));
  sftp.on("STAT", (id, path) => answer(id, async () => sftp.attrs(id, attributesOf(await stat(at(path))))));
  sftp.on("LSTAT", (id, path) => answer(id, async () => sftp.attrs(id, attributesOf(await lstat(at(path))))));
  sftp.on("SETSTAT", (id, path, wanted) =>
    answer(id, async () => setAttributes(at(path), wanted).then(() => done(id))),
  );
  sftp.on("FSETSTAT", (id, handle, wanted) =>
    answer(id, async () => setAttributes(`/dev/fd/${file(handle).fd}`, wanted).then(() => done(id))),
  );
  sftp.on("OPENDIR", (id, path) => answer(id, async () => give(id, { next: await list(at(path)) })));
  sftp.on("READDIR", (id, handle) =>
    answer(id, async () => {
      const opened = handles.get(handle.readUInt32BE());
      const names = opened && "next" in opened ? opened.next?.splice(0, 100) : undefined;
      return names?.length ? sftp.name(id, names) : sftp.status(id, STATUS_CODE.EOF);
    }),
  );
  sftp.on("MKDIR", (id, path, { mode }) => answer(id, async () => mkdir(at(path), mode ?? 0o777).then(() => done(id))));
  sftp.on("RMDIR", (id, path) => answer(id, async () => rmdir(at(path)).then(() => done(id))));
  sftp.on("REMOVE", (id, path) => answer(id, async () => rm(at(path)).then(() => done(id))));
  sftp.on("READLINK", (id, path) => answer(id, async () => sftp.name(id, [entry(await readlink(at(path)))])));
  sftp.on("REALPATH", (id, path) => answer(id, async () => sftp.name(id, [entry(await realpath(at(path)))])));
  sftp.on("SYMLINK", (id, target, path) => answer(id, async () => symlink(target, at(path)).then(() => done(id))));
  sftp.on("RENAME", (id, from, to) =>
    answer(id, async () => {
      // Version 3 of the protocol never replaces a file.
      if (await exists(at(to))) {
        return sftp.status(id, STATUS_CODE.FAILURE);
      }
      await rename(at(from), at(to));
      done(id);
    }),
  );
  sftp.on("close", () => {
    for (const opened of handles.values()) {
      if (!("next" in opened)) {
        opened.close().catch(() => {});
      }
    }
    handles.clear();
  });
};

const statusOf = (error: unknown): number => {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") {
    return STATUS_CODE.NO_SUCH_FILE;
  }
  return code === "EACCES" || code === "EPERM" ? STATUS_CODE.PERMISSION_DENIED : STATUS_CODE.FAILURE;
};

const attributesOf = ({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes => ({
  ...{ mode, uid, gid, size },
  atime: Math.floor(atimeMs / 1000),
  mtime: Math.floor(mtimeMs / 1000),
});

const setAttributes = async (path: string, { size, uid, gid, mode, atime, mtime }: InputAttributes): Promise<void> => {
  if (size !== undefined) {
    await truncate(path, size);
  }
  if (uid !== undefined && gid !== undefined) {
    await chown(path, uid, gid);
  }
  if (mode !== undefined) {
    await chmod(path, Number(mode) & 0o7777);
  }
  if (atime !== undefined && mtime !== undefined) {
    await utimes(path, atime, mtime);
  }
};

const list = async (path: string): Promise<FileEntry[]> => {
  const entries: FileEntry[] = [];
  for await (const { name } of await opendir(path)) {
    entries.push({ ...entry(name), attrs: attributesOf(await lstat(resolve(path, name))) });
  }
  return entries;
};

const entry = (filename: string): FileEntry => ({
  filename,
  longname: filename,
  attrs: { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 },
});

const exists = async (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
