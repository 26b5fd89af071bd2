import type { FleetKind } from "../../fleet/types.js";
import { itemsOf, type JournalItem, journalsIn, readJournal } from "../../lab/journal.js";
import type { Plan, Sign, Trigger } from "./plan.js";
import { Site } from "./site.js";
import { play } from "./story.js";
import { isWell } from "./verdict.js";

const shape = { seed: 0, version: "3.5.7", maxUnavailable: 1, canary: true, racks: false } as const;

/** A plan of one change, whose operator is killed. */
interface Killed {
  readonly plan: Plan;
  /** Only at steps of these items or verbs; the others are steps of another change of the list. Default: at all. */
  readonly only?: (item: string, verb: string) => boolean;
  /** In the middle of steps, too. */
  readonly signs?: readonly Sign[];
}

const small = { ...shape, frontends: 1, backends: 2, replicas: 2 } as const;

/** Data that the release before cannot read. */
const newFormat = { fault: "newDataFormat", format: 2 } as const;

const changes: readonly Killed[] = [
  // Another FE than the declared leader leads, so that it hands that over; the one that led is down, and repaired.
  {
    plan: {
      ...{ ...shape, frontends: 3, backends: 2, replicas: 2 },
      changes: [{ type: "upgrade", version: "3.5.8", faults: [{ kind: "leader change", node: "fe1" }] }],
    },
  },
  // Given up by an operator who declares the old version again: what was done to a node is undone, until the FE has started on
  // the new version, on which it leads; then that is refused.
  {
    plan: { ...small, changes: [{ type: "upgrade", version: "3.5.8", abandoned: true, faults: [] }] },
    only: (item, verb) => /^(BE be2 (stop|switch|start|prove)|FE fe1 (stop|switch))$/.test(`${item} ${verb}`),
  },
  { plan: { ...small, changes: [{ type: "setting", of: "be", value: 7, faults: [] }] } },
  { plan: { ...small, backends: 1, replicas: 1, changes: [{ type: "one more BE", faults: [] }] } },
  { plan: { ...small, backends: 3, changes: [{ type: "one BE less", faults: [] }] } },
  // FEs go before BEs; of a BE it does what an upgrade does.
  {
    plan: { ...small, version: "3.5.8", changes: [{ type: "downgrade", version: "3.5.7", faults: [] }] },
    only: (item) => !/^(BE|host) /.test(item),
  },
  {
    plan: { ...small, extras: ["verify"], changes: [{ type: "upgrade", version: "3.5.8", faults: [] }] },
    only: (_, verb) => verb === "verify",
  },
  { plan: { ...small, changes: [{ type: "destroy", faults: [] }] } },
  {
    plan: {
      ...{ ...small, backends: 3, extras: ["rebuild"] },
      changes: [
        {
          ...{ type: "bad build", version: "3.5.8", afterwards: "repair", faults: [] },
          build: { be: { faults: [newFormat, { fault: "crashLoop", afterMs: 5000 }] } },
          repaired: { be: { faults: [newFormat] } },
        },
      ],
    },
    only: (item, verb) => item === "BE be1" && ["start", "prove", "rebuild"].includes(verb),
    signs: ["be1 dropped", "be1's data aside", "be1 started on empty folders", "be1 added again"],
  },
];

/** Played on hosts that can cut a process off from their networks. */
const isolated: readonly Killed[] = [
  {
    plan: {
      ...{ ...small, backends: 1, replicas: 1, extras: ["rehearsal"] },
      changes: [{ type: "upgrade", version: "3.5.8", faults: [] }],
    },
    only: (item) => item === "rehearsal",
    signs: ["copy begun", "copy started"],
  },
];

/** The steps that a change does when nobody hinders it, by its journal. */
const unhindered = async ({ only = () => true, plan, signs = [] }: Killed, site: Site): Promise<readonly Trigger[]> => {
  let items: readonly JournalItem[] = [];
  const verdict = await play(plan, site, "handlers", (driver) => {
    let ups = 0;
    const known = new Set<string>();
    return {
      ...driver,
      up: async (args) => {
        ups += 1;
        // The first one made the cluster.
        const isChange = ups === 2;
        for (const path of isChange ? journalsIn(driver.folder) : []) {
          known.add(path);
        }
        const up = await driver.up(args);
        const ended = up.ended.then((outcome) => {
          if (isChange) {
            items = journalsIn(driver.folder)
              .filter((path) => !known.has(path))
              .flatMap((path) => itemsOf(readJournal(path)));
          }
          return outcome;
        });
        return { ...up, ended };
      },
    };
  });
  if (!isWell(verdict)) {
    throw new Error(`The change failed without a kill:\n${verdict.log.join("\n")}`);
  }
  const steps = items.flatMap(({ id, steps }) =>
    steps
      .filter(({ mark, verb }) => mark === "done" && only(site.lab.plain(id), verb))
      // Which FE leads, and hands over, may be another one each time.
      .map(({ verb }): Trigger => ({ verb, nth: 1, ...(verb !== "handover" && { item: site.lab.plain(id) }) })),
  );
  return [...steps, ...signs.map((sign) => ({ sign }))];
};

/** As many plans as the changes have steps: in each, the operator is killed when another one of them has ended. */
const killedAtEach = async (killed: readonly Killed[], kind: FleetKind, lanes: number): Promise<readonly Plan[]> => {
  const left = [...killed.entries()];
  const found: (readonly Trigger[])[] = [];
  const lane = async (): Promise<void> => {
    const site = await Site.create(kind);
    try {
      for (let next = left.shift(); next; next = left.shift()) {
        const [index, one] = next;
        found[index] = await unhindered(one, site);
      }
    } finally {
      await site.close();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return killed.flatMap(({ plan }, index) =>
    (found[index] ?? []).map((when) => ({
      ...plan,
      changes: plan.changes.map((change) => ({
        ...change,
        faults: [...change.faults, { kind: "client kill", node: "fe1", when } as const],
      })),
    })),
  );
};

export interface EveryStep {
  readonly plans: readonly Plan[];
  /** To be played on a `namespaces` fleet: none where this machine has no such hosts. */
  readonly isolated: readonly Plan[];
}

export const everyStep = async (kind: FleetKind): Promise<EveryStep> => {
  const [plans, others] = await Promise.all([
    killedAtEach(changes, "loopback", 4),
    kind === "namespaces" ? killedAtEach(isolated, kind, 1) : [],
  ]);
  const numbered = [...plans, ...others].map((plan, index) => ({ ...plan, seed: index + 1 }));
  return { plans: numbered.slice(0, plans.length), isolated: numbered.slice(plans.length) };
};
