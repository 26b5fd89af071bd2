import type { Catalog } from "../catalog/catalog.js";
import type { Lifecycle } from "../frontend.js";
import type { Group, GroupEvents, GroupState } from "../group/group.js";
import type { Log } from "../log.js";
import type { Identity } from "../meta/identity.js";
import { type Image, imageSubdirs, writeImageText } from "../meta/image.js";
import type { Entry } from "../meta/journal.js";
import type { Faults } from "../settings/faults.js";
import type { Options } from "../settings/options.js";
import type { RuntimeConfig } from "../settings/runtime.js";
import { type Features, isNewerMinor } from "../settings/version.js";
import { exitSoon } from "./exit.js";

export interface Parts {
  readonly catalog: Catalog;
  readonly identity: Identity;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  readonly options: Options;
  readonly features: Features;
  readonly faults: Faults;
  readonly config: RuntimeConfig;
  readonly metaDir: string;
  readonly version: string;
  readonly group: () => Group;
}

const died = 255;

/** A journal or image of a newer minor, read by this one: works until it does not. Remembered once per writer. */
export const newerWriterGuard = (parts: Pick<Parts, "log" | "options" | "version" | "config">) => {
  const seen = new Set<string>();
  return (writer: string, what: string): void => {
    if (!isNewerMinor(writer, parts.version) || seen.has(writer)) {
      return;
    }
    seen.add(writer);
    parts.log.crime("read metadata of a newer version", { own: parts.version, writer, what });
    if (parts.config.flag("metadata_ignore_unknown_operation_type")) {
      parts.log.warn("EditLog.loadJournal():1066", "UNKNOWN Operation Type 13561");
      return;
    }
    if (!parts.options.dieOnNewerJournal) {
      return;
    }
    parts.log.warn(
      "GlobalStateMgr.replayJournal():1990",
      `got interrupt exception or inconsistent exception when replay ${what}, will exit\njava.io.IOException: UNKNOWN Operation Type 13561`,
    );
    process.exit(died);
  };
};

const changeState = ({ log, lifecycle, features, catalog }: Parts, from: GroupState, to: GroupState): void => {
  const word = (state: GroupState) => {
    if (state === "DETACHED") {
      return "UNKNOWN";
    }
    return state === "LEADER" ? features.leaderWord : state;
  };
  log.info("StateChangeExecutor.notifyNewFETypeTransfer():63", `notify new FE type transfer: ${word(to)}`);
  log.info("StateChangeExecutor.runOneCycle():91", `begin to transfer FE type from ${word(from)} to ${word(to)}`);
  lifecycle.unknownSince = to === "UNKNOWN" || to === "DETACHED" ? performance.now() : undefined;
  if (to === "LEADER" && from === "INIT") {
    for (const row of catalog.state.frontends) {
      row.startTime = null;
    }
  }
};

const ownIdentity = ({ catalog, identity }: Parts): void => {
  // What VERSION says counts, not what was true when the journal was written.
  catalog.state.clusterId = identity.version.clusterId;
  catalog.state.token = identity.version.token;
};

const apply = (parts: Parts, guard: ReturnType<typeof newerWriterGuard>, entry: Entry): void => {
  const { catalog, log, group, lifecycle, faults, features } = parts;
  const { operation, index, version } = entry;
  guard(version, `journal ${index}`);
  if (faults.find("dieOnReplay") !== undefined) {
    log.warn(
      "GlobalStateMgr.replayJournalInner():2071",
      `catch exception when replaying ${index}, java.lang.NullPointerException`,
    );
    log.warn(
      "GlobalStateMgr.replayJournal():1990",
      `got interrupt exception or inconsistent exception when replay journal ${index}, will exit`,
    );
    process.exit(died);
  }
  catalog.apply(operation);
  if (operation.type === "found") {
    ownIdentity(parts);
  }
  if (operation.type === "roll") {
    lifecycle.checkpoint = { index, text: JSON.stringify(imageAt(parts, entry)) };
  }
  if (operation.type === "leader" && group().isLeader() && operation.name === group().self.name) {
    const line = `${features.leaderWord.toLowerCase()} finished to replay journal, can write now.`;
    log.info("GlobalStateMgr.transferToLeader():1314", line);
    log.out(line);
  }
};

const imageAt = ({ catalog, group }: Parts, { index, term, version }: Entry): Image => ({
  index,
  term,
  version,
  members: group().membersAt(index),
  state: catalog.snapshot(),
});

const deposed = ({ log, features }: Parts, reason: string): void => {
  if (reason === "quorum") {
    log.out("failed to begin txn after retried 3 times! txn[] db[CloseSafeDatabase{db=1}]");
    log.warn(
      "BDBJEJournal.batchWriteBegin():303",
      "failed to begin txn after retried 3 times! com.sleepycat.je.rep.InsufficientReplicasException: (JE 18.3.20) Commit policy: SIMPLE_MAJORITY required 1 replica. But none were active with this master.",
    );
    log.warn("JournalWriter.writeOneBatch():120", "got exception when trying to write one batch, will exit now.");
  } else {
    const line = `transfer FE type from ${features.leaderWord} to UNKNOWN. exit`;
    log.warn("StateChangeExecutor.runOneCycle():170", line);
    log.out(line);
  }
  exitSoon(died);
};

/** What the replicated journal does to this FE. */
export const groupEvents = (parts: Parts): GroupEvents => {
  const { log, catalog, group } = parts;
  const guard = newerWriterGuard(parts);
  return {
    apply: (entry) => apply(parts, guard, entry),
    restore: (image) => {
      log.info("BDBEnvironment:402", "INSUFFICIENT_LOG: restore the environment from the leader");
      guard(image.version, `image ${image.index}`);
      catalog.restore(image.state);
      ownIdentity(parts);
      for (const subdir of imageSubdirs(parts.features)) {
        writeImageText(parts.metaDir, subdir, image.index, JSON.stringify(image));
      }
      parts.lifecycle.imageIndex = image.index;
    },
    image: () => {
      const { applied, journal } = group();
      return imageAt(parts, {
        index: applied,
        term: journal.termAt(applied) ?? journal.baseTerm,
        version: parts.version,
        operation: { type: "roll" },
      });
    },
    changed: (from, to) => changeState(parts, from, to),
    deposed: (reason) => deposed(parts, reason),
    refused: (text) => {
      log.warn("BDBEnvironment.setupEnvironment():310", text);
      log.out(text);
    },
    conflict: (member, from) => {
      log.crime("a copy of a member talked to its group", {
        member: member.name,
        claims: `${member.host}:${member.port}`,
        from,
      });
    },
  };
};
