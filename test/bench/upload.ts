// npm run bench:upload [-- MEGABYTES]: our upload of a big file next to OpenSSH's scp, in turns on the same host.

import { createHash, randomFillSync } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { serialize, startProvider } from "../contract/harness.js";
import { createFleet, type Host, namespacesPossible } from "../fleet/fleet.js";
import { tableText } from "../table.js";
import { inSeconds, median, rounded } from "./numbers.js";
import { type Measured, type Task, uploader } from "./upload/ours.js";
import { copy, fastestCipher, type Scp } from "./upload/scp.js";

const rounds = 5;
const sampleMegabytes = 128;
const megabyte = 1_000_000;

/** Random bytes: what compresses nowhere. */
const makeFile = (path: string, megabytes: number): string => {
  const hash = createHash("sha256");
  const file = openSync(path, "w");
  const chunk = Buffer.alloc(megabyte);
  for (let written = 0; written < megabytes; written++) {
    randomFillSync(chunk);
    hash.update(chunk);
    writeSync(file, chunk);
  }
  closeSync(file);
  return hash.digest("hex");
};

/** In a new provider process, as its memory counts from the first upload on. */
const uploadOurs = async (task: Task): Promise<Measured> => {
  const provider = await startProvider({ text: await serialize(uploader as never) });
  try {
    const { outputs } = await provider.create({ ...task, module: join(__dirname, "upload/ours.js") });
    return outputs as unknown as Measured;
  } finally {
    await provider.close();
  }
};

const main = async (megabytes: number): Promise<void> => {
  const impossible = namespacesPossible();
  const fleet = await createFleet({ kind: impossible === undefined ? "namespaces" : "loopback", hosts: ["host"] });
  try {
    const host: Host = fleet.host("host");
    const file = join(fleet.scratch, "file");
    const sample = join(fleet.scratch, "sample");
    const sha256 = makeFile(file, megabytes);
    makeFile(sample, Math.min(sampleMegabytes, megabytes));
    const connection = fleet.connection(host);
    const folder = host.path("/data");
    const scp: Scp = { connection, key: fleet.key.path };
    const cipher = await fastestCipher(scp, sample, folder);
    const remove = () => host.exec(`rm -f ${folder}/ours ${folder}/scp`);

    const ours: Measured[] = [];
    const theirs: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      await remove();
      const mine = await uploadOurs({ connection, from: file, to: `${folder}/ours`, sha256 });
      await remove();
      const other = await copy(scp, cipher, file, `${folder}/scp`);
      ours.push(mine);
      theirs.push(other);
      console.log(`round ${round} of ${rounds}: ours ${inSeconds(mine.seconds)}, scp ${inSeconds(other)}`);
    }

    const seconds = median(ours.map((one) => one.seconds));
    const scpSeconds = median(theirs);
    const addedMegabytes = Math.max(...ours.map((one) => one.addedMegabytes));
    const where =
      impossible === undefined ? "OpenSSH's sshd in a namespace" : `an ssh2 server on loopback (${impossible})`;
    console.log(
      `\nUpload of ${megabytes} MB to ${where}, medians of ${rounds} runs in turns; ours is also verified there.\n`,
    );
    console.log(
      tableText([
        ["", "time", "MB/s", "memory added"],
        ["ours", inSeconds(seconds), (megabytes / seconds).toFixed(0), `${addedMegabytes.toFixed(0)} MB at most`],
        [`scp (${cipher})`, inSeconds(scpSeconds), (megabytes / scpSeconds).toFixed(0), ""],
      ]),
    );
    const figures = { seconds: rounded(seconds), scpSeconds: rounded(scpSeconds), cipher, megabytes };
    const ratio = rounded(scpSeconds / seconds);
    console.log(
      `\n${JSON.stringify({ bench: "upload", ratio, addedMegabytes: rounded(addedMegabytes, 1), ...figures })}`,
    );
  } finally {
    await fleet.close();
  }
};

void main(Number(process.argv[2] ?? 1000));
