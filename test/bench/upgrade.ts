// npm run bench:upgrade [-- BACKENDS …]: a rolling upgrade of 3 FEs and 3 BEs, and of 3 FEs and 12 BEs, next to what the database
// itself takes; the first one also next to other ways of doing it, on the same hosts in the same run. BENCH_ONLY=name,… measures
// some of those only; BENCH_TIMES=quick takes a database whose heart beats each 0.25 s.

import { namespacesPossible } from "../fleet/fleet.js";
import { Lab, quick } from "../lab/lab.js";
import { defaultOptions } from "../simulator/fe/settings/options.js";
import type { BuiltRelease } from "../simulator/release.js";
import { tableText } from "../table.js";
import { watchAlive } from "./alive.js";
import { inSeconds, rounded } from "./numbers.js";
import { ansible } from "./upgrade/ansible.js";
import { commandProgram } from "./upgrade/command.js";
import type { Contender } from "./upgrade/contender.js";
import { type Measured, measure, mend, settle } from "./upgrade/measure.js";
import { ours } from "./upgrade/ours.js";
import { ownOf, type Parts, partsOf } from "./upgrade/parts.js";
import { stargoPolicy } from "./upgrade/stargo.js";

const first = 7;
const badBackend = [{ fault: "dieAtStart", message: "no such instruction" }] as const;

interface Result {
  readonly contender: Contender;
  readonly good?: Measured;
  readonly bad?: Measured;
  readonly error?: string;
}

/** Releases of the same line, one after the other: whoever is measured goes to the next one. */
const releases = (lab: Lab) => {
  let patch = first;
  return {
    good: (): Promise<BuiltRelease> => {
      patch += 1;
      return lab.release(`3.5.${patch}`);
    },
    /** A build of the next version whose BE dies at its start, and the same version in order. */
    bad: async (): Promise<{ readonly broken: BuiltRelease; readonly whole: BuiltRelease }> => {
      patch += 1;
      const version = `3.5.${patch}`;
      return { broken: await lab.release(version, { be: { faults: badBackend } }), whole: await lab.release(version) };
    },
  };
};

/** Next to which others, by parts of their names; all of them where nothing is said. */
type Others = readonly string[] | undefined;

const upgradeOf = async (backends: number, only: Others) => {
  const impossible = namespacesPossible();
  const times = process.env.BENCH_TIMES === "quick" ? quick : defaultOptions;
  const lab = await Lab.create({ kind: impossible === undefined ? "namespaces" : "loopback", backends, times });
  const command = commandProgram(lab);
  try {
    lab.declare(lab.args(await lab.release(`3.5.${first}`)));
    await lab.stack.up();
    if (times !== quick) {
      await settle(lab);
    }
    console.log(`3 FE + ${backends} BE run; the upgrades begin.`);
    const next = releases(lab);
    const mine = ours(lab);
    const others = [await ansible(lab), command, stargoPolicy(lab)].filter(
      ({ name }) => only === undefined || only.some((one) => name.toLowerCase().includes(one)),
    );

    const release = await next.good();
    const shown = watchAlive(lab, ["fe1", "fe2", "fe3"], release.version);
    const good = await measure(lab, mine, release);
    const seen = await shown();
    if (good.exitCode !== 0) {
      throw new Error(`The upgrade failed:\n${good.output}`);
    }
    const parts = partsOf(lab.journal(), seen, lab);
    tellParts(good, parts, backends);
    const { broken } = await next.bad();
    const results: Result[] = [{ contender: mine, good, bad: await measure(lab, mine, broken) }];
    for (const contender of others) {
      results.push(await resultOf(lab, contender, next));
    }
    console.log(
      `\nNext to others, on the same hosts (${impossible === undefined ? "an sshd each" : `loopback: ${impossible}`}):\n`,
    );
    console.log(tableText(rowsOf(results, backends)));
    console.log(`\n${results.map(({ contender }) => `  ${contender.name}: ${contender.note}`).join("\n")}`);
    return figuresOf(results, parts, good, backends);
  } finally {
    await command.close();
    await lab.close();
  }
};

const resultOf = async (lab: Lab, contender: Contender, next: ReturnType<typeof releases>): Promise<Result> => {
  if (contender.missing !== undefined) {
    return { contender, error: contender.missing };
  }
  const release = await next.good();
  const good = await measure(lab, contender, release);
  console.log(`${contender.name}: ${inSeconds(good.seconds)}, exit ${good.exitCode}`);
  if (good.exitCode !== 0) {
    console.log(`${contender.name} failed:\n${good.output.split("\n").slice(-30).join("\n")}`);
    await mend(lab, release);
    return { contender, good, error: `failed with exit code ${good.exitCode}` };
  }
  const { broken, whole } = await next.bad();
  const bad = await measure(lab, contender, broken);
  await mend(lab, whole);
  return { contender, good, bad };
};

/** Without watching what works. */
const wallOf = (good: Measured, parts: Parts): number => good.seconds - parts.watches;

const tellParts = (good: Measured, parts: Parts, backends: number): void => {
  const own = ownOf(parts);
  const wall = wallOf(good, parts);
  const outside = good.seconds - parts.operation;
  console.log(`\nRolling upgrade of 3 FE + ${backends} BE under a client that reads and writes.\n`);
  console.log(
    tableText([
      ["pulumi up, without watching what works", inSeconds(wall)],
      ["the nodes and the database", inSeconds(own)],
      ["  stops", inSeconds(parts.stops)],
      ["  starts, each to the heartbeat that shows the new process", inSeconds(parts.starts)],
      ["  metadata image", inSeconds(parts.image)],
      ["  elections asked for", inSeconds(parts.elections)],
      ["added to it", inSeconds(wall - own)],
      ["  tablets: safe before a stop, whole after a start", inSeconds(parts.tablets)],
      ["  rehearsal of the new FE", inSeconds(parts.rehearsal)],
      ["  the engine and the program: outside the journal", inSeconds(outside)],
      [
        "  the rest: staging, gates, switches, what waits on SSH",
        inSeconds(wall - own - parts.tablets - parts.rehearsal - outside),
      ],
      ["ratio", (wall / own).toFixed(2)],
      ["(watching what works: soak and observe)", inSeconds(parts.watches)],
    ]),
  );
};

const rowsOf = (results: readonly Result[], backends: number): readonly (readonly string[])[] => [
  ["", "wall time", "most down", "writes failed", "exit", "SSH handshakes", "a bad BE build"],
  ...results.map(({ contender, good, bad, error = "not measured" }) => [
    contender.name,
    ...(good
      ? [inSeconds(good.seconds), good.mostDown, good.writesFailed, good.exitCode, good.handshakes].map(String)
      : ["-", "-", "-", "-", "-"]),
    bad
      ? `${bad.downAtEnd} of ${3 + backends} nodes down, ${bad.writesFailed} writes failed, exit ${bad.exitCode}, ${inSeconds(bad.seconds)}`
      : error,
  ]),
];

const figuresOf = (results: readonly Result[], parts: Parts, good: Measured, backends: number) => ({
  ratio: rounded(wallOf(good, parts) / ownOf(parts)),
  /** With the waits for tablets among what the database imposes. */
  ratioWithTablets: rounded(wallOf(good, parts) / (ownOf(parts) + parts.tablets)),
  frontends: 3,
  backends,
  seconds: rounded(good.seconds),
  ownSeconds: rounded(ownOf(parts)),
  contenders: results.map(({ contender, good: one, bad, error }) => ({
    name: contender.name,
    ...(error !== undefined && { error }),
    ...(one && { good: plain(one) }),
    ...(bad && { bad: plain(bad) }),
  })),
});

const plain = ({ output, seconds, ...rest }: Measured) => ({ seconds: rounded(seconds), ...rest });

const main = async (sizes: readonly number[]): Promise<void> => {
  const figures: Awaited<ReturnType<typeof upgradeOf>>[] = [];
  for (const [index, backends] of sizes.entries()) {
    // How others do is told by the first size.
    figures.push(await upgradeOf(backends, index === 0 ? process.env.BENCH_ONLY?.split(",") : []));
  }
  const [first, ...larger] = figures;
  console.log(`\n${JSON.stringify({ bench: "upgrade", ...first, larger })}`);
};

const wanted = process.argv.slice(2).map(Number);
void main(wanted.length > 0 ? wanted : [3, 12]);
