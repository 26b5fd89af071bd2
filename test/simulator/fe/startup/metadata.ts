import fs from "node:fs";
import path from "node:path";
import type { Member } from "../catalog/operations.js";
import type { Log } from "../log.js";
import { hasImage, type Image, loadImage } from "../meta/image.js";
import { BrokenJournal, hasJournal, Journal } from "../meta/journal.js";
import { type Conf, StartFailure } from "../settings/conf.js";
import type { Options } from "../settings/options.js";
import type { Features } from "../settings/version.js";
import { startOf } from "./pid.js";

interface Settings {
  readonly conf: Conf;
  readonly features: Features;
  readonly options: Options;
}

/** The checks before anything is read: `MetaHelper.checkMetaDir`. */
export const checkMetaDir = (metaDir: string, home: string, { conf, features, options }: Settings): void => {
  const where = "MetaHelper.checkMetaDir():229";
  const old = path.join(home, "doris-meta");
  if (features.bothMetaDirsRefused && !conf.has("meta_dir") && fs.existsSync(metaDir) && fs.existsSync(old)) {
    throw new StartFailure(`Meta data dir: ${old} and ${metaDir} are both present, please remove one`, where);
  }
  if (!fs.existsSync(metaDir)) {
    throw new StartFailure(`meta dir ${metaDir} does not exist, will exit`, where);
  }
  const { bavail, bsize } = fs.statfsSync(metaDir);
  if (features.metaFreeChecked && bavail * bsize < options.metaFreeBytes) {
    throw new StartFailure(
      `Free capacity left for meta dir: ${metaDir} is less than ${options.metaFreeBytes / 1024 ** 3} GB`,
      where,
    );
  }
  const incomplete = conf.flag("start_with_incomplete_meta", false);
  if (hasImage(metaDir) && !hasJournal(path.join(metaDir, "bdb")) && !incomplete) {
    throw new StartFailure(
      "image exists, but bdb dir is empty, set start_with_incomplete_meta to true if you want to forcefully recover from image data, this may end with stale meta data, so please be careful.",
      where,
    );
  }
};

export interface Metadata {
  readonly image: Image | undefined;
  readonly journal: Journal;
}

/** One process at a time: JE's `je.lck`. */
const lock = (bdbDir: string): void => {
  const file = path.join(bdbDir, "je.lck");
  const [pid, start, lockedDir] = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n") : [];
  const isHeld = start !== undefined && startOf(Number(pid)) === start;
  // The lock that came with a copy of the folder is not held here.
  if (isHeld && lockedDir === fs.realpathSync(bdbDir)) {
    throw new StartFailure(
      `com.sleepycat.je.EnvironmentLockedException: (JE 18.3.20) ${bdbDir} The environment cannot be locked for single writer access. ENV_LOCKED: The je.lck file could not be locked. Held by ${pid}`,
      "BDBEnvironment.setupEnvironment():301",
    );
  }
  fs.writeFileSync(file, [process.pid, startOf(process.pid), fs.realpathSync(bdbDir)].join("\n"));
};

export const openMetadata = (metaDir: string, features: Features, log: Log): Metadata => {
  const bdbDir = path.join(metaDir, "bdb");
  fs.mkdirSync(bdbDir, { recursive: true });
  lock(bdbDir);
  const where = "GlobalStateMgr.loadImage():1546";
  const image = loadImage(metaDir, features);
  if (image !== undefined) {
    log.info(where, `start load image from ${metaDir}/image/image.${image.index}. is ckpt: false`);
  }
  try {
    const journal = new Journal(bdbDir, { index: image?.index ?? 0, term: image?.term ?? 0 });
    if (image !== undefined) {
      log.info("GlobalStateMgr.loadImage():1655", "finished to load image in 5 ms");
    }
    fs.appendFileSync(
      path.join(bdbDir, "je.info.0"),
      `${new Date().toISOString()} INFO [] Recovery finished, last entry ${journal.lastIndex}\n`,
    );
    return { image, journal };
  } catch (error) {
    if (!(error instanceof BrokenJournal)) {
      throw error;
    }
    throw new StartFailure(`failed to load journal type 10001\n${error.message}`, "BDBJournalCursor:311");
  }
};

/** The recovery key: from now on the group is this node alone, whatever the journal says. */
export const resetGroup = (journal: Journal, self: Member, version: string, log: Log): void => {
  if (journal.lastIndex === 0) {
    throw new StartFailure(
      "com.sleepycat.je.DatabaseNotFoundException: (JE 18.3.20) _jeRepGroupDB",
      "BDBEnvironment.initConfigs():190",
    );
  }
  journal.setTerm(journal.term + 1, undefined);
  const operation = { type: "members" as const, members: [self] };
  journal.append([{ index: journal.lastIndex + 1, term: journal.term, version, operation }]);
  log.info("BDBEnvironment.initConfigs():188", "group has been reset.");
};
