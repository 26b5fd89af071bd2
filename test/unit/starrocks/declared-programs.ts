import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const coreutils =
  "basename cat chgrp chmod chown cksum comm cp csplit cut date dd df dirname du echo env expand expr false fmt fold head id install " +
  "join link ln ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk printenv printf pwd readlink " +
  "realpath rm rmdir seq sha1sum sha256sum sha512sum shred shuf sleep sort split stat stdbuf stty sum sync tac tail tee test timeout " +
  "touch tr true truncate tsort tty uname unexpand uniq unlink wc who whoami yes";
const procps = "free pgrep pidof pkill pmap ps pwdx sysctl top uptime vmstat w watch";

/** What a host must have: bash, coreutils, tar, gzip, procps, grep and sed; no findutils, no awk, no util-linux. */
const declared = `bash sh ${coreutils} tar gzip gunzip ${procps} grep egrep fgrep sed`.split(" ");

const found = process.env.PATH ?? "";

/** Where this machine has a program, also while hosts have only the declared ones. */
export const programOf = (name: string): string | undefined =>
  found
    .split(delimiter)
    .map((one) => join(one, name))
    .find((one) => existsSync(one));

/** For a `describe`: the hosts of its tests have the declared programs and no others. */
export const onlyDeclaredPrograms = (): void => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "programs-"));
    chmodSync(folder, 0o755);
    for (const name of declared) {
      const program = programOf(name);
      if (program !== undefined) {
        symlinkSync(program, join(folder, name));
      }
    }
    process.env.PATH = folder;
  });
  after(() => {
    process.env.PATH = found;
    rmSync(folder, { recursive: true, force: true });
  });
};
