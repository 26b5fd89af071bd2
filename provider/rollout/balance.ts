import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { messageOf, UserError } from "../error.js";
import type { Limits } from "../plan/limits.js";
import {
  frontendSettings,
  pausedSettings,
  type Settings,
  schedulingLimit,
  setFrontendSetting,
} from "../starrocks/balance.js";
import { isRowOf } from "../starrocks/rows.js";
import type { Frontend } from "../starrocks/show.js";
import { AccessDenied, type Sql, SqlError } from "../starrocks/sql.js";
import { versionOf } from "../starrocks/versions.js";
import { type Look, until } from "../wait.js";
import type { Contact, Frontends } from "./frontends.js";
import { LeaseLost } from "./lease.js";
import { keepersOf } from "./majority.js";
import { Mutex } from "./mutex.js";
import { Notes } from "./notes.js";
import type { Run } from "./run.js";

/** Name of the note. */
const noteName = "balance";

const noteSchema = z.object({
  /** The user's own values, as the leader had them. */
  values: z.record(z.string(), z.string()),
  since: z.string(),
  /** Of one pause, to tell it from those of others; notes of earlier releases have none. */
  id: z.string().optional(),
});
type Note = z.output<typeof noteSchema>;

export interface BalanceOptions {
  readonly frontends: Frontends;
  readonly notes: Notes;
  /** Milliseconds for the FEs to take the values: an election, or an FE that is Alive in name only, is waited for. */
  readonly limit: number;
  /** Takes what was done, for the journal. */
  readonly note?: (text: string) => void;
  readonly report?: (seen: string) => void;
  /** Throws where another operator may have the cluster: then nothing is set, nor is a note removed. */
  readonly assertHeld?: () => void;
}

/** What an operation found that an earlier one had left. */
export type Recovery =
  | { readonly mark: "nothing" }
  | { readonly mark: "restored"; readonly text: string }
  /** No FE answered: the note stays. */
  | { readonly mark: "left" };

/** The cluster balances otherwise than its owner wants. */
export class StillPaused extends UserError {}

/** How balancing is paused and restored in an operation on a cluster. */
export const balanceOptions = (
  { frontends, limits, run }: { readonly frontends: Frontends; readonly limits: Limits; readonly run: Run },
  report: (seen: string) => void,
): BalanceOptions => ({
  frontends,
  notes: new Notes(keepersOf(frontends)),
  limit: limits.leader,
  note: (text) => run.journal.note(text),
  report,
  assertHeld: () => run.lease?.assertHeld(),
});

/**
 * Keeps the balancer from moving tablets while nodes are restarted. The user's own values are on a majority of the FE
 * hosts before the first is changed, and are what is restored: now, or by the next operation on this cluster.
 */
export class BalancePause {
  readonly #options: BalanceOptions;
  readonly #paused: Settings;
  /** As it is on the FE hosts. */
  #note: Note | undefined;
  #repairs = false;
  /** One BE may be stopped, or catch up, while another one's failure has all restored: each finds what the one before has set. */
  readonly #alone = new Mutex();

  /** `version`: the oldest that runs. */
  constructor(options: BalanceOptions & { readonly version: string }) {
    this.#options = options;
    this.#paused = pausedSettings(versionOf(options.version));
  }

  /** Saves the values, then sets. What an earlier pause has saved stays: the values now are not the user's. */
  async pause(): Promise<void> {
    const { note } = this.#options;
    this.#note = (await noteOf(this.#options)) ?? (await this.#save());
    await this.reapply();
    note?.(`balancing is paused; the cluster's own values: ${describe(this.#note.values)}`);
  }

  /** Sets again, on every FE that is Alive: one that restarted has the values of its fe.conf. To be called before each stop. */
  reapply(): Promise<void> {
    return this.#alone.run(() => this.#reapplyNow());
  }

  async #reapplyNow(): Promise<void> {
    if (this.#note !== undefined) {
      this.#repairs = false;
      await this.#applyKnown(this.#paused, this.#note.values);
    }
  }

  /** Lets replicas be repaired at the cluster's own pace, where the pause throttles it (before 3.1), until `reapply`. */
  allowRepair(): Promise<void> {
    return this.#alone.run(() => this.#allowRepairNow());
  }

  async #allowRepairNow(): Promise<void> {
    const values = this.#note?.values;
    const own = values?.[schedulingLimit];
    if (values !== undefined && own !== undefined && schedulingLimit in this.#paused && !this.#repairs) {
      await this.#applyKnown({ ...this.#paused, [schedulingLimit]: own }, values);
      this.#repairs = true;
    }
  }

  /**
   * Sets the saved values on every FE that is Alive, and forgets them. Gives whether there was anything to restore: not
   * where another operator has restored them, or noted their own, since. `limit`: milliseconds for the FEs to take them.
   */
  restore(limit = this.#options.limit): Promise<boolean> {
    return this.#alone.run(() => this.#restoreNow(limit));
  }

  async #restoreNow(limit: number): Promise<boolean> {
    const mine = this.#note;
    if (mine === undefined) {
      return false;
    }
    const restored = await restoreNoted({ ...this.#options, limit }, mine);
    if (restored) {
      this.#options.note?.("balancing goes on with the cluster's own values");
    }
    this.#note = undefined;
    return restored;
  }

  /**
   * Restores what an operation that was killed has left paused, and says so. Where no FE answers the note stays for the
   * next operation. To be called with the lease held, before anything else is done.
   */
  static async recover(options: BalanceOptions): Promise<Recovery> {
    const left = await noteOf(options);
    if (left === undefined) {
      return { mark: "nothing" };
    }
    if ((await options.frontends.rows()) === undefined) {
      return { mark: "left" };
    }
    await restoreNoted(options, left);
    const text = `restored ${describe(left.values)}, as an interrupted operation had left balancing paused since ${left.since}`;
    options.note?.(text);
    return { mark: "restored", text };
  }

  /** A setting that the cluster does not have (`disable_colocate_balance` in an old line) is left alone. */
  #applyKnown(wanted: Settings, known: Settings): Promise<void> {
    return apply(this.#options, Object.fromEntries(Object.entries(wanted).filter(([name]) => name in known)));
  }

  async #save(): Promise<Note> {
    const { frontends, limit, notes, report } = this.#options;
    const values = await until<Settings>(
      async () => {
        const [leader] = await aliveContacts(frontends);
        if (!leader) {
          return { done: false, seen: "no FE answers" };
        }
        return attempt(frontends, leader, async (sql) => frontendSettings(sql, Object.keys(this.#paused)));
      },
      { what: "the leader to tell how it balances", limit, ...(report && { onProgress: report }) },
    );
    const note: Note = { values, since: `${new Date().toISOString().slice(0, 19)}Z`, id: randomUUID() };
    await notes.set(noteName, note);
    return note;
  }
}

const noteOf = async ({ notes }: BalanceOptions): Promise<Note | undefined> => {
  const found = (await notes.read())[noteName];
  return found === undefined ? undefined : noteSchema.parse(found);
};

/** Whether the note was still there, and its values are those of the cluster again. */
const restoreNoted = async (options: BalanceOptions, note: Note): Promise<boolean> => {
  const isThere = async (): Promise<boolean> => isDeepStrictEqual(await noteOf(options), note);
  try {
    options.assertHeld?.();
    if (!(await isThere())) {
      return false;
    }
    await apply(options, note.values);
    options.assertHeld?.();
    await options.notes.remove(noteName);
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) {
      throw error;
    }
    throw new StillPaused(
      `Balancing is still paused, as the cluster's own values could not be restored (${describe(note.values)}): ${messageOf(error)} ` +
        `They are kept on the FE hosts, and the next operation on this cluster restores them. ${byHand(error, note.values)}`,
    );
  }
};

/** What the user can do; nothing while another operator may be at work. */
const byHand = (error: UserError, values: Settings): string =>
  error instanceof LeaseLost
    ? "If another operator is at work it is theirs to do so; else run `pulumi up` again."
    : `By hand, on every FE: ${Object.entries(values)
        .map(([name, value]) => `ADMIN SET FRONTEND CONFIG ("${name}" = "${value}");`)
        .join(" ")}`;

/** Brings every declared FE that is Alive to these values; nothing is set where they are so already. */
const apply = async ({ assertHeld, frontends, limit, report }: BalanceOptions, wanted: Settings): Promise<void> => {
  await until<void>(
    async () => {
      assertHeld?.();
      const contacts = await aliveContacts(frontends);
      if (contacts.length === 0) {
        return { done: false, seen: "no FE answers" };
      }
      for (const contact of contacts) {
        const look = await attempt(frontends, contact, (sql) => applyOn(sql, wanted));
        if (!look.done) {
          return look;
        }
      }
      return { done: true, value: undefined };
    },
    {
      what: `every FE to have ${describe(wanted)}`,
      limit,
      ...(report && { onProgress: report }),
      advice: "Look at the FEs named here; the user of `sql` needs the OPERATE privilege.",
    },
  );
};

const applyOn = async (sql: Sql, wanted: Settings): Promise<void> => {
  const found = await frontendSettings(sql, Object.keys(wanted));
  for (const [name, value] of Object.entries(wanted)) {
    if (found[name] === value) {
      continue;
    }
    try {
      await setFrontendSetting(sql, name, value);
    } catch (error) {
      const now = await frontendSettings(sql, [name]);
      if (!(error instanceof SqlError) || now[name] !== value) {
        throw error;
      }
      // Another FE is down; this one has it.
    }
  }
};

/** What may pass (an election, an FE that is going away) is looked at again; a refused login is not. */
const attempt = async <T>(frontends: Frontends, contact: Contact, work: (sql: Sql) => Promise<T>): Promise<Look<T>> => {
  try {
    return { done: true, value: await work(await frontends.through(contact)) };
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof AccessDenied) {
      throw error;
    }
    frontends.forget(contact);
    return { done: false, seen: `FE ${contact.name}: ${messageOf(error)}` };
  }
};

/** Declared FEs that are Alive, the leader first: its values are those that count. None when nobody answers. */
const aliveContacts = async (frontends: Frontends): Promise<readonly Contact[]> => {
  const rows = (await frontends.rows())?.frontends.filter(({ alive }) => alive) ?? [];
  const byRole = [...rows].sort((a, b) => rank(a) - rank(b));
  return byRole.flatMap((row) => frontends.contacts.filter((contact) => isRowOf(contact, row)));
};

const rank = ({ role }: Frontend): number => (role === "leader" ? 0 : 1);

const describe = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
