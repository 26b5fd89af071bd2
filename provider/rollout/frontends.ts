import { TransientError, UserError } from "../error.js";
import type { Connection } from "../host/connection.js";
import { hostFor, linkKeyOf } from "../host/pool.js";
import type { Host } from "../host/types.js";
import type { Limits } from "../plan/limits.js";
import type { Role } from "../plan/spec.js";
import { readHomeMarker } from "../starrocks/marker.js";
import type { FePorts } from "../starrocks/ports.js";
import { AccessDenied, connectSql, type Sql, SqlTimeout } from "../starrocks/sql.js";
import { type Backend, type Frontend, setRootPassword, showBackends, showFrontends } from "../starrocks/statements.js";
import { until } from "../wait.js";

/** An FE of the cluster, as a node that asks it reaches it. */
export interface Contact {
  readonly name: string;
  readonly address: string;
  readonly role: Role;
  readonly ports: FePorts;
  readonly home: string;
  readonly metaDir: string;
  /** What of the asking node's connection is different for this one. */
  readonly connection: Readonly<Record<string, unknown>>;
}

export interface SqlAccess {
  readonly user: string;
  readonly password?: string | undefined;
}

/** What the leader says of the cluster's nodes. */
export interface ClusterRows {
  /** SHOW FRONTENDS. */
  readonly frontends: readonly Frontend[];
  /** SHOW BACKENDS. */
  readonly backends: readonly Backend[];
}

/** For waits for an answer of the group. */
export const majorityAdvice = "A majority of its voting FEs must run; look at their fe.log.";

interface Access {
  /** Key of the cluster. */
  readonly cluster: string;
  readonly contacts: readonly Contact[];
  readonly connection: Connection;
  readonly sql: SqlAccess;
  readonly limits: Limits;
}

/** How the cluster is asked: through whichever of its FEs answers. A cluster's sessions are shared in a process. */
export class Frontends {
  readonly contacts: readonly Contact[];
  readonly #access: Access;
  readonly #sessions: Sessions;

  constructor(access: Access) {
    this.contacts = access.contacts;
    this.#access = access;
    this.#sessions = sessionsOf(access);
  }

  /** The host of an FE. */
  hostOf(contact: Contact): Host {
    return hostFor(connectionOf(this.#access, contact));
  }

  /** A session with this very FE. */
  through(contact: Contact): Promise<Sql> {
    const { open } = this.#sessions;
    const known = open.get(contact.name);
    if (known) {
      return known;
    }
    const opening = this.#open(contact);
    open.set(contact.name, opening);
    opening.catch(() => this.#end(contact.name, opening));
    return opening;
  }

  /** Ends the session with an FE that is going to be stopped, or whose answers are not wanted any more. */
  forget({ name }: { readonly name: string }): void {
    const session = this.#sessions.open.get(name);
    if (session) {
      this.#end(name, session);
    }
  }

  /** Ends this very session: a question that failed late must not end the one that was opened since. */
  #end(name: string, session: Promise<Sql>): void {
    const { open } = this.#sessions;
    if (open.get(name) === session) {
      open.delete(name);
    }
    session.then(
      (sql) => sql.close(),
      () => undefined,
    );
  }

  /**
   * Asks whichever FE answers, all at once on the first question and then the one that answered last. Undefined when none
   * does: there is no cluster yet, or it has no leader (a group without one hangs rather than fails).
   */
  async ask<T>(question: (sql: Sql, contact: Contact) => Promise<T>, without?: string): Promise<T | undefined> {
    const denied: Error[] = [];
    const silent = new Set<Contact>();
    const attempt = async (contact: Contact): Promise<T> => {
      const session = this.through(contact);
      try {
        const answer = await question(await session, contact);
        this.#sessions.answered = contact.name;
        return answer;
      } catch (error) {
        this.#end(contact.name, session);
        if (error instanceof SqlTimeout) {
          silent.add(contact);
        } else if (!(error instanceof TransientError)) {
          denied.push(error as Error);
        }
        throw error;
      }
    };
    const contacts = this.contacts.filter(({ name }) => name !== without);
    const last = contacts.find(({ name }) => name === this.#sessions.answered);
    try {
      return await (last
        ? attempt(last).catch(() => anyOf(contacts, silent, attempt))
        : anyOf(contacts, silent, attempt));
    } catch {
      const [refusal] = denied;
      if (refusal) {
        throw refusal;
      }
      return undefined;
    }
  }

  /** Runs a statement that changes something through one FE that was seen to answer; fails when none does. */
  async tell<T>(statement: (sql: Sql) => Promise<T>, without?: string): Promise<T> {
    const contact = await this.ask(async (sql, one) => {
      await showFrontends(sql, this.#access.limits.sql);
      return one;
    }, without);
    if (!contact) {
      throw new UserError("No FE answers any more, so the cluster could not be told to change. Run `pulumi up` again.");
    }
    return statement(await this.through(contact));
  }

  /** Rows of both kinds as the leader has them; undefined when nobody answers. */
  rows(without?: string): Promise<ClusterRows | undefined> {
    return this.ask(this.#showBoth, without);
  }

  /** Rows of a cluster that is known to work; an election is waited for. */
  rowsSoon(limit: number, without?: string): Promise<ClusterRows> {
    return this.askSoon(this.#showBoth, limit, undefined, without);
  }

  /** Asks a cluster that is known to work, or is just being started; an election is waited for, `limit` milliseconds. */
  askSoon<T extends object>(
    question: (sql: Sql) => Promise<T>,
    limit: number,
    onProgress?: (seen: string) => void,
    without?: string,
  ): Promise<T> {
    return until(
      async () => {
        const value = await this.ask(question, without);
        return value ? { done: true, value } : { done: false, seen: "no FE answers" };
      },
      {
        what: "the FE group to have a leader",
        limit,
        ...(onProgress && { onProgress }),
        advice: majorityAdvice,
      },
    );
  }

  readonly #showBoth = async (sql: Sql): Promise<ClusterRows> => ({
    frontends: await showFrontends(sql, this.#access.limits.sql),
    backends: await showBackends(sql, this.#access.limits.sql),
  });

  /**
   * The declared password first. The empty one only where we founded the cluster and a crash may have come before the
   * password was set; then it is set.
   */
  async #open(contact: Contact): Promise<Sql> {
    const { sql } = this.#access;
    try {
      return await this.#login(contact, sql.password);
    } catch (error) {
      if (!(error instanceof AccessDenied) || !sql.password || sql.user !== "root" || !(await this.#founded())) {
        throw error;
      }
      // Where the empty one is refused too, the declared one's refusal is the story.
      const empty = await this.#login(contact, undefined).catch((refused) => {
        throw refused instanceof AccessDenied ? error : refused;
      });
      try {
        await setRootPassword(empty, sql.password, this.#access.limits.sql);
      } finally {
        empty.close();
      }
      return this.#login(contact, sql.password);
    }
  }

  #login(contact: Contact, password: string | undefined): Promise<Sql> {
    const { limits, sql } = this.#access;
    return connectSql(this.hostOf(contact), {
      address: contact.address,
      port: contact.ports.query,
      user: sql.user,
      ...(password !== undefined && { password }),
      connectLimit: limits.sql,
      limit: limits.sql,
    });
  }

  /** Whether an FE's home says that this program founded the cluster. */
  async #founded(): Promise<boolean> {
    const markers = await Promise.all(
      this.contacts.map(async (contact) => {
        try {
          return await readHomeMarker(this.hostOf(contact), contact.home, "fe");
        } catch {
          // A host that cannot be read cannot vouch for anything; the refused login is reported then.
          return undefined;
        }
      }),
    );
    return markers.some((marker) => marker?.founded === true);
  }
}

/** The first answer of all at once; those that were silent just now are not waited for again. */
const anyOf = <T>(
  contacts: readonly Contact[],
  silent: ReadonlySet<Contact>,
  attempt: (contact: Contact) => Promise<T>,
): Promise<T> => Promise.any(contacts.filter((contact) => !silent.has(contact)).map(attempt));

const connectionOf = ({ connection }: Access, contact: Contact): Connection =>
  ({ ...connection, ...contact.connection }) as Connection;

interface Sessions {
  readonly open: Map<string, Promise<Sql>>;
  /** Name of the FE that answered last. */
  answered: string | undefined;
}

const shared = new Map<string, Sessions>();

/** Sessions by FE for one cluster and one way in. The same private addresses may be those of two sites. */
const sessionsOf = (access: Access): Sessions => {
  const { cluster, contacts, sql } = access;
  const key = JSON.stringify([
    cluster,
    contacts.map((contact) => [
      contact.name,
      contact.address,
      contact.ports.query,
      linkKeyOf(connectionOf(access, contact)),
    ]),
    sql.user,
    sql.password,
  ]);
  const existing = shared.get(key);
  if (existing) {
    return existing;
  }
  const sessions: Sessions = { open: new Map(), answered: undefined };
  shared.set(key, sessions);
  return sessions;
};
