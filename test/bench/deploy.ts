// npm run bench:deploy: 3 FEs and 3 BEs deployed from nothing, next to the waits that the database imposes.

import { createStack } from "../engine/stack.js";
import { realHosts } from "../fleet/possible.js";
import { itemsOf } from "../lab/journal.js";
import { Lab } from "../lab/lab.js";
import { defaultOptions } from "../simulator/fe/settings/options.js";
import { tableText } from "../table.js";
import { watchAlive } from "./alive.js";
import { floorOf, type Waits, waitsOf } from "./deploy/waits.js";
import { inSeconds, median, rounded } from "./numbers.js";
import { trivialProgram } from "./preview/programs.js";

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
/** Seconds from the start script to a process that answers: what the simulator's processes take. */
const ready = 0.3;

interface Round {
  readonly seconds: number;
  readonly waits: Waits;
  /** `up` of as many trivial resources. */
  readonly engineSeconds: number;
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
};

/** The heartbeats and loops of a real database, as the facts have them: 5 s. */
const deploy = async (): Promise<Round> => {
  const kind = realHosts();
  const lab = await Lab.create({ kind, times: defaultOptions });
  try {
    lab.declare(lab.args(await lab.release("3.5.7")));
    const alive = watchAlive(lab, ["fe1"]);
    const seconds = await timed(() => lab.stack.up());
    const waits = waitsOf(itemsOf(lab.journal()), await alive(), lab, ready);
    const { resources = [] } = (await lab.stack.export()).deployment;
    const count = (prefix: string) => resources.filter(({ type }) => type.startsWith(prefix)).length;
    const trivial = await createStack({
      program: trivialProgram(count("pulumi-nodejs:dynamic/"), count("starrocks:index:")),
    });
    try {
      return { seconds, waits, engineSeconds: await timed(() => trivial.up()) };
    } finally {
      await trivial.close();
    }
  } finally {
    await lab.close();
  }
};

const main = async (): Promise<void> => {
  const done: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    const one = await deploy();
    done.push(one);
    console.log(
      `round ${round} of ${rounds}: ${inSeconds(one.seconds)}, of which the database ${inSeconds(floorOf(one.waits))}, the engine ${inSeconds(one.engineSeconds)}`,
    );
  }
  const of = (value: (round: Round) => number): number => median(done.map(value));
  const seconds = of((one) => one.seconds);
  const floorSeconds = of(({ waits }) => floorOf(waits));
  const engineSeconds = of((one) => one.engineSeconds);
  const addedSeconds = of((one) => one.seconds - floorOf(one.waits));
  const ownSeconds = of((one) => one.seconds - floorOf(one.waits) - one.engineSeconds);
  console.log(`\nDeployment of 3 FE + 3 BE from nothing, medians of ${rounds} runs.\n`);
  console.log(
    tableText([
      ["pulumi up", inSeconds(seconds)],
      ["the database", inSeconds(floorSeconds)],
      ["  processes that come up one after the other", inSeconds(of(({ waits }) => waits.processes))],
      ["  leader: its own first heartbeat", inSeconds(of(({ waits }) => waits.leader))],
      ["  followers, one by one: retry loop and heartbeat", inSeconds(of(({ waits }) => waits.followers))],
      ["  (beside them) BEs: heartbeat", inSeconds(of(({ waits }) => waits.backends))],
      ["added to it", inSeconds(addedSeconds)],
      ["  the engine: up of as many trivial resources", inSeconds(engineSeconds)],
      ["  this package", inSeconds(ownSeconds)],
    ]),
  );
  console.log(
    `\n${JSON.stringify({
      bench: "deploy",
      seconds: rounded(seconds),
      floorSeconds: rounded(floorSeconds),
      addedSeconds: rounded(addedSeconds),
      engineSeconds: rounded(engineSeconds),
      ownSeconds: rounded(ownSeconds),
    })}`,
  );
};

void main();
